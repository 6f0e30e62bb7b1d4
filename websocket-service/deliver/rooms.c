#include "websocket-service/deliver/rooms.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/base/scope.h"
#include "common/wire/save_record.h"
#include "websocket-service/deliver/room_members.h"
#include "websocket-service/socket/timer_wheel.h"

#include <uthash.h>
#include <utlist.h>

enum { USER_TEXT_MAX = 20 + 1 }; /* in a question */

/* What is known of a user and a room. */
struct membership {
	uint64_t room;
	uint64_t seq;
	uint64_t from;   /* sees the entries behind that one */
	uint32_t left_s; /* 0: is in it */
	uint32_t index;  /* of a user who is connected and in it */
};

struct user {
	uint64_t id;
	uint32_t partition;
	bool connected;
	bool known;
	bool welcome_held; /* in `welcome_held`: sockets wait for `welcome` */
	bool queued;    /* in `queued`: the next question is about them, too */
	bool in_flight; /* a question is in_flight, and was not attempts
	                   retry_timer yet */
	unsigned attempts;
	uint64_t first_query; /* the first question first_query the user is
	                         connected; 0: none */
	struct membership *memberships; /* by room */
	uint32_t count;
	uint32_t capacity;
	uint64_t *blockers; /* in no order: few have any */
	uint32_t blocker_count;
	uint32_t blocker_capacity;
	uint64_t hold_until_ms;
	struct timer_wheel_entry retry_timer;
	struct user *prev, *next; /* in `welcome_held`, or in `absent` */
	struct user *queue_prev, *queue_next;
	UT_hash_handle hh;
};

struct rooms {
	struct rooms_options options;
	struct user *users;
	struct room_members *members;
	struct user *welcome_held; /* oldest first */
	struct user *absent;       /* longest first */
	uint32_t absent_count;
	uint32_t pending_users;
	struct user *queued; /* oldest first */
	uint32_t queued_count;
	uint32_t in_flight;
	struct buf attempts; /* the users of a question */
	uint64_t number;     /* of the last question */
	struct timer_wheel wheel;
};

static uint64_t now_s(void)
{
	return clock_mono_ms() / 1000;
}

struct rooms *rooms_create(const struct rooms_options *options)
{
	struct rooms *rooms = mem_new(sizeof(*rooms));

	rooms->options = *options;
	rooms->members = room_members_create(options->partitions);
	rooms->attempts = BUF(SAVE_USERS_MAX * USER_TEXT_MAX);
	timer_wheel_start(&rooms->wheel, now_s());
	return rooms;
}

static struct user *find_user(const struct rooms *rooms, uint64_t id)
{
	struct user *user;

	HASH_FIND(hh, rooms->users, &id, sizeof(id), user);
	return user;
}

/* --- a user's memberships
 * ----------------------------------------------------- */

