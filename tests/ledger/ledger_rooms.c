#include "tests/ledger/ledger_rooms.h"
#include "client-test/client/loop_timer.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"

#include <stdio.h>

enum { AGAIN_MS = 300, PATH_LONGEST = 128, BODY_LONGEST = 4096, WHY_MAX = 256 };

enum move { MOVE_MAKE, MOVE_JOIN, MOVE_INVITE, MOVE_LEAVE, MOVE_REMOVE };

/* A room, and the one call about it that is under way. */
struct place {
	struct ledger_rooms *rooms;
	unsigned room;
	unsigned users[LEDGER_SEATS_MAX]; /* the owner first */
	unsigned count;
	bool channel;
	struct uuid uuid; /* of its making */
	bool made;
	bool busy;
	enum move move;
	unsigned user; /* who comes or goes */
	unsigned tries;
	struct loop_timer *again;
};

struct ledger_rooms {
	struct ledger_rooms_setup setup;
	struct place *places;
	unsigned made;
	uint64_t next_us; /* when the next comes or goes; 0: not begun */
	char refusal[WHY_MAX];
};

uint64_t ledger_draw(uint64_t *random, uint64_t below)
{
	uint64_t x = *random += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return (x ^ x >> 31) % below;
}

/* --- calls -----------------------------------------------------------------
 */
static uint64_t id_of(const struct place *place, unsigned user)
{
	return ledger_book_id(place->rooms->setup.book, user);
}

static void name_of(const struct place *place, char *to, size_t size)
{
	(void)snprintf(to, size, "ledger-%016llx-%u", place->rooms->setup.run,
	               place->room);
}

static void write_making(const struct place *place, struct buf *body)
{
	struct json_writer w = json_writer(body);
	unsigned size = place->rooms->setup.size;
	char uuid[UUID_TEXT_LEN + 1], name[64];

	uuid_format(&place->uuid, uuid);
	name_of(place, name, sizeof(name));
	json_open(&w);
	json_text(&w, "kind", place->channel ? SPAN("channel") : SPAN("group"));
	json_text(&w, "name", span_of(name));
	json_open_array(&w, "users");
	for (unsigned i = 1; i < size && i < place->count; i++)
		json_number(&w, NULL, id_of(place, place->users[i]));
	json_close_array(&w);
	json_text(&w, "uuid", span_of(uuid));
	json_close(&w);
}

static void write_invitation(const struct place *place, struct buf *body)
{
	struct json_writer w = json_writer(body);

	json_open(&w);
	json_open_array(&w, "users");
	json_number(&w, NULL, id_of(place, place->user));
	json_close_array(&w);
	json_close(&w);
}

static void answered(void *context, const struct rest_answer *answer);

/* Who asks: the owner, or who comes and goes. */
static unsigned asker(const struct place *place)
{
	bool own = place->move == MOVE_JOIN || place->move == MOVE_LEAVE;

	return own ? place->user : place->users[0];
}

static void call(void *context)
{
	struct place *place = context;
	const struct ledger_rooms_setup *setup = &place->rooms->setup;
	unsigned long long id = ledger_book_room_id(setup->book, place->room);
	struct buf path CLEANUP(buf_free) = BUF(PATH_LONGEST);
	struct buf body CLEANUP(buf_free) = BUF(BODY_LONGEST);

	place->tries++;
	if (place->move == MOVE_MAKE) {
		buf_append(&path, SPAN("/conversations"));
		write_making(place, &body);
	} else {
		ledger_book_moving(setup->book, place->room, place->user);
		buf_format(&path, "/conversations/%llu", id);
	}
	if (place->move == MOVE_JOIN)
		buf_append(&path, SPAN("/join"));
	if (place->move == MOVE_LEAVE)
		buf_append(&path, SPAN("/leave"));
	if (place->move == MOVE_INVITE || place->move == MOVE_REMOVE)
		buf_append(&path, SPAN("/members"));
	if (place->move == MOVE_INVITE)
		write_invitation(place, &body);
	if (place->move == MOVE_REMOVE)
		buf_format(&path, "/%llu",
		           (unsigned long long)id_of(place, place->user));
	rest_call(setup->rest, ledger_user_token(setup->users[asker(place)]),
	          place->move == MOVE_REMOVE ? "DELETE" : "POST",
	          buf_text(&path), buf_span(&body), answered, place);
}

static void start(struct place *place, enum move move)
{
	place->move = move;
	place->tries = 0;
	place->busy = true;
	call(place);
}

/* --- answers ---------------------------------------------------------------
 */
static void take_made(struct place *place, const struct json *json)
{
	struct ledger_rooms *rooms = place->rooms;
	uint64_t id;

	if (!json_get_id(json, "id", &id)) {
		(void)snprintf(rooms->refusal, sizeof(rooms->refusal),
		               "a room that was made has no id");
		return;
	}
	place->made = true;
	rooms->made++;
	ledger_book_room_made(rooms->setup.book, place->room, id,
	                      clock_mono_us());
}

static void take_done(struct place *place, const struct json *json)
{
	place->busy = false;
	if (place->move == MOVE_MAKE)
		take_made(place, json);
	else if (place->move == MOVE_JOIN || place->move == MOVE_INVITE)
		ledger_book_came(place->rooms->setup.book, place->room,
		                 place->user, clock_mono_us());
}

/* Another try found that the first one had done it. */
static bool was_done_before(const struct place *place, enum status status)
{
	if (place->tries < 2)
		return false;
	if (place->move == MOVE_JOIN || place->move == MOVE_INVITE)
		return status == ST_CONFLICT;
	return place->move != MOVE_MAKE && status == ST_NOT_FOUND;
}

