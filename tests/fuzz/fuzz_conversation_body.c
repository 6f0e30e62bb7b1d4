/*
 * Bodies that create and change groups and channels: an accepted body keeps
 * every promise of the header, a refused one gets a reason. Any name can be
 * split into words.
 */
#include "common/base/utf8.h"
#include "common/wire/name.h"
#include "persistence-service/rest/membership/channel_names.h"
#include "persistence-service/rest/membership/conversation_body.h"
#include "tests/fuzz/fuzz.h"

enum { SELF = 1, USERS_MAX = 50 };

static void check_words(struct span name)
{
	size_t at = 0, next;
	unsigned words = 0;

	while (at < name.len) {
		next = channel_names_next_word(name, at);
		must(next > at && next <= name.len);
		must(next == name.len || (name.data[next] & 0xc0) != 0x80);
		at = next;
		words++;
	}
	must(words > 0 && words <= NAME_MAX_POINTS / 2 + 1);
}

static void check_name(struct span name)
{
	struct buf again CLEANUP(buf_free) = BUF(NAME_MAX_BYTES);

	must(name.len <= NAME_MAX_BYTES && !name_read(name, &again));
	must(span_equal(buf_span(&again), name));
	check_words(name);
}

static void check_users(const struct conversation_body *body, uint64_t self)
{
	must(body->user_count <= USERS_MAX);
	for (unsigned i = 0; i < body->user_count; i++) {
		must(body->users[i] > 0 && body->users[i] <= JSON_ID_MAX);
		must(body->users[i] != self);
		for (unsigned j = 0; j < i; j++)
			must(body->users[i] != body->users[j]);
	}
}

static void check(const struct json *json)
{
	struct conversation_body body;

	if (!conversation_body_new(json, SELF, USERS_MAX, &body)) {
		check_name(body.name);
		check_users(&body, SELF);
		must(body.kind == KIND_GROUP || body.kind == KIND_CHANNEL);
		must(conversation_history_word(body.history) != NULL);
	}
	if (!conversation_body_invite(json, USERS_MAX, &body)) {
		check_users(&body, 0);
		must(body.user_count > 0);
	}
	if (!conversation_body_edit(json, &body)) {
		must(body.name.len || body.history);
		if (body.name.len)
			check_name(body.name);
	}
	if (!conversation_body_role(json, &body))
		must(member_role_word(body.role) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json *json CLEANUP(json_destroy) = NULL;
	const char *why;

	if (json_parse_long(span_make(data, size), &json, &why) == ST_OK)
		check(json);
	return 0;
}
