#include "tests/ledger/clients/room_churn.h"
#include "client-test/client/loop_timer.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "tests/ledger/clients/seeded_random.h"
#include "tests/ledger/judge/ledger.h"
#include "tests/ledger/judge/rooms.h"

#include <stdio.h>

enum { AGAIN_MS = 300, PATH_LONGEST = 128, BODY_LONGEST = 4096, WHY_MAX = 256 };

enum action {
	ACTION_CREATE,
	ACTION_JOIN,
	ACTION_INVITE,
	ACTION_LEAVE,
	ACTION_REMOVE
};

/* A room, and the one call about it that is under way. */
struct room {
	struct room_churn *churn;
	unsigned number;
	unsigned users[LEDGER_ROOM_MEMBERS_MAX]; /* the owner first */
	unsigned count;
	bool channel;
	struct uuid uuid; /* of its creation */
	bool created;
	bool busy;
	enum action action;
	unsigned user; /* who joins or leaves */
	unsigned tries;
	struct loop_timer *again;
};

struct room_churn {
	struct room_churn_config config;
	struct room *rooms;
	unsigned created;
	uint64_t next_us; /* of the next change; 0: the churn has not begun */
	char error[WHY_MAX];
};

/* --- calls --------------------------------------------------------------- */
static uint64_t id_of(const struct room *room, unsigned user)
{
	return ledger_user_id(room->churn->config.ledger, user);
}

static void name_of(const struct room *room, char *to, size_t size)
{
	(void)snprintf(to, size, "ledger-%016llx-%u", room->churn->config.run,
	               room->number);
}

static void write_creation(const struct room *room, struct buf *body)
{
	struct json_writer w = json_writer(body);
	unsigned size = room->churn->config.room_size;
	char uuid[UUID_TEXT_LEN + 1], name[64];

	uuid_format(&room->uuid, uuid);
	name_of(room, name, sizeof(name));
	json_open(&w);
	json_text(&w, "kind", room->channel ? SPAN("channel") : SPAN("group"));
	json_text(&w, "name", span_of(name));
	json_open_array(&w, "users");
	for (unsigned i = 1; i < size && i < room->count; i++)
		json_number(&w, NULL, id_of(room, room->users[i]));
	json_close_array(&w);
	json_text(&w, "uuid", span_of(uuid));
	json_close(&w);
}

static void answered(void *context, const struct rest_answer *answer);

/* The user who makes the call: the owner, or the one who joins or leaves. */
static unsigned acting_user(const struct room *room)
{
	bool own = room->action == ACTION_JOIN || room->action == ACTION_LEAVE;

	return own ? room->user : room->users[0];
}

static void call(void *context)
{
	struct room *room = context;
	const struct room_churn_config *config = &room->churn->config;
	unsigned long long id =
		rooms_conversation(config->ledger, room->number);
	struct buf path CLEANUP(buf_free) = BUF(PATH_LONGEST);
	struct buf body CLEANUP(buf_free) = BUF(BODY_LONGEST);

	room->tries++;
	if (room->action == ACTION_CREATE) {
		buf_append(&path, SPAN("/conversations"));
		write_creation(room, &body);
	} else {
		rooms_membership_changing(config->ledger, room->number,
		                          room->user);
		buf_format(&path, "/conversations/%llu", id);
	}
	if (room->action == ACTION_JOIN)
		buf_append(&path, SPAN("/join"));
	if (room->action == ACTION_LEAVE)
		buf_append(&path, SPAN("/leave"));
	if (room->action == ACTION_INVITE) {
		struct json_writer w = json_writer(&body);

		buf_append(&path, SPAN("/members"));
		json_open(&w);
		json_open_array(&w, "users");
		json_number(&w, NULL, id_of(room, room->user));
		json_close_array(&w);
		json_close(&w);
	}
	if (room->action == ACTION_REMOVE)
		buf_format(&path, "/members/%llu",
		           (unsigned long long)id_of(room, room->user));
	rest_call(config->rest, user_token(config->users[acting_user(room)]),
	          room->action == ACTION_REMOVE ? "DELETE" : "POST",
	          buf_text(&path), buf_span(&body), answered, room);
}

