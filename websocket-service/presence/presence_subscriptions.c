#include "websocket-service/presence/presence_subscriptions.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/wire/frame.h"
#include "websocket-service/deliver/rooms.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/socket/connection.h"
#include "websocket-service/socket/slot_map.h"

#include <uthash.h>
#include <utlist.h>

/* One user may have all sockets of the gateway as subscribers. */
enum { NOTIFIED_PER_STEP = 1000 };

struct subscription;

/* A user with subscriptions. */
struct target {
	uint64_t user;
	uint64_t number;
	struct presence_state state;
	struct subscription *subscriptions;
	struct target *prev, *next; /* in `by_poll` */
	UT_hash_handle hh;
};

/* A socket with subscriptions. */
struct subscriber {
	uint64_t connection;
	struct subscription *subscriptions;
	struct subscription *changed;   /* a list by changed_next */
	struct subscriber *prev, *next; /* in `changed` of the set */
	UT_hash_handle hh;
};

struct subscription {
	uint64_t user;
	struct target *target;
	struct subscriber *subscriber;
	struct subscription *prev, *next; /* of the same target */
	struct subscription *changed_next;
	uint64_t notified_ms; /* the latest change sent; 0: none */
	bool notified_online;
	bool hidden;       /* the target blocks the subscriber's user */
	bool changed;      /* in the subscriber's list `changed` */
	UT_hash_handle hh; /* of the subscriber */
};

struct presence_subscriptions {
	struct connections *connections;
	struct slot_map *by_number;
	struct target *by_user;
	struct target *by_poll; /* the longest not polled first */
	struct subscriber *by_connection;
	struct subscriber *changed; /* those with changes to send */
	uint32_t changed_count;
	uint32_t to_notify; /* of these, from the head, in this round */
	uint32_t count;
	uint64_t grace_until_ms;
	struct buf text;
};

struct presence_subscriptions *
presence_subscriptions_create(struct connections *connections, uint32_t max)
{
	struct presence_subscriptions *set = mem_new(sizeof(*set));

	set->connections = connections;
	set->by_number = slot_map_create(max);
	set->text = BUF(FRAME_OUT_MAX);
	return set;
}

/* --- users with subscriptions -------------------------------------------- */

static struct target *find_target(const struct presence_subscriptions *set,
                                  uint64_t user)
{
	struct target *target;

	HASH_FIND(hh, set->by_user, &user, sizeof(user), target);
	return target;
}

static struct target *make_target(struct presence_subscriptions *set,
                                  uint64_t user)
{
	struct target *target = mem_new(sizeof(*target));

	target->user = user;
	target->number = slot_map_add(set->by_number, target);
	DL_APPEND(set->by_poll, target);
	HASH_ADD(hh, set->by_user, user, sizeof(target->user), target);
	return target;
}

uint64_t presence_subscriptions_next_user(struct presence_subscriptions *set,
                                          uint64_t *ret_number)
{
	struct target *target = set->by_poll;

	DL_DELETE(set->by_poll, target);
	DL_APPEND(set->by_poll, target);
	*ret_number = target->number;
	return target->user;
}

/* --- sockets with subscriptions ------------------------------------------ */

static struct subscriber *
find_subscriber(const struct presence_subscriptions *set, uint64_t connection)
{
	struct subscriber *subscriber;

	HASH_FIND(hh, set->by_connection, &connection, sizeof(connection),
	          subscriber);
	return subscriber;
}

static struct subscriber *make_subscriber(struct presence_subscriptions *set,
                                          uint64_t connection)
{
	struct subscriber *subscriber = mem_new(sizeof(*subscriber));

	subscriber->connection = connection;
	HASH_ADD(hh, set->by_connection, connection, sizeof(connection),
	         subscriber);
	return subscriber;
}

static struct subscription *
find_subscription(const struct subscriber *subscriber, uint64_t user)
{
	struct subscription *subscription;

	HASH_FIND(hh, subscriber->subscriptions, &user, sizeof(user),
	          subscription);
	return subscription;
}

static struct subscription *
make_subscription(struct presence_subscriptions *set,
                  struct subscriber *subscriber, struct target *target)
{
	struct subscription *subscription = mem_new(sizeof(*subscription));