static void refuse(struct place *place, const struct rest_answer *answer)
{
	static const char *const moves[] = {"making a room", "joining",
	                                    "inviting", "leaving", "removing"};

	place->busy = false;
	(void)snprintf(place->rooms->refusal, WHY_MAX, "%s was refused: %.*s",
	               moves[place->move], (int)answer->why.len,
	               answer->why.len ? answer->why.data : "");
}

static void answered(void *context, const struct rest_answer *answer)
{
	struct place *place = context;
	struct ledger_user *const *users = place->rooms->setup.users;

	if (answer->status == ST_OK || was_done_before(place, answer->status)) {
		take_done(place, answer->json);
	} else if (answer->status == ST_UNAVAILABLE ||
	           answer->status == ST_BUSY) {
		loop_timer_start(place->again, AGAIN_MS);
	} else if (answer->status == ST_DENIED) {
		ledger_user_sign_in(users[asker(place)]);
		loop_timer_start(place->again, AGAIN_MS);
	} else {
		refuse(place, answer);
	}
}

/* --- making them -----------------------------------------------------------
 */
static void seat_people(struct ledger_rooms *rooms, struct place *place)
{
	const struct ledger_rooms_setup *setup = &rooms->setup;
	unsigned first = place->room * setup->user_count / setup->count;
	unsigned count = 2 * setup->size;

	if (count > setup->user_count)
		count = setup->user_count;
	if (count > LEDGER_SEATS_MAX)
		count = LEDGER_SEATS_MAX;
	place->count = count;
	for (unsigned i = 0; i < count; i++)
		place->users[i] = (first + i) % setup->user_count;
}

static void plan_room(struct ledger_rooms *rooms, unsigned number)
{
	const struct ledger_rooms_setup *setup = &rooms->setup;
	struct place *place = &rooms->places[number];
	struct ledger_room_plan plan;
	char name[64];

	place->rooms = rooms;
	place->room = number;
	place->channel = number % 2;
	seat_people(rooms, place);
	uuid_make(&place->uuid);
	place->again = loop_timer_create(setup->loop, call, place);
	name_of(place, name, sizeof(name));
	plan = (struct ledger_room_plan){
		.name = name,
		.all = place->channel,
		.users = place->users,
		.count = place->count,
		.members =
			setup->size < place->count ? setup->size : place->count,
	};
	(void)ledger_book_room(setup->book, &plan);
}

struct ledger_rooms *ledger_rooms_create(const struct ledger_rooms_setup *setup)
{
	struct ledger_rooms *rooms = mem_new(sizeof(*rooms));

	rooms->setup = *setup;
	rooms->places = mem_new((setup->count + 1) * sizeof(*rooms->places));
	for (unsigned i = 0; i < setup->count; i++)
		plan_room(rooms, i);
	return rooms;
}

void ledger_rooms_destroy(struct ledger_rooms **rooms_at)
{
	struct ledger_rooms *rooms = MOVE(*rooms_at);

	if (!rooms)
		return;
	for (unsigned i = 0; i < rooms->setup.count; i++)
		loop_timer_destroy(&rooms->places[i].again);
	mem_free(&rooms->places);
	mem_free(&rooms);
}

static bool are_signed_in(const struct place *place)
{
	for (unsigned i = 0; i < place->count; i++) {
		if (!id_of(place, place->users[i]))
			return false;
	}
	return true;
}

void ledger_rooms_make(struct ledger_rooms *rooms)
{
	for (unsigned i = 0; i < rooms->setup.count; i++) {
		struct place *place = &rooms->places[i];

		if (!place->made && !place->busy && !*rooms->refusal &&
		    are_signed_in(place))
			start(place, MOVE_MAKE);
	}
}

bool ledger_rooms_made(const struct ledger_rooms *rooms)
{
	return rooms->made == rooms->setup.count;
}

const char *ledger_rooms_refusal(const struct ledger_rooms *rooms)
{
	return *rooms->refusal ? rooms->refusal : NULL;
}

/* --- coming and going ------------------------------------------------------
 */
static void move_somebody(struct ledger_rooms *rooms)
{
	const struct ledger_rooms_setup *setup = &rooms->setup;
	struct place *place =
		&rooms->places[ledger_draw(setup->random, setup->count)];
	bool by_owner = ledger_draw(setup->random, 2);

	if (place->busy || place->count < 2)
		return;
	place->user =
		place->users[1 + ledger_draw(setup->random, place->count - 1)];
	if (ledger_book_in(setup->book, place->room, place->user))
		start(place, by_owner ? MOVE_REMOVE : MOVE_LEAVE);
	else
		start(place,
		      by_owner || !place->channel ? MOVE_INVITE : MOVE_JOIN);
}

void ledger_rooms_tick(struct ledger_rooms *rooms, uint64_t now_us)
{
	const struct ledger_rooms_setup *setup = &rooms->setup;

	if (!setup->churn || !setup->count)
		return;
	if (!rooms->next_us)
		rooms->next_us = now_us;
	while (rooms->next_us <= now_us) {
		rooms->next_us += 60000000 / setup->churn;
		move_somebody(rooms);
	}
}

bool ledger_rooms_idle(const struct ledger_rooms *rooms)
{
	for (unsigned i = 0; i < rooms->setup.count; i++) {
		if (rooms->places[i].busy)
			return false;
	}
	return true;
}

unsigned ledger_rooms_member(const struct ledger_rooms *rooms, unsigned room,
                             uint64_t random)
{
	const struct place *place = &rooms->places[room];

	for (unsigned i = 0; i < place->count; i++) {
		unsigned user = place->users[(random + i) % place->count];

		if (ledger_book_in(rooms->setup.book, room, user))
			return user;
	}
	return place->users[0];
}