static void start(struct room *room, enum action action)
{
	room->action = action;
	room->tries = 0;
	room->busy = true;
	if (action != ACTION_CREATE)
		rooms_membership_begins(
			room->churn->config.ledger, room->number, room->user,
			action == ACTION_JOIN || action == ACTION_INVITE,
			clock_mono_us());
	call(room);
}

/* --- answers ------------------------------------------------------------- */
static void room_created(struct room *room, const struct json *json)
{
	struct room_churn *churn = room->churn;
	uint64_t id;

	if (!json_get_id(json, "id", &id)) {
		(void)snprintf(churn->error, sizeof(churn->error),
		               "a created room has no id");
		return;
	}
	room->created = true;
	churn->created++;
	rooms_created(churn->config.ledger, room->number, id, clock_mono_us());
}

static void call_done(struct room *room, const struct json *json)
{
	room->busy = false;
	if (room->action == ACTION_CREATE)
		room_created(room, json);
	else if (room->action == ACTION_JOIN || room->action == ACTION_INVITE)
		rooms_member_joined(room->churn->config.ledger, room->number,
		                    room->user, clock_mono_us());
}

/* An earlier call had succeeded, or was carried out late. */
static bool was_done_before(const struct room *room, enum status status)
{
	if (room->tries < 2 && (room->action == ACTION_CREATE ||
	                        !rooms_is_doubtful(room->churn->config.ledger,
	                                           room->number, room->user)))
		return false;
	if (room->action == ACTION_JOIN || room->action == ACTION_INVITE)
		return status == ST_CONFLICT;
	return room->action != ACTION_CREATE && status == ST_NOT_FOUND;
}

/* The service itself answers 503; the balancer 502 and 504. */
static bool is_lost(const struct room *room, const struct rest_answer *answer)
{
	return room->action != ACTION_CREATE &&
	       answer->status == ST_UNAVAILABLE && answer->http != 503;
}

static void note_refused(struct room *room, const struct rest_answer *answer)
{
	static const char *const actions[] = {"creating a room", "joining",
	                                      "inviting", "leaving",
	                                      "removing"};

	room->busy = false;
	(void)snprintf(room->churn->error, WHY_MAX, "%s was refused: %.*s",
	               actions[room->action], (int)answer->why.len,
	               answer->why.len ? answer->why.data : "");
}

static void answered(void *context, const struct rest_answer *answer)
{
	struct room *room = context;
	struct user *const *users = room->churn->config.users;

	if (answer->status == ST_OK || was_done_before(room, answer->status)) {
		call_done(room, answer->json);
	} else if (answer->status == ST_UNAVAILABLE ||
	           answer->status == ST_BUSY) {
		if (is_lost(room, answer))
			rooms_membership_doubtful(room->churn->config.ledger,
			                          room->number, room->user);
		loop_timer_start(room->again, AGAIN_MS);
	} else if (answer->status == ST_DENIED) {
		user_sign_in(users[acting_user(room)]);
		loop_timer_start(room->again, AGAIN_MS);
	} else {
		note_refused(room, answer);
	}
}

/* --- creation ------------------------------------------------------------ */
static void choose_users(struct room_churn *churn, struct room *room)
{
	const struct room_churn_config *config = &churn->config;
	unsigned first = room->number * config->user_count / config->rooms;
	unsigned count = 2 * config->room_size;

	if (count > config->user_count)
		count = config->user_count;
	if (count > LEDGER_ROOM_MEMBERS_MAX)
		count = LEDGER_ROOM_MEMBERS_MAX;
	room->count = count;
	for (unsigned i = 0; i < count; i++)
		room->users[i] = (first + i) % config->user_count;
}

