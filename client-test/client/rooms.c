#include "client-test/client/rooms.h"
#include "common/base/buf.h"
#include "common/base/mem.h"

#include <stdio.h>

enum { PATH_LONGEST = 1024, WHY_LONGEST = 1024 };

struct rooms {
	struct rest *rest;
	char *token;
	char *title; /* that is looked for; NULL: one with `with` */
	uint64_t with;
	unsigned hits;
	struct room hit; /* `kind` and `title` point to the two below */
	char *hit_kind;
	char *hit_title;
	struct buf why; /* the ids of all hits */
	rooms_found *found;
	void *context;
};

struct rooms *rooms_create(struct rest *rest)
{
	struct rooms *rooms = mem_new(sizeof(*rooms));

	rooms->rest = rest;
	rooms->why = BUF(WHY_LONGEST);
	return rooms;
}

static void forget(struct rooms *rooms)
{
	mem_free(&rooms->token);
	mem_free(&rooms->title);
	mem_free(&rooms->hit_kind);
	mem_free(&rooms->hit_title);
	buf_clear(&rooms->why);
	rooms->hits = 0;
	rooms->with = 0;
}

void rooms_destroy(struct rooms **rooms)
{
	if (!*rooms)
		return;
	forget(*rooms);
	buf_free(&(*rooms)->why);
	mem_free(rooms);
}

bool room_read(const struct json *json, struct room *ret_room)
{
	struct room room = {.kind = SPAN("direct")};
	const struct json *with = json_get_object(json, "with");

	(void)json_get_text(json, "kind", &room.kind);
	(void)json_get_text(json, "name", &room.title);
	if (with)
		(void)json_get_id(with, "id", &room.with);
	if (!json_get_id(json, "id", &room.id) ||
	    !json_get_id(json, "last_seq", &room.last_seq))
		return false;
	*ret_room = room;
	return true;
}

static void fail(struct rooms *rooms, enum status status, struct span why)
{
	rooms->found(rooms->context, status, NULL, why);
}

/* --- by id -----------------------------------------------------------------
 */
static void answered_one(void *context, const struct rest_answer *answer)
{
	struct rooms *rooms = context;
	struct room room;

	if (answer->status != ST_OK)
		fail(rooms, answer->status, answer->why);
	else if (!room_read(answer->json, &room))
		fail(rooms, ST_UNAVAILABLE, SPAN("the answer is none"));
	else
		rooms->found(rooms->context, ST_OK, &room, SPAN_NONE);
}

static void ask_one(struct rooms *rooms, uint64_t id)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/conversations/%llu",
	               (unsigned long long)id);
	rest_get(rooms->rest, span_of(rooms->token), path, answered_one, rooms);
}

/* --- by title --------------------------------------------------------------
 */
static void answered_list(void *context, const struct rest_answer *answer);

static void hit(struct rooms *rooms, const struct room *room)
{
	if (rooms->hits++)
		buf_append(&rooms->why, SPAN(", "));
	buf_number(&rooms->why, room->id);
	rooms->hit = *room;
	mem_free(&rooms->hit_kind);
	mem_free(&rooms->hit_title);
	rooms->hit_kind = mem_text(room->kind.data, room->kind.len);
	rooms->hit_title = mem_text(room->title.data, room->title.len);
	rooms->hit.kind = span_of(rooms->hit_kind);
	rooms->hit.title = span_of(rooms->hit_title);
}

static void search(struct rooms *rooms, const struct json *page)
{
	const struct json *item;
	struct room room;

	for (unsigned i = 0;
	     (item = json_get_item(page, "conversations", i)) != NULL; i++) {
		if (!room_read(item, &room))
			continue;
		if (rooms->title ? span_equal(room.title, span_of(rooms->title))
		                 : room.with == rooms->with)
			hit(rooms, &room);
	}
}

static void finish(struct rooms *rooms)
{
	if (rooms->hits == 1) {
		rooms->found(rooms->context, ST_OK, &rooms->hit, SPAN_NONE);
	} else if (rooms->hits == 0) {
		fail(rooms, ST_NOT_FOUND,
		     SPAN("you are in no conversation of that name"));
	} else {
		buf_append(&rooms->why, SPAN(" are all called so: say which "
		                             "by its number"));
		fail(rooms, ST_CONFLICT, buf_span(&rooms->why));
	}
}

static void ask_list(struct rooms *rooms, const struct json *page)
{
	struct buf path CLEANUP(buf_free) = BUF(PATH_LONGEST);
	struct span next;
	uint64_t number;

	buf_append(&path, SPAN("/conversations?limit=200"));
	if (page && json_get_id(page, "next", &number))
		buf_format(&path, "&before=%llu", (unsigned long long)number);
	if (page && json_get_text(page, "next", &next)) {
		buf_append(&path, SPAN("&before="));
		rest_escape(&path, next);
	}
	rest_get(rooms->rest, span_of(rooms->token), buf_text(&path),
	         answered_list, rooms);
}

static void answered_list(void *context, const struct rest_answer *answer)
{
	struct rooms *rooms = context;
	enum json_kind next;

	if (answer->status != ST_OK) {
		fail(rooms, answer->status, answer->why);
		return;
	}
	search(rooms, answer->json);
	next = json_kind(answer->json, "next");
	if (next == JSON_NUMBER || next == JSON_TEXT)
		ask_list(rooms, answer->json);
	else
		finish(rooms);
}

/* --- outside ---------------------------------------------------------------
 */
static void begin(struct rooms *rooms, struct span token, rooms_found *found,
                  void *context)
{
	forget(rooms);
	rooms->token = mem_text(token.data, token.len);
	rooms->found = found;
	rooms->context = context;
}

void rooms_find(struct rooms *rooms, struct span token, const char *in,
                rooms_found *found, void *context)
{
	uint64_t id;

	begin(rooms, token, found, context);
	rooms->title = mem_text(in, strlen(in));
	if (span_to_u64(span_of(in), JSON_ID_MAX, &id))
		ask_one(rooms, id);
	else
		ask_list(rooms, NULL);
}

void rooms_find_with(struct rooms *rooms, struct span token, uint64_t user,
                     rooms_found *found, void *context)
{
	begin(rooms, token, found, context);
	rooms->with = user;
	ask_list(rooms, NULL);
}
