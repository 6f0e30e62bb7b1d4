#include "websocket-service/deliver/rooms.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "websocket-service/deliver/blockers.h"
#include "websocket-service/deliver/memberships.h"
#include "websocket-service/deliver/room_members.h"

#include <uthash.h>
#include <utlist.h>

/*
 * A user is connected or absent. While the query is pending, the rooms of a
 * connected user are not all known. An absent user has no pending query.
 */
struct user {
	uint64_t id;
	uint32_t partition;
	uint32_t epoch; /* of `rooms`; an earlier one: nothing is known */
	bool connected;
	bool welcome_held; /* in `welcome_held` */
	uint64_t hold_until_ms;
	struct room_query_entry query;
	struct memberships memberships;
	struct room_query_entry *recheck; /* of the blockers; NULL: none */
	uint64_t blockers_number; /* of the query they are from; 0: unknown */
	struct blockers blockers;
	struct user *prev, *next; /* in `welcome_held` or in `absent` */
	UT_hash_handle hh;
};

struct rooms {
	struct rooms_options options;
	struct user *users;
	struct room_members *members;
	struct room_queries *queries;
	struct user *welcome_held; /* oldest first */
	struct user *absent;       /* longest absent first */
	uint32_t absent_count;
	uint32_t epoch;            /* raised when events were lost */
	struct user *renewed_next; /* NULL: all users are of this epoch */
};

struct rooms *rooms_create(const struct rooms_options *options)
{
	struct rooms *rooms = mem_new(sizeof(*rooms));

	rooms->options = *options;
	rooms->members = room_members_create(options->partitions);
	rooms->queries = room_queries_create(options->query, options->context);
	return rooms;
}

/* --- users --------------------------------------------------------------- */

static struct user *find_any(const struct rooms *rooms, uint64_t id)
{
	struct user *user;

	HASH_FIND(hh, rooms->users, &id, sizeof(id), user);
	return user;
}

static void stop_recheck(struct rooms *rooms, struct user *user)
{
	if (user->recheck)
		room_queries_stop(rooms->queries, user->recheck);
	mem_free(&user->recheck);
}

static struct user *make_user(struct rooms *rooms, uint64_t id)
{
	struct user *user = mem_new(sizeof(*user));

	user->id = id;
	user->epoch = rooms->epoch;
	user->partition = event_partition(id, rooms->options.partitions);
	user->blockers = blockers_none();
	HASH_ADD(hh, rooms->users, id, sizeof(user->id), user);
	return user;
}

static void drop_user(struct rooms *rooms, struct user *user)
{
	if (rooms->renewed_next == user)
		rooms->renewed_next = user->hh.next;
	HASH_DEL(rooms->users, user);
	stop_recheck(rooms, user);
	memberships_free(&user->memberships);
	blockers_free(&user->blockers);
	mem_free(&user);
}