/* Where the room is in the user's list, or belongs. */
static uint32_t membership_at(const struct user *user, uint64_t room)
{
	uint32_t low = 0;
	uint32_t high = user->count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (user->memberships[middle].room < room)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct membership *find_membership(const struct user *user,
                                          uint64_t room)
{
	uint32_t at = membership_at(user, room);

	return at < user->count && user->memberships[at].room == room
	               ? &user->memberships[at]
	               : NULL;
}

static void add_to_room(struct rooms *rooms, struct user *user,
                        struct membership *membership)
{
	membership->index =
		room_members_add(rooms->members, membership->room,
	                         user->partition, user->id, membership->from);
}

static void remove_from_room(struct rooms *rooms, struct user *user,
                             const struct membership *membership)
{
	uint64_t moved =
		room_members_remove(rooms->members, membership->room,
	                            user->partition, membership->index);

	if (moved)
		find_membership(find_user(rooms, moved), membership->room)
			->index = membership->index;
}

/*
 * Of somebody of whom not all rooms are known none counts: of a room that a
 * change has told of they would hear the later entries without the earlier.
 */
static bool receives_rooms(const struct user *user)
{
	return user->connected && user->known;
}

static void add_to_all_rooms(struct rooms *rooms, struct user *user)
{
	for (uint32_t i = 0; i < user->count; i++) {
		if (!user->memberships[i].left_s)
			add_to_room(rooms, user, &user->memberships[i]);
	}
}

static void remove_from_all_rooms(struct rooms *rooms, struct user *user)
{
	if (!receives_rooms(user))
		return;
	for (uint32_t i = 0; i < user->count; i++) {
		if (!user->memberships[i].left_s)
			remove_from_room(rooms, user, &user->memberships[i]);
	}
}

/* --- users --------------------------------------------------------------- */

static struct user *make_user(struct rooms *rooms, uint64_t id)
{
	struct user *user = mem_new(sizeof(*user));

	user->id = id;
	user->partition = event_partition(id, rooms->options.partitions);
	HASH_ADD(hh, rooms->users, id, sizeof(user->id), user);
	return user;
}

static void drop_user(struct rooms *rooms, struct user *user)
{
	HASH_DEL(rooms->users, user);
	mem_free(&user->memberships);
	mem_free(&user->blockers);
	mem_free(&user);
}

static void release_welcome(struct rooms *rooms, struct user *user)
{
	if (user->welcome_held)
		DL_DELETE(rooms->welcome_held, user);
	user->welcome_held = false;
}

static void leave_queue(struct rooms *rooms, struct user *user)
{
	if (!user->queued)
		return;
	DL_DELETE2(rooms->queued, user, queue_prev, queue_next);
	rooms->queued_count--;
	user->queued = false;
}

static void set_in_flight(struct rooms *rooms, struct user *user,
                          bool in_flight)
{
	rooms->in_flight = rooms->in_flight + in_flight - user->in_flight;
	user->in_flight = in_flight;
}

static void stop_pending(struct rooms *rooms, struct user *user)
{
	release_welcome(rooms, user);
	leave_queue(rooms, user);
	set_in_flight(rooms, user, false);
	timer_wheel_clear(&rooms->wheel, &user->retry_timer);
	rooms->pending_users--;
}

static void leave_absent(struct rooms *rooms, struct user *user)
{
	DL_DELETE(rooms->absent, user);
	rooms->absent_count--;
}

static void enter_absent(struct rooms *rooms, struct user *user)
{
	DL_APPEND(rooms->absent, user);
	rooms->absent_count++;
	if (rooms->absent_count <= rooms->options.absent_max)
		return;
	user = rooms->absent;
	leave_absent(rooms, user);
	drop_user(rooms, user);
}

void rooms_destroy(struct rooms **rooms)
{
	struct rooms *r = *rooms;

	if (!r)
		return;
	while (r->users)
		drop_user(r, r->users);
	room_members_destroy(&r->members);
	buf_free(&r->attempts);
	mem_free(rooms);
}

/* --- pending_users
 * -------------------------------------------------------------- */

/* What was attempts before is not waited for any more. */
static void enter_queue(struct rooms *rooms, struct user *user)
{
	set_in_flight(rooms, user, false);
	if (user->queued)
		return;
	DL_APPEND2(rooms->queued, user, queue_prev, queue_next);
	rooms->queued_count++;
	user->queued = true;
}

static void retry(void *context, struct timer_wheel_entry *item)
{
	enter_queue(context, CONTAINER_OF(item, struct user, retry_timer));
}

static void schedule_retry(struct rooms *rooms, struct user *user)
{
	uint64_t more_ms =
		backoff_ms(user->attempts++, ROOMS_RETRY_S * 1000,
	                   (ROOMS_RETRY_MAX_S - ROOMS_RETRY_S) * 1000);

	timer_wheel_set(&rooms->wheel, &user->retry_timer,
	                now_s() + ROOMS_RETRY_S + more_ms / 1000);
}

/* About the oldest who wait for it. */
static void query(struct rooms *rooms)
{
	uint64_t first = rooms->queued->id;

	rooms->number++;
	buf_clear(&rooms->attempts);
	for (unsigned i = 0; rooms->queued && i < SAVE_USERS_MAX; i++) {
		struct user *user = rooms->queued;

		leave_queue(rooms, user);
		set_in_flight(rooms, user, true);
		schedule_retry(rooms, user);
		if (!user->first_query)
			user->first_query = rooms->number;
		event_key_add(&rooms->attempts, user->id);
	}
	rooms->options.query(rooms->options.context, rooms->number, first,
	                     buf_span(&rooms->attempts));
}

void rooms_flush(struct rooms *rooms)
{
	while (rooms->queued &&
	       (!rooms->in_flight || rooms->queued_count >= SAVE_USERS_MAX))
		query(rooms);
}

static void hold_welcome(struct rooms *rooms, struct user *user)
{
	if (user->welcome_held)
		return;
	user->welcome_held = true;
	user->hold_until_ms = clock_mono_ms() + ROOMS_WELCOME_WAIT_MS;
	DL_APPEND(rooms->welcome_held, user);
}

static void user_arrives(struct rooms *rooms, struct user *user)
{
	user->connected = true;
	if (user->known) {
		leave_absent(rooms, user);
		add_to_all_rooms(rooms, user);
		return;
	}
	user->attempts = 0;
	user->first_query = 0;
	rooms->pending_users++;
	enter_queue(rooms, user);
}

bool rooms_user_connected(struct rooms *rooms, uint64_t id)
{
	struct user *user = find_user(rooms, id);

	if (!user)
		user = make_user(rooms, id);
	if (!user->connected)
		user_arrives(rooms, user);
	if (!user->known)
		hold_welcome(rooms, user);
	return user->known;
}

void rooms_user_disconnected(struct rooms *rooms, uint64_t id)
{
	struct user *user = find_user(rooms, id);

	if (!user || !user->connected)
		return;
	remove_from_all_rooms(rooms, user);
	user->connected = false;
	if (user->known) {
		enter_absent(rooms, user);
		return;
	}
	stop_pending(rooms, user);
	drop_user(rooms, user);
}

/* --- what is said of users and rooms ------------------------------------- */

/* Who has left long ago: no late word of the time before comes any more. */
static void drop_expired(struct user *user)
{
	uint64_t now = now_s();
	uint32_t kept = 0;

	for (uint32_t i = 0; i < user->count; i++) {
		const struct membership *membership = &user->memberships[i];

		if (!membership->left_s ||
		    membership->left_s + ROOMS_LEFT_KEPT_S > now)
			user->memberships[kept++] = *membership;
	}
	user->count = kept;
}

static struct membership *insert_membership(struct user *user, uint64_t room)
{
	uint32_t at;

	if (user->count == user->capacity)
		drop_expired(user);
	if (user->count == user->capacity) {
		user->capacity = user->capacity ? user->capacity * 2 : 4;
		user->memberships =
			mem_resize(user->memberships,
		                   user->capacity * sizeof(*user->memberships));
	}
	at = membership_at(user, room);
	memmove(&user->memberships[at + 1], &user->memberships[at],
	        (user->count - at) * sizeof(*user->memberships));
	user->count++;
	user->memberships[at] =
		(struct membership){.room = room, .left_s = 1 /* not in */};
	return &user->memberships[at];
}

static void apply(struct rooms *rooms, struct user *user, uint64_t room,
                  uint64_t seq, uint64_t from, bool in)
{
	struct membership *membership = find_membership(user, room);
	bool was_in, moves;

	if (membership && membership->seq >= seq)
		return;
	if (!membership)
		membership = insert_membership(user, room);
	was_in = !membership->left_s;
	/* Who was in_flight in between is told by the later word only. */
	moves = was_in != in || membership->from != from;
	if (receives_rooms(user) && was_in && moves)
		remove_from_room(rooms, user, membership);
	membership->seq = seq;
	membership->from = from;
	membership->left_s = in ? 0 : (uint32_t)now_s() + 1;
	if (receives_rooms(user) && in && moves)
		add_to_room(rooms, user, membership);
}

/* The blocker's index; blocker_count when there is none. */
static uint32_t find_blocker(const struct user *user, uint64_t by)
{
	uint32_t at = 0;

	while (at < user->blocker_count && user->blockers[at] != by)
		at++;
	return at;
}

static void add_blocker(struct user *user, uint64_t by)
{
	if (user->blocker_count == user->blocker_capacity) {
		user->blocker_capacity =
			user->blocker_capacity ? user->blocker_capacity * 2 : 2;
		user->blockers = mem_resize(user->blockers,
		                            user->blocker_capacity *
		                                    sizeof(*user->blockers));
	}
	user->blockers[user->blocker_count++] = by;
}

void rooms_block(struct rooms *rooms, uint64_t id, uint64_t by, bool blocks)
{
	struct user *user = find_user(rooms, id);
	uint32_t at;

	if (!user)
		return;
	at = find_blocker(user, by);
	if (blocks && at == user->blocker_count)
		add_blocker(user, by);
	else if (!blocks && at < user->blocker_count)
		user->blockers[at] = user->blockers[--user->blocker_count];
}

bool rooms_blocked(const struct rooms *rooms, uint64_t id, uint64_t by)
{
	const struct user *user = find_user(rooms, id);

	return user && find_blocker(user, by) < user->blocker_count;
}

/*
 * An answer only adds blockers: whom it does not name may have been told of
 * meanwhile. One who blocks no more looks offline until the user comes anew.
 */
static void learn(struct rooms *rooms, struct user *user, struct span list,
                  struct span blockers)
{
	uint64_t room, seq, from, by;

	while (event_rooms_next(&list, &room, &seq, &from))
		apply(rooms, user, room, seq, from, true);
	while (event_key_next(&blockers, &by))
		rooms_block(rooms, user->id, by, true);
}

static void take_answer(struct rooms *rooms, struct user *user,
                        struct span list, struct span blockers)
{
	uint64_t id = user->id;

	learn(rooms, user, list, blockers);
	user->known = true;
	add_to_all_rooms(rooms, user);
	stop_pending(rooms, user);
	if (user->count)
		rooms->options.welcomed_early(rooms->options.context, id);
	rooms->options.welcome(rooms->options.context, id);
}

void rooms_answered(struct rooms *rooms, uint64_t number, struct span answer)
{
	struct span list, blockers;
	uint64_t id;

	while (event_answer_next(&answer, &id, &list, &blockers)) {
		struct user *user = find_user(rooms, id);

		if (user && !user->known && user->first_query &&
		    number >= user->first_query)
			take_answer(rooms, user, list, blockers);
	}
}

void rooms_changed(struct rooms *rooms, uint32_t partition,
                   const struct event_room *change)
{
	struct span users = change->users;
	uint64_t id, from;

	while (event_room_next(&users, &id, &from)) {
		struct user *user;

		if (event_partition(id, rooms->options.partitions) != partition)
			continue;
		user = find_user(rooms, id);
		if (user)
			apply(rooms, user, change->conversation, change->seq,
			      from, change->sign == '+');
	}
}

static void invalidate(struct rooms *rooms, struct user *user)
{
	remove_from_all_rooms(rooms, user);
	user->count = 0;
	rooms->pending_users += user->known;
	user->known = false;
	user->attempts = 0;
	user->first_query = 0;
	enter_queue(rooms, user);
}

void rooms_invalidate_all(struct rooms *rooms)
{
	while (rooms->absent) {
		struct user *user = rooms->absent;

		leave_absent(rooms, user);
		drop_user(rooms, user);
	}
	for (struct user *user = rooms->users; user; user = user->hh.next)
		invalidate(rooms, user);
}

/* --- fan-in_flight
 * ------------------------------------------------------------- */

bool rooms_has_members(const struct rooms *rooms, uint64_t conversation,
                       uint32_t partition)
{
	return room_members_any(rooms->members, conversation, partition);
}

void rooms_each_member(struct rooms *rooms, uint64_t conversation,
                       uint32_t partition, uint64_t seq,
                       void (*each)(void *context, uint64_t user),
                       void *context)
{
	room_members_each(rooms->members, conversation, partition, seq, each,
	                  context);
}

/* --- time ---------------------------------------------------------------- */

void rooms_tick(struct rooms *rooms)
{
	uint64_t now_ms = clock_mono_ms();

	while (rooms->welcome_held &&
	       rooms->welcome_held->hold_until_ms <= now_ms) {
		struct user *user = rooms->welcome_held;

		release_welcome(rooms, user);
		rooms->options.welcome(rooms->options.context, user->id);
	}
	timer_wheel_advance(&rooms->wheel, now_ms / 1000, retry, rooms);
	while (rooms->queued)
		query(rooms);
}

uint32_t rooms_count(const struct rooms *rooms)
{
	return room_members_rooms(rooms->members);
}

uint32_t rooms_pending_users(const struct rooms *rooms)
{
	return rooms->pending_users;
}