static void set_up_room(struct room_churn *churn, unsigned number)
{
	const struct room_churn_config *config = &churn->config;
	struct room *room = &churn->rooms[number];
	struct ledger_room_config plan;
	char name[64];

	room->churn = churn;
	room->number = number;
	room->channel = number % 2;
	choose_users(churn, room);
	uuid_make(&room->uuid);
	room->again = loop_timer_create(config->loop, call, room);
	name_of(room, name, sizeof(name));
	plan = (struct ledger_room_config){
		.name = name,
		.all = room->channel,
		.users = room->users,
		.count = room->count,
		.initial_count = config->room_size < room->count
	                                 ? config->room_size
	                                 : room->count,
	};
	(void)rooms_add(config->ledger, &plan);
}

struct room_churn *room_churn_create(const struct room_churn_config *config)
{
	struct room_churn *churn = mem_new(sizeof(*churn));

	churn->config = *config;
	churn->rooms = mem_new((config->rooms + 1) * sizeof(*churn->rooms));
	for (unsigned i = 0; i < config->rooms; i++)
		set_up_room(churn, i);
	return churn;
}

void room_churn_destroy(struct room_churn **churn_at)
{
	struct room_churn *churn = MOVE(*churn_at);

	if (!churn)
		return;
	for (unsigned i = 0; i < churn->config.rooms; i++)
		loop_timer_destroy(&churn->rooms[i].again);
	mem_free(&churn->rooms);
	mem_free(&churn);
}

static bool are_signed_in(const struct room *room)
{
	for (unsigned i = 0; i < room->count; i++) {
		if (!id_of(room, room->users[i]))
			return false;
	}
	return true;
}

void room_churn_create_rooms(struct room_churn *churn)
{
	for (unsigned i = 0; i < churn->config.rooms; i++) {
		struct room *room = &churn->rooms[i];

		if (!room->created && !room->busy && !*churn->error &&
		    are_signed_in(room))
			start(room, ACTION_CREATE);
	}
}

bool room_churn_rooms_created(const struct room_churn *churn)
{
	return churn->created == churn->config.rooms;
}

const char *room_churn_error(const struct room_churn *churn)
{
	return *churn->error ? churn->error : NULL;
}

/* --- churn --------------------------------------------------------------- */
static void change_member(struct room_churn *churn)
{
	const struct room_churn_config *config = &churn->config;
	struct room *room = &churn->rooms[seeded_random_below(config->random,
	                                                      config->rooms)];
	bool by_owner = seeded_random_below(config->random, 2);

	if (room->busy || room->count < 2)
		return;
	room->user = room->users[1 + seeded_random_below(config->random,
	                                                 room->count - 1)];
	if (rooms_is_member(config->ledger, room->number, room->user))
		start(room, by_owner ? ACTION_REMOVE : ACTION_LEAVE);
	else
		start(room,
		      by_owner || !room->channel ? ACTION_INVITE : ACTION_JOIN);
}

void room_churn_tick(struct room_churn *churn, uint64_t now_us)
{
	const struct room_churn_config *config = &churn->config;

	if (!config->changes_per_min || !config->rooms)
		return;
	if (!churn->next_us)
		churn->next_us = now_us;
	while (churn->next_us <= now_us) {
		churn->next_us += 60000000 / config->changes_per_min;
		change_member(churn);
	}
}

bool room_churn_idle(const struct room_churn *churn)
{
	for (unsigned i = 0; i < churn->config.rooms; i++) {
		if (churn->rooms[i].busy)
			return false;
	}
	return true;
}

unsigned room_churn_member(const struct room_churn *churn, unsigned number,
                           uint64_t random)
{
	const struct room *room = &churn->rooms[number];

	for (unsigned i = 0; i < room->count; i++) {
		unsigned user = room->users[(random + i) % room->count];

		if (rooms_is_member(churn->config.ledger, number, user))
			return user;
	}
	return room->users[0];
}
