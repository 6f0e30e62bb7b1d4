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
enum {
	NOTIFIED_PER_STEP = 1000, /* sockets */
	WRITTEN_PER_STEP = 10000, /* subscriptions of these */
	MARKED_PER_STEP = 20000,  /* subscriptions whose target changed */
	DROPPED_PER_STEP = 10000, /* subscriptions of closed sockets */
};

struct subscription;

/* A user with subscriptions. */
struct target {
	uint64_t user;
	uint64_t number;
	struct presence_state state;
	struct subscription *subscriptions;
	struct subscription *unmarked; /* from here on; NULL: all are marked */
	struct target *prev, *next;    /* in `by_poll` */
	struct target *marking_prev, *marking_next; /* while `unmarked` */
	UT_hash_handle hh;
};

/* A socket with subscriptions. */
struct subscriber {
	uint64_t connection;
	struct subscription *subscriptions;
	struct subscription *changed; /* a list by changed_next */
	struct subscriber *prev,
		*next; /* in `changed`, or `gone`, of the set */
	bool gone;     /* its socket has closed */
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
	struct target *marking;     /* their subscriptions are being marked */
	struct subscriber *gone;    /* their subscriptions are being dropped */
	uint32_t changed_count;
	uint32_t to_notify; /* of these, from the head, in this round */
	bool round_due;     /* when all are marked */
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

/* Past the subscription where marking stands. */
static void move_mark(struct presence_subscriptions *set, struct target *target)
{
	target->unmarked = target->unmarked->next;
	if (!target->unmarked)
		DL_DELETE2(set->marking, target, marking_prev, marking_next);
}

static void drop_subscription(struct presence_subscriptions *set,
                              struct subscription *subscription)
{
	struct target *target = subscription->target;

	HASH_DEL(subscription->subscriber->subscriptions, subscription);
	if (target->unmarked == subscription)
		move_mark(set, target);
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

/* The subscriptions are dropped in steps: very many sockets may close at once.
 */
static void leave(struct presence_subscriptions *set,
                  struct subscriber *subscriber)
{
	if (subscriber->changed)
		leave_changed(set, subscriber);
	subscriber->changed = NULL;
	subscriber->gone = true;
	HASH_DEL(set->by_connection, subscriber);
	DL_APPEND(set->gone, subscriber);
}

static void drop_gone(struct presence_subscriptions *set, uint32_t max)
{
	while (set->gone) {
		struct subscriber *subscriber = set->gone;

		while (subscriber->subscriptions && max) {
			drop_subscription(set, subscriber->subscriptions);
			max--;
		}
		if (subscriber->subscriptions)
			return;
		DL_DELETE(set->gone, subscriber);
		mem_free(&subscriber);
	}
}

void presence_subscriptions_destroy(struct presence_subscriptions **set)
{
	struct presence_subscriptions *s = *set;

	if (!s)
		return;
	while (s->by_connection)
		leave(s, s->by_connection);
	drop_gone(s, UINT32_MAX);
	slot_map_destroy(&s->by_number);
	buf_free(&s->text);
	mem_free(set);
}

void presence_subscriptions_remove_socket(struct presence_subscriptions *set,
                                          uint64_t connection)
{
	struct subscriber *subscriber = find_subscriber(set, connection);

	if (subscriber)
		leave(set, subscriber);
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

	if (subscription->changed || subscriber->gone)
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
	if (!presence_state_update(&target->state, sample, clock_mono_ms(),
	                           set->grace_until_ms) ||
	    !target->subscriptions)
		return;
	if (!target->unmarked)
		DL_APPEND2(set->marking, target, marking_prev, marking_next);
	target->unmarked = target->subscriptions;
}

/* Whether all subscriptions of changed users are marked now. */
static bool mark_more(struct presence_subscriptions *set)
{
	for (uint32_t i = 0; i < MARKED_PER_STEP && set->marking; i++) {
		struct target *target = set->marking;

		mark_changed(set, target->unmarked);
		move_mark(set, target);
	}
	return !set->marking;
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

/* Returns the number of changes looked at; *ret_written of them are due. */
static unsigned write_changes(struct subscriber *subscriber, struct buf *text,
                              uint64_t now_ms, unsigned *ret_written)
{
	struct presence_frame frame = frame_presence_open(text);
	struct subscription *subscription = subscriber->changed;
	unsigned count = 0;

	*ret_written = 0;
	subscriber->changed = NULL;
	while (subscription) {
		struct subscription *next = subscription->changed_next;

		*ret_written += write_change(subscription, &frame, now_ms);
		subscription = next;
		count++;
	}
	frame_presence_close(&frame);
	return count;
}

/*
 * Returns the number of changes looked at. Sending may close the connection,
 * and so remove the subscriber.
 */
static unsigned notify(struct presence_subscriptions *set,
                       struct subscriber *subscriber, uint64_t now_ms)
{
	struct connection *connection =
		connections_find(set->connections, subscriber->connection);
	unsigned written, count;

	buf_clear(&set->text);
	count = write_changes(subscriber, &set->text, now_ms, &written);
	leave_changed(set, subscriber);
	if (subscriber->changed)
		enter_changed(set, subscriber); /* for the next round */
	metric_count(&gateway_metrics.presence_changes, written);
	if (written && connection)
		connection_send(connection, buf_span(&set->text));
	return count;
}

void presence_subscriptions_notify(struct presence_subscriptions *set)
{
	set->round_due = true;
	presence_subscriptions_step(set);
}

void presence_subscriptions_step(struct presence_subscriptions *set)
{
	uint64_t now_ms = clock_mono_ms();
	unsigned looked_at = 0;

	drop_gone(set, DROPPED_PER_STEP);
	if (mark_more(set) && set->round_due) {
		set->round_due = false;
		set->to_notify = set->changed_count;
	}
	for (unsigned i = 0; i < NOTIFIED_PER_STEP && set->to_notify &&
	                     looked_at < WRITTEN_PER_STEP;
	     i++) {
		set->to_notify--;
		if (set->changed)
			looked_at += notify(set, set->changed, now_ms);
	}
}
