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
struct place {
	uint64_t room;
	uint64_t seq;
	uint64_t from;   /* sees the entries behind that one */
	uint32_t left_s; /* 0: is in it */
	uint32_t seat;   /* of a user who is here and in it */
};

struct user {
	uint64_t id;
	uint32_t partition;
	bool here;
	bool known;
	bool held;   /* in `held`: sockets wait for `welcome` */
	bool queued; /* in `queued`: the next question is about them, too */
	bool out;    /* a question is out, and was not asked again yet */
	unsigned asked;
	uint64_t since; /* the first question since the user is here; 0: none */
	struct place *places; /* by room */
	uint32_t count;
	uint32_t capacity;
	uint64_t *blockers; /* in no order: few have any */
	uint32_t blocker_count;
	uint32_t blocker_capacity;
	uint64_t hold_until_ms;
	struct wheel_item again;
	struct user *prev, *next; /* in `held`, or in `absent` */
	struct user *queue_prev, *queue_next;
	UT_hash_handle hh;
};

struct rooms {
	struct rooms_options options;
	struct user *users;
	struct seats *seats;
	struct user *held;   /* oldest first */
	struct user *absent; /* longest first */
	uint32_t absent_count;
	uint32_t asking;
	struct user *queued; /* oldest first */
	uint32_t queued_count;
	uint32_t out;
	struct buf asked; /* the users of a question */
	uint64_t number;  /* of the last question */
	struct wheel wheel;
};

static uint64_t now_s(void)
{
	return clock_mono_ms() / 1000;
}

struct rooms *rooms_create(const struct rooms_options *options)
{
	struct rooms *rooms = mem_new(sizeof(*rooms));

	rooms->options = *options;
	rooms->seats = seats_create(options->partitions);
	rooms->asked = BUF(SAVE_USERS_MAX * USER_TEXT_MAX);
	wheel_start(&rooms->wheel, now_s());
	return rooms;
}

static struct user *find_user(const struct rooms *rooms, uint64_t id)
{
	struct user *user;

	HASH_FIND(hh, rooms->users, &id, sizeof(id), user);
	return user;
}

/* --- a user's places ----------------------------------------------------- */