	subscription->user = target->user;
	subscription->target = target;
	subscription->subscriber = subscriber;
	DL_APPEND(target->subscriptions, subscription);
	HASH_ADD(hh, subscriber->subscriptions, user,
	         sizeof(subscription->user), subscription);
	set->count++;
	return subscription;
}

static void drop_subscription(struct presence_subscriptions *set,
                              struct subscription *subscription)
{
	struct target *target = subscription->target;

	HASH_DEL(subscription->subscriber->subscriptions, subscription);
	DL_DELETE(target->subscriptions, subscription);
	if (!target->subscriptions) {
		slot_map_remove(set->by_number, target->number);
		DL_DELETE(set->by_poll, target);
		HASH_DEL(set->by_user, target);
		mem_free(&target);
	}
	mem_free(&subscription);
	set->count--;
}

static void enter_changed(struct presence_subscriptions *set,
                          struct subscriber *subscriber)
{
	DL_APPEND(set->changed, subscriber);
	set->changed_count++;
}

static void leave_changed(struct presence_subscriptions *set,
                          struct subscriber *subscriber)
{
	DL_DELETE(set->changed, subscriber);
	set->changed_count--;
}

static void drop_subscriber(struct presence_subscriptions *set,
                            struct subscriber *subscriber)
{
	if (subscriber->changed)
		leave_changed(set, subscriber);
	while (subscriber->subscriptions)
		drop_subscription(set, subscriber->subscriptions);
	HASH_DEL(set->by_connection, subscriber);
	mem_free(&subscriber);
}

void presence_subscriptions_destroy(struct presence_subscriptions **set)
{
	struct presence_subscriptions *s = *set;

	if (!s)
		return;
	while (s->by_connection)
		drop_subscriber(s, s->by_connection);
	slot_map_destroy(&s->by_number);
	buf_free(&s->text);
	mem_free(set);
}

void presence_subscriptions_remove_socket(struct presence_subscriptions *set,
                                          uint64_t connection)
{
	struct subscriber *subscriber = find_subscriber(set, connection);

	if (subscriber)
		drop_subscriber(set, subscriber);
}

bool presence_subscriptions_has(const struct presence_subscriptions *set,
                                uint64_t connection, uint64_t user)
{
	const struct subscriber *subscriber = find_subscriber(set, connection);

	return subscriber && find_subscription(subscriber, user);
}

bool presence_subscriptions_knows(const struct presence_subscriptions *set,
                                  uint64_t user)
{
	return find_target(set, user);
}

uint32_t presence_subscriptions_users(const struct presence_subscriptions *set)
{
	return HASH_COUNT(set->by_user);
}

uint32_t presence_subscriptions_count(const struct presence_subscriptions *set)
{
	return set->count;
}

uint32_t
presence_subscriptions_count_of(const struct presence_subscriptions *set,
                                uint64_t connection)
{
	const struct subscriber *subscriber = find_subscriber(set, connection);

	return subscriber ? HASH_COUNT(subscriber->subscriptions) : 0;
}

/* --- samples ------------------------------------------------------------- */

static void mark_changed(struct presence_subscriptions *set,
                         struct subscription *subscription)
{
	struct subscriber *subscriber = subscription->subscriber;

	if (subscription->changed)
		return;
	if (!subscriber->changed)
		enter_changed(set, subscriber);
	subscription->changed = true;
	subscription->changed_next = subscriber->changed;
	subscriber->changed = subscription;
}

static void apply_sample(struct presence_subscriptions *set,
                         struct target *target,
                         const struct presence_sample *sample)
{
	struct subscription *subscription;

	if (!presence_state_update(&target->state, sample, clock_mono_ms(),
	                           set->grace_until_ms))
		return;
	DL_FOREACH (target->subscriptions, subscription)
		mark_changed(set, subscription);
}

void presence_subscriptions_sample(struct presence_subscriptions *set,
                                   uint64_t number,
                                   const struct presence_sample *sample)
{
	struct target *target = slot_map_get(set->by_number, number);

	if (target)
		apply_sample(set, target, sample);
}

static bool visible_online(const struct subscription *subscription)
{
	return subscription->target->state.online && !subscription->hidden;
}