void rooms_destroy(struct rooms **rooms)
{
	struct rooms *r = *rooms;

	if (!r)
		return;
	while (r->users)
		drop_user(r, r->users);
	room_members_destroy(&r->members);
	room_queries_destroy(&r->queries);
	mem_free(rooms);
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

/*
 * Of a user from before the loss of events nothing is known: asks again about a
 * connected one, drops an absent one. NULL: dropped.
 */
static struct user *renew(struct rooms *rooms, struct user *user)
{
	if (user->epoch == rooms->epoch)
		return user;
	user->epoch = rooms->epoch;
	if (!user->connected) {
		leave_absent(rooms, user);
		drop_user(rooms, user);
		return NULL;
	}
	user->memberships.count = 0;
	stop_recheck(rooms, user);
	room_queries_start(rooms->queries, &user->query, user->id);
	return user;
}

static struct user *find_user(struct rooms *rooms, uint64_t id)
{
	struct user *user = find_any(rooms, id);

	return user ? renew(rooms, user) : NULL;
}

static void hold_welcome(struct rooms *rooms, struct user *user)
{
	if (user->welcome_held)
		return;
	user->welcome_held = true;
	user->hold_until_ms = clock_mono_ms() + rooms->options.welcome_wait_ms;
	DL_APPEND(rooms->welcome_held, user);
}

static void stop_holding(struct rooms *rooms, struct user *user)
{
	if (user->welcome_held)
		DL_DELETE(rooms->welcome_held, user);
	user->welcome_held = false;
}

/* --- members of rooms ---------------------------------------------------- */

static void add_to_room(struct rooms *rooms, struct user *user,
                        struct membership *membership)
{
	membership->index =
		room_members_add(rooms->members, membership->room,
	                         user->partition, user->id, membership->from);
}

/* The member that moves to the free index learns its new one. */
static void remove_from_room(struct rooms *rooms, struct user *user,
                             const struct membership *membership)
{
	uint64_t moved =
		room_members_remove(rooms->members, membership->room,
	                            user->partition, membership->index);
	const struct user *other = moved ? find_any(rooms, moved) : NULL;

	if (other)
		memberships_find(&other->memberships, membership->room)->index =
			membership->index;
}

/*
 * Until all rooms of a user are known, the user receives no room messages:
 * otherwise the user would get the later entries of a room without the earlier
 * ones.
 */
static bool receives_rooms(const struct user *user)
{
	return user->connected && !user->query.pending;
}

static void add_to_all_rooms(struct rooms *rooms, struct user *user)
{
	for (uint32_t i = 0; i < user->memberships.count; i++) {
		struct membership *membership = &user->memberships.list[i];

		if (membership_active(membership))
			add_to_room(rooms, user, membership);
	}
}

static void remove_from_all_rooms(struct rooms *rooms, struct user *user)
{
	if (!receives_rooms(user))
		return;
	for (uint32_t i = 0; i < user->memberships.count; i++) {
		struct membership *membership = &user->memberships.list[i];

		if (membership_active(membership))
			remove_from_room(rooms, user, membership);
	}
}

bool rooms_user_connected(struct rooms *rooms, uint64_t id)
{
	struct user *user = find_user(rooms, id);

	if (!user) {
		user = make_user(rooms, id);
		user->connected = true;
		room_queries_start(rooms->queries, &user->query, id);
	} else if (!user->connected) {
		leave_absent(rooms, user);
		user->connected = true;
		add_to_all_rooms(rooms, user);
	}
	if (user->query.pending)
		hold_welcome(rooms, user);
	return !user->query.pending;
}

void rooms_user_disconnected(struct rooms *rooms, uint64_t id)
{
	struct user *user = find_user(rooms, id);

	if (!user || !user->connected)
		return;
	remove_from_all_rooms(rooms, user);
	user->connected = false;
	if (!user->query.pending && !user->recheck) {
		enter_absent(rooms, user);
		return;
	}
	stop_holding(rooms, user);
	room_queries_stop(rooms->queries, &user->query);
	drop_user(rooms, user);
}

/* --- statements about users and rooms ------------------------------------ */

/*
 * The user is, or is not, a member since the entry `seq`, and sees the entries
 * after `from`.
 */
static void apply(struct rooms *rooms, struct user *user, uint64_t room,
                  uint64_t seq, uint64_t from, bool member)
{
	struct membership *membership =
		memberships_find(&user->memberships, room);
	bool was_member, moves;

	if (membership && membership->seq >= seq)
		return;
	if (!membership)
		membership = memberships_insert(&user->memberships, room);
	was_member = membership_active(membership);
	/* A user who left and rejoined is known only by the later `from`. */
	moves = was_member != member || membership->from != from;
	if (receives_rooms(user) && was_member && moves)
		remove_from_room(rooms, user, membership);
	membership->seq = seq;
	membership->from = from;
	membership->left_s = member ? 0 : (uint32_t)clock_mono_s() + 1;
	if (receives_rooms(user) && member && moves)
		add_to_room(rooms, user, membership);
}

/* --- blockers ------------------------------------------------------------ */

bool rooms_blockers_known(const struct rooms *rooms, uint64_t id)
{
	const struct user *user = find_any(rooms, id);

	return !user || user->blockers_number;
}

bool rooms_blocked(const struct rooms *rooms, uint64_t id, uint64_t by)
{
	const struct user *user = find_any(rooms, id);

	return user && blockers_have(&user->blockers, by);
}

/*
 * The record may be late, so it says only that the blockers may have changed:
 * persistence is asked again.
 */
void rooms_blockers_changed(struct rooms *rooms, uint64_t id)
{
	struct user *user = find_user(rooms, id);

	if (!user)
		return;
	if (!user->connected) {
		leave_absent(rooms, user);
		drop_user(rooms, user);
		return;
	}
	if (!user->recheck)
		user->recheck = mem_new(sizeof(*user->recheck));
	if (user->blockers.count <= ROOMS_BLOCKERS_MANY)
		room_queries_start(rooms->queries, user->recheck, id);
	else
		room_queries_start_later(rooms->queries, user->recheck, id, 1);
}

/* Answers may arrive in another order than their queries were sent. */
static void set_blockers(struct rooms *rooms, struct user *user,
                         uint64_t number, struct span list)
{
	if (number < user->blockers_number)
		return;
	user->blockers_number = number;
	blockers_read(&user->blockers, list);
	rooms->options.blockers_known(rooms->options.context, user->id);
}

/* --- answers ------------------------------------------------------------- */

static bool is_in_a_room(const struct user *user)
{
	for (uint32_t i = 0; i < user->memberships.count; i++)
		if (membership_active(&user->memberships.list[i]))
			return true;
	return false;
}

static void take_rooms(struct rooms *rooms, struct user *user, struct span list)
{
	const struct rooms_options *options = &rooms->options;
	uint64_t id = user->id;
	uint64_t room, seq, from;

	while (event_rooms_next(&list, &room, &seq, &from))
		apply(rooms, user, room, seq, from, true);
	stop_holding(rooms, user);
	room_queries_stop(rooms->queries, &user->query);
	add_to_all_rooms(rooms, user);
	if (is_in_a_room(user))
		options->welcomed_early(options->context, id);
	options->welcome(options->context, id);
}

static bool is_rechecked(const struct user *user, uint64_t number)
{
	return user->recheck && room_queries_is_answer(user->recheck, number);
}

static void take_answer(struct rooms *rooms, struct user *user, uint64_t number,
                        struct span list, struct span blockers)
{
	bool asked = room_queries_is_answer(&user->query, number);
	bool rechecked = is_rechecked(user, number);

	if (asked || rechecked)
		set_blockers(rooms, user, number, blockers);
	if (rechecked)
		stop_recheck(rooms, user);
	if (asked)
		take_rooms(rooms, user, list);
}

static struct user *find_answered(struct rooms *rooms, uint64_t number,
                                  uint64_t id)
{
	struct user *user = find_user(rooms, id);

	return user && room_queries_is_answer(&user->query, number) ? user
	                                                            : NULL;
}

/*
 * A late record of a process that was stopped may say that a user has joined a
 * room; the answer says that the user has left it since. Only for users whose
 * query is pending: the others get the frame about their leaving first.
 */
static void take_departures(struct rooms *rooms, uint64_t number,
                            struct span answer)
{
	struct span list, ignored;
	uint64_t id, room, seq, from;

	while (event_answer_next(&answer, &id, &list, &ignored))
		;
	while (event_departures_next(&answer, &id, &list)) {
		struct user *user = find_answered(rooms, number, id);

		for (unsigned i = 0;
		     user && i < MEMBERSHIPS_LEFT_MAX / 2 &&
		     event_rooms_next(&list, &room, &seq, &from);
		     i++)
			apply(rooms, user, room, seq, from, false);
	}
}

void rooms_answered(struct rooms *rooms, uint64_t number, struct span answer)
{
	struct span list, blockers;
	uint64_t id;

	take_departures(rooms, number, answer);
	while (event_answer_next(&answer, &id, &list, &blockers)) {
		struct user *user = find_user(rooms, id);

		if (user)
			take_answer(rooms, user, number, list, blockers);
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

bool rooms_joined_after(struct rooms *rooms, uint64_t id, uint64_t conversation,
                        uint64_t seq)
{
	const struct user *user = find_user(rooms, id);
	const struct membership *membership =
		user ? memberships_find(&user->memberships, conversation)
		     : NULL;

	return membership && membership_active(membership) &&
	       membership->seq > seq;
}

static void renew_more(struct rooms *rooms)
{
	for (unsigned i = 0; i < ROOMS_RENEWED_PER_STEP && rooms->renewed_next;
	     i++) {
		struct user *user = rooms->renewed_next;

		rooms->renewed_next = user->hh.next;
		(void)renew(rooms, user);
	}
	room_members_free_cleared(rooms->members, ROOMS_RENEWED_PER_STEP);
}

void rooms_invalidate_all(struct rooms *rooms)
{
	rooms->epoch++;
	rooms->renewed_next = rooms->users;
	room_members_clear(rooms->members);
	renew_more(rooms);
}

/* --- fan-out ------------------------------------------------------------- */

void rooms_each_member(struct rooms *rooms, uint64_t conversation,
                       uint32_t partition, uint64_t seq,
                       void (*each)(void *context, uint64_t user),
                       void *context)
{
	room_members_each(rooms->members, conversation, partition, seq, each,
	                  context);
}

/* --- time ---------------------------------------------------------------- */

void rooms_flush(struct rooms *rooms)
{
	room_queries_flush(rooms->queries);
}

void rooms_tick(struct rooms *rooms)
{
	uint64_t now_ms = clock_mono_ms();

	renew_more(rooms);
	for (unsigned i = 0;
	     i < ROOMS_WELCOMES_PER_STEP && rooms->welcome_held &&
	     rooms->welcome_held->hold_until_ms <= now_ms;
	     i++) {
		struct user *user = rooms->welcome_held;

		stop_holding(rooms, user);
		rooms->options.welcome(rooms->options.context, user->id);
	}
	room_queries_tick(rooms->queries);
}

uint32_t rooms_count(const struct rooms *rooms)
{
	return room_members_rooms(rooms->members);
}

uint32_t rooms_pending_users(const struct rooms *rooms)
{
	return room_queries_pending(rooms->queries);
}
