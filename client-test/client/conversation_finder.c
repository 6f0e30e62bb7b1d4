#include "client-test/client/conversation_finder.h"
#include "common/base/buf.h"
#include "common/base/mem.h"

#include <stdio.h>

enum { PATH_LONGEST = 1024, WHY_LONGEST = 1024 };

struct conversation_finder {
	struct rest *rest;
	char *token;
	char *title; /* wanted; NULL: the conversation with user `with` */
	uint64_t with;
	unsigned hits;
	struct conversation_info
		hit; /* `kind` and `title` point to the two below */
	char *hit_kind;
	char *hit_title;
	struct buf why; /* the ids of all hits */
	conversation_found *found;
	void *context;
};

struct conversation_finder *conversation_finder_create(struct rest *rest)
{
	struct conversation_finder *finder = mem_new(sizeof(*finder));

	finder->rest = rest;
	finder->why = BUF(WHY_LONGEST);
	return finder;
}

static void reset(struct conversation_finder *finder)
{
	mem_free(&finder->token);
	mem_free(&finder->title);
	mem_free(&finder->hit_kind);
	mem_free(&finder->hit_title);
	buf_clear(&finder->why);
	finder->hits = 0;
	finder->with = 0;
}

void conversation_finder_destroy(struct conversation_finder **finder)
{
	if (!*finder)
		return;
	reset(*finder);
	buf_free(&(*finder)->why);
	mem_free(finder);
}

bool conversation_info_read(const struct json *json,
                            struct conversation_info *ret_room)
{
	struct conversation_info info = {.kind = SPAN("direct")};
	const struct json *with = json_get_object(json, "with");

	(void)json_get_text(json, "kind", &info.kind);
	(void)json_get_text(json, "name", &info.title);
	if (with)
		(void)json_get_id(with, "id", &info.with);
	if (!json_get_id(json, "id", &info.id) ||
	    !json_get_id(json, "last_seq", &info.last_seq))
		return false;
	*ret_room = info;
	return true;
}

static void fail(struct conversation_finder *finder, enum status status,
                 struct span why)
{
	finder->found(finder->context, status, NULL, why);
}

/* --- by id --------------------------------------------------------------- */
static void answered_one(void *context, const struct rest_answer *answer)
{
	struct conversation_finder *finder = context;
	struct conversation_info info;

	if (answer->status != ST_OK)
		fail(finder, answer->status, answer->why);
	else if (!conversation_info_read(answer->json, &info))
		fail(finder, ST_UNAVAILABLE,
		     SPAN("the answer is not a conversation"));
	else
		finder->found(finder->context, ST_OK, &info, SPAN_NONE);
}

static void ask_one(struct conversation_finder *finder, uint64_t id)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/conversations/%llu",
	               (unsigned long long)id);
	rest_get(finder->rest, span_of(finder->token), path, answered_one,
	         finder);
}

/* --- by title ------------------------------------------------------------ */
static void answered_list(void *context, const struct rest_answer *answer);

static void hit(struct conversation_finder *finder,
                const struct conversation_info *info)
{
	if (finder->hits++)
		buf_append(&finder->why, SPAN(", "));
	buf_number(&finder->why, info->id);
	finder->hit = *info;
	mem_free(&finder->hit_kind);
	mem_free(&finder->hit_title);
	finder->hit_kind = mem_text(info->kind.data, info->kind.len);
	finder->hit_title = mem_text(info->title.data, info->title.len);
	finder->hit.kind = span_of(finder->hit_kind);
	finder->hit.title = span_of(finder->hit_title);
}

static void search(struct conversation_finder *finder, const struct json *page)
{
	const struct json *item;
	struct conversation_info info;

	for (unsigned i = 0;
	     (item = json_get_item(page, "conversations", i)) != NULL; i++) {
		if (!conversation_info_read(item, &info))
			continue;
		if (finder->title
		            ? span_equal(info.title, span_of(finder->title))
		            : info.with == finder->with)
			hit(finder, &info);
	}
}

static void finish(struct conversation_finder *finder)
{
	if (finder->hits == 1) {
		finder->found(finder->context, ST_OK, &finder->hit, SPAN_NONE);
	} else if (finder->hits == 0) {
		fail(finder, ST_NOT_FOUND,
		     SPAN("you are in no conversation of that name"));
	} else {
		buf_append(&finder->why, SPAN(" are all called so: say which "
		                              "by its number"));
		fail(finder, ST_CONFLICT, buf_span(&finder->why));
	}
}

static void ask_list(struct conversation_finder *finder,
                     const struct json *page)
{
	struct buf path CLEANUP(buf_free) = BUF(PATH_LONGEST);

	buf_append(&path, SPAN("/conversations?limit=200"));
	if (page) {
		buf_append(&path, SPAN("&before="));
		(void)rest_next_page(page, &path);
	}
	rest_get(finder->rest, span_of(finder->token), buf_text(&path),
	         answered_list, finder);
}

static void answered_list(void *context, const struct rest_answer *answer)
{
	struct conversation_finder *finder = context;
	enum json_kind next;

	if (answer->status != ST_OK) {
		fail(finder, answer->status, answer->why);
		return;
	}
	search(finder, answer->json);
	next = json_kind(answer->json, "next");
	if (next == JSON_NUMBER || next == JSON_TEXT)
		ask_list(finder, answer->json);
	else
		finish(finder);
}

/* --- lookups ------------------------------------------------------------- */
static void begin(struct conversation_finder *finder, struct span token,
                  conversation_found *found, void *context)
{
	reset(finder);
	finder->token = mem_text(token.data, token.len);
	finder->found = found;
	finder->context = context;
}

void conversation_finder_find(struct conversation_finder *finder,
                              struct span token, const char *in,
                              conversation_found *found, void *context)
{
	uint64_t id;

	begin(finder, token, found, context);
	finder->title = mem_text(in, strlen(in));
	if (span_to_u64(span_of(in), JSON_ID_MAX, &id))
		ask_one(finder, id);
	else
		ask_list(finder, NULL);
}

void conversation_finder_find_direct(struct conversation_finder *finder,
                                     struct span token, uint64_t user,
                                     conversation_found *found, void *context)
{
	begin(finder, token, found, context);
	finder->with = user;
	ask_list(finder, NULL);
}