static uint64_t visible_last_seen(const struct subscription *subscription)
{
	return subscription->hidden
	               ? UINT64_MAX
	               : presence_state_last_seen(&subscription->target->state);
}

void presence_subscriptions_hide(struct presence_subscriptions *set,
                                 uint64_t connection, const struct rooms *rooms)
{
	const struct connection *socket =
		connections_find(set->connections, connection);
	const struct subscriber *subscriber = find_subscriber(set, connection);
	struct subscription *subscription, *next;

	if (!socket || !subscriber)
		return;
	HASH_ITER (hh, subscriber->subscriptions, subscription, next) {
		bool hidden = rooms_blocked(rooms, connection_user(socket),
		                            subscription->user);

		if (subscription->hidden == hidden)
			continue;
		subscription->hidden = hidden;
		mark_changed(set, subscription);
	}
}

uint64_t presence_subscriptions_add(struct presence_subscriptions *set,
                                    uint64_t connection, uint64_t user,
                                    const struct presence_sample *sample,
                                    bool hidden)
{
	struct subscriber *subscriber = find_subscriber(set, connection);
	struct target *target = find_target(set, user);
	struct subscription *subscription;

	if (target) {
		apply_sample(set, target, sample);
	} else {
		target = make_target(set, user);
		presence_state_init(&target->state, sample);
	}
	if (!subscriber)
		subscriber = make_subscriber(set, connection);
	subscription = find_subscription(subscriber, user);
	if (!subscription)
		subscription = make_subscription(set, subscriber, target);
	subscription->hidden = hidden;
	subscription->notified_online = visible_online(subscription);
	return visible_last_seen(subscription);
}

void presence_subscriptions_start_grace(struct presence_subscriptions *set)
{
	set->grace_until_ms = clock_mono_ms() + PRESENCE_STATE_GRACE_MS;
}

/* --- notifications ------------------------------------------------------- */

/* Whether it was written. A change that is not due yet stays on the list. */
static bool write_change(struct subscription *subscription,
                         struct presence_frame *frame, uint64_t now_ms)
{
	subscription->changed = false;
	if (subscription->notified_online == visible_online(subscription))
		return false;
	if (subscription->notified_ms &&
	    now_ms < subscription->notified_ms + PRESENCE_NOTIFY_INTERVAL_MS) {
		subscription->changed = true;
		LL_PREPEND2(subscription->subscriber->changed, subscription,
		            changed_next);
		return false;
	}
	subscription->notified_online = visible_online(subscription);
	subscription->notified_ms = now_ms;
	frame_presence_add(frame, subscription->user,
	                   visible_last_seen(subscription));
	return true;
}

static unsigned write_changes(struct subscriber *subscriber, struct buf *text,
                              uint64_t now_ms)
{
	struct presence_frame frame = frame_presence_open(text);
	struct subscription *subscription = subscriber->changed;
	unsigned count = 0;

	subscriber->changed = NULL;
	while (subscription) {
		struct subscription *next = subscription->changed_next;

		count += write_change(subscription, &frame, now_ms);
		subscription = next;
	}
	frame_presence_close(&frame);
	return count;
}

/* Sending may close the connection, and so remove the subscriber. */
static void notify(struct presence_subscriptions *set,
                   struct subscriber *subscriber, uint64_t now_ms)
{
	struct connection *connection =
		connections_find(set->connections, subscriber->connection);
	unsigned count;

	buf_clear(&set->text);
	count = write_changes(subscriber, &set->text, now_ms);
	leave_changed(set, subscriber);
	if (subscriber->changed)
		enter_changed(set, subscriber); /* for the next round */
	metric_count(&gateway_metrics.presence_changes, count);
	if (count && connection)
		connection_send(connection, buf_span(&set->text));
}

void presence_subscriptions_notify(struct presence_subscriptions *set)
{
	set->to_notify = set->changed_count;
	presence_subscriptions_notify_more(set);
}

void presence_subscriptions_notify_more(struct presence_subscriptions *set)
{
	uint64_t now_ms = clock_mono_ms();

	for (unsigned i = 0; i < NOTIFIED_PER_STEP && set->to_notify; i++) {
		set->to_notify--;
		if (set->changed)
			notify(set, set->changed, now_ms);
	}
}