/* Where the room is in the user's list, or belongs. */
static uint32_t place_at(const struct user *user, uint64_t room)
{
	uint32_t low = 0;
	uint32_t high = user->count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (user->places[middle].room < room)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct place *find_place(const struct user *user, uint64_t room)
{
	uint32_t at = place_at(user, room);

	return at < user->count && user->places[at].room == room
	               ? &user->places[at]
	               : NULL;
}

static void take_seat(struct rooms *rooms, struct user *user,
                      struct place *place)
{
	place->seat = seats_take(rooms->seats, place->room, user->partition,
	                         user->id, place->from);
}

static void leave_seat(struct rooms *rooms, struct user *user,
                       const struct place *place)
{
	uint64_t moved = seats_leave(rooms->seats, place->room, user->partition,
	                             place->seat);

	if (moved)
		find_place(find_user(rooms, moved), place->room)->seat =
			place->seat;
}

/*
 * Of somebody of whom not all rooms are known none counts: of a room that a
 * change has told of they would hear the later entries without the earlier.
 */
static bool is_seated(const struct user *user)
{
	return user->here && user->known;
}

static void take_all_seats(struct rooms *rooms, struct user *user)
{
	for (uint32_t i = 0; i < user->count; i++) {
		if (!user->places[i].left_s)
			take_seat(rooms, user, &user->places[i]);
	}
}

static void leave_all_seats(struct rooms *rooms, struct user *user)
{
	if (!is_seated(user))
		return;
	for (uint32_t i = 0; i < user->count; i++) {
		if (!user->places[i].left_s)
			leave_seat(rooms, user, &user->places[i]);
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
	mem_free(&user->places);
	mem_free(&user->blockers);
	mem_free(&user);
}

static void stop_holding(struct rooms *rooms, struct user *user)
{
	if (user->held)
		DL_DELETE(rooms->held, user);
	user->held = false;
}

static void leave_queue(struct rooms *rooms, struct user *user)
{
	if (!user->queued)
		return;
	DL_DELETE2(rooms->queued, user, queue_prev, queue_next);
	rooms->queued_count--;
	user->queued = false;
}

static void set_out(struct rooms *rooms, struct user *user, bool out)
{
	rooms->out = rooms->out + out - user->out;
	user->out = out;
}

static void stop_asking(struct rooms *rooms, struct user *user)
{
	stop_holding(rooms, user);
	leave_queue(rooms, user);
	set_out(rooms, user, false);
	wheel_clear(&rooms->wheel, &user->again);
	rooms->asking--;
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
	seats_destroy(&r->seats);
	buf_free(&r->asked);
	mem_free(rooms);
}

/* --- asking -------------------------------------------------------------- */

/* What was asked before is not waited for any more. */
static void enter_queue(struct rooms *rooms, struct user *user)
{
	set_out(rooms, user, false);
	if (user->queued)
		return;
	DL_APPEND2(rooms->queued, user, queue_prev, queue_next);
	rooms->queued_count++;
	user->queued = true;
}

static void ask_again(void *context, struct wheel_item *item)
{
	enter_queue(context, CONTAINER_OF(item, struct user, again));
}

static void set_again(struct rooms *rooms, struct user *user)
{
	uint64_t more_ms = backoff_ms(user->asked++, ROOMS_ASK_S * 1000,
	                              (ROOMS_ASK_MAX_S - ROOMS_ASK_S) * 1000);

	wheel_set(&rooms->wheel, &user->again,
	          now_s() + ROOMS_ASK_S + more_ms / 1000);
}

/* About the oldest who wait for it. */
static void ask(struct rooms *rooms)
{
	uint64_t first = rooms->queued->id;

	rooms->number++;
	buf_clear(&rooms->asked);
	for (unsigned i = 0; rooms->queued && i < SAVE_USERS_MAX; i++) {
		struct user *user = rooms->queued;

		leave_queue(rooms, user);
		set_out(rooms, user, true);
		set_again(rooms, user);
		if (!user->since)
			user->since = rooms->number;
		event_key_add(&rooms->asked, user->id);
	}
	rooms->options.ask(rooms->options.context, rooms->number, first,
	                   buf_span(&rooms->asked));
}

void rooms_flush(struct rooms *rooms)
{
	while (rooms->queued &&
	       (!rooms->out || rooms->queued_count >= SAVE_USERS_MAX))
		ask(rooms);
}

static void hold(struct rooms *rooms, struct user *user)
{
	if (user->held)
		return;
	user->held = true;
	user->hold_until_ms = clock_mono_ms() + ROOMS_WAIT_MS;
	DL_APPEND(rooms->held, user);
}

static void arrive(struct rooms *rooms, struct user *user)
{
	user->here = true;
	if (user->known) {
		leave_absent(rooms, user);
		take_all_seats(rooms, user);
		return;
	}
	user->asked = 0;
	user->since = 0;
	rooms->asking++;
	enter_queue(rooms, user);
}

bool rooms_enter(struct rooms *rooms, uint64_t id)
{
	struct user *user = find_user(rooms, id);

	if (!user)
		user = make_user(rooms, id);
	if (!user->here)
		arrive(rooms, user);
	if (!user->known)
		hold(rooms, user);
	return user->known;
}

void rooms_leave(struct rooms *rooms, uint64_t id)
{
	struct user *user = find_user(rooms, id);

	if (!user || !user->here)
		return;
	leave_all_seats(rooms, user);
	user->here = false;
	if (user->known) {
		enter_absent(rooms, user);
		return;
	}
	stop_asking(rooms, user);
	drop_user(rooms, user);
}

/* --- what is said of users and rooms ------------------------------------- */

/* Who has left long ago: no late word of the time before comes any more. */
static void sweep(struct user *user)
{
	uint64_t now = now_s();
	uint32_t kept = 0;

	for (uint32_t i = 0; i < user->count; i++) {
		const struct place *place = &user->places[i];

		if (!place->left_s || place->left_s + ROOMS_LEFT_S > now)
			user->places[kept++] = *place;
	}
	user->count = kept;
}

static struct place *insert_place(struct user *user, uint64_t room)
{
	uint32_t at;

	if (user->count == user->capacity)
		sweep(user);
	if (user->count == user->capacity) {
		user->capacity = user->capacity ? user->capacity * 2 : 4;
		user->places = mem_resize(
			user->places, user->capacity * sizeof(*user->places));
	}
	at = place_at(user, room);
	memmove(&user->places[at + 1], &user->places[at],
	        (user->count - at) * sizeof(*user->places));
	user->count++;
	user->places[at] =
		(struct place){.room = room, .left_s = 1 /* not in */};
	return &user->places[at];
}

static void say(struct rooms *rooms, struct user *user, uint64_t room,
                uint64_t seq, uint64_t from, bool in)
{
	struct place *place = find_place(user, room);
	bool was_in, moves;

	if (place && place->seq >= seq)
		return;
	if (!place)
		place = insert_place(user, room);
	was_in = !place->left_s;
	/* Who was out in between is told by the later word only. */
	moves = was_in != in || place->from != from;
	if (is_seated(user) && was_in && moves)
		leave_seat(rooms, user, place);
	place->seq = seq;
	place->from = from;
	place->left_s = in ? 0 : (uint32_t)now_s() + 1;
	if (is_seated(user) && in && moves)
		take_seat(rooms, user, place);
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
		say(rooms, user, room, seq, from, true);
	while (event_key_next(&blockers, &by))
		rooms_block(rooms, user->id, by, true);
}

static void take_answer(struct rooms *rooms, struct user *user,
                        struct span list, struct span blockers)
{
	uint64_t id = user->id;

	learn(rooms, user, list, blockers);
	user->known = true;
	take_all_seats(rooms, user);
	stop_asking(rooms, user);
	if (user->count)
		rooms->options.missed(rooms->options.context, id);
	rooms->options.welcome(rooms->options.context, id);
}

void rooms_answered(struct rooms *rooms, uint64_t number, struct span answer)
{
	struct span list, blockers;
	uint64_t id;

	while (event_answer_next(&answer, &id, &list, &blockers)) {
		struct user *user = find_user(rooms, id);

		if (user && !user->known && user->since &&
		    number >= user->since)
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
			say(rooms, user, change->conversation, change->seq,
			    from, change->sign == '+');
	}
}

static void doubt(struct rooms *rooms, struct user *user)
{
	leave_all_seats(rooms, user);
	user->count = 0;
	rooms->asking += user->known;
	user->known = false;
	user->asked = 0;
	user->since = 0;
	enter_queue(rooms, user);
}

void rooms_doubt_all(struct rooms *rooms)
{
	while (rooms->absent) {
		struct user *user = rooms->absent;

		leave_absent(rooms, user);
		drop_user(rooms, user);
	}
	for (struct user *user = rooms->users; user; user = user->hh.next)
		doubt(rooms, user);
}

/* --- fan-out ------------------------------------------------------------- */

bool rooms_has(const struct rooms *rooms, uint64_t conversation,
               uint32_t partition)
{
	return seats_any(rooms->seats, conversation, partition);
}

void rooms_each(struct rooms *rooms, uint64_t conversation, uint32_t partition,
                uint64_t seq, void (*each)(void *context, uint64_t user),
                void *context)
{
	seats_each(rooms->seats, conversation, partition, seq, each, context);
}

/* --- time ---------------------------------------------------------------- */

void rooms_tick(struct rooms *rooms)
{
	uint64_t now_ms = clock_mono_ms();

	while (rooms->held && rooms->held->hold_until_ms <= now_ms) {
		struct user *user = rooms->held;

		stop_holding(rooms, user);
		rooms->options.welcome(rooms->options.context, user->id);
	}
	wheel_turn(&rooms->wheel, now_ms / 1000, ask_again, rooms);
	while (rooms->queued)
		ask(rooms);
}

uint32_t rooms_count(const struct rooms *rooms)
{
	return seats_rooms(rooms->seats);
}

uint32_t rooms_asking(const struct rooms *rooms)
{
	return rooms->asking;
}
