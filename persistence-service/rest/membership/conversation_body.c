#include "persistence-service/rest/membership/conversation_body.h"

#include <assert.h>
#include <string.h>

static bool is_present(const struct json *json, const char *name)
{
	return json_kind(json, name) != JSON_ABSENT;
}

/* --- members ------------------------------------------------------------- */
static const char *read_kind(const struct json *json,
                             struct conversation_body *body)
{
	struct span word;

	if (!json_get_text(json, "kind", &word) ||
	    !conversation_kind_read(word, &body->kind))
		return "kind must be \"group\" or \"channel\"";
	return NULL;
}

static const char *read_name(const struct json *json,
                             struct conversation_body *body)
{
	struct buf name CLEANUP(buf_free) = BUF(NAME_MAX_BYTES);
	struct span text;
	const char *fault;

	if (!json_get_text(json, "name", &text))
		return "name must be present and a string";
	fault = name_read(text, &name);
	if (fault)
		return fault;
	memcpy(body->name_bytes, name.data, name.len);
	body->name = span_make(body->name_bytes, name.len);
	return NULL;
}

static const char *read_history(const struct json *json,
                                struct conversation_body *body)
{
	struct span word;

	if (!is_present(json, "history"))
		return NULL;
	if (!json_get_text(json, "history", &word) ||
	    !conversation_history_read(word, &body->history))
		return "history must be \"all\" or \"joined\"";
	return NULL;
}

static const char *read_uuid(const struct json *json,
                             struct conversation_body *body)
{
	struct span text;

	body->has_uuid = is_present(json, "uuid");
	if (!body->has_uuid)
		return NULL;
	if (!json_get_text(json, "uuid", &text) ||
	    !uuid_parse(text, &body->uuid))
		return "uuid must be a UUID in the format of RFC 9562";
	return NULL;
}

static void add_user(struct conversation_body *body, uint64_t user)
{
	for (unsigned i = 0; i < body->user_count; i++) {
		if (body->users[i] == user)
			return;
	}
	body->users[body->user_count++] = user;
}

static const char *read_users(const struct json *json, uint64_t self,
                              unsigned max, struct conversation_body *body)
{
	uint64_t user;
	unsigned at = 0;

	assert(max < CHANGE_USERS_MAX);
	if (json_kind(json, "users") != JSON_ARRAY)
		return "users must be a list of user ids";
	for (; json_item_id(json, "users", at, &user) && user; at++) {
		if (at == max)
			return "users has too many ids for one request";
		if (user != self)
			add_user(body, user);
	}
	if (json_get_item(json, "users", at))
		return "users must be a list of user ids";
	return NULL;
}

/* --- bodies -------------------------------------------------------------- */
const char *conversation_body_new(const struct json *json, uint64_t self,
                                  unsigned users_max,
                                  struct conversation_body *ret)
{
	const char *fault;

	*ret = (struct conversation_body){0};
	fault = read_kind(json, ret);
	if (!fault)
		fault = read_name(json, ret);
	if (!fault && is_present(json, "users"))
		fault = read_users(json, self, users_max, ret);
	if (!fault)
		fault = read_history(json, ret);
	if (!fault)
		fault = read_uuid(json, ret);
	if (!ret->history)
		ret->history = ret->kind == KIND_CHANNEL ? HISTORY_ALL
		                                         : HISTORY_JOINED;
	return fault;
}

const char *conversation_body_edit(const struct json *json,
                                   struct conversation_body *ret)
{
	const char *fault = NULL;

	*ret = (struct conversation_body){0};
	if (!is_present(json, "name") && !is_present(json, "history"))
		return "name or history must be present";
	if (is_present(json, "name"))
		fault = read_name(json, ret);
	return fault ? fault : read_history(json, ret);
}

const char *conversation_body_invite(const struct json *json,
                                     unsigned users_max,
                                     struct conversation_body *ret)
{
	const char *fault;

	*ret = (struct conversation_body){0};
	fault = read_users(json, 0, users_max, ret);
	if (!fault && ret->user_count == 0)
		fault = "users must not be empty";
	return fault;
}

const char *conversation_body_role(const struct json *json,
                                   struct conversation_body *ret)
{
	struct span word;

	*ret = (struct conversation_body){0};
	if (!json_get_text(json, "role", &word) ||
	    !member_role_read(word, &ret->role))
		return "role must be \"member\", \"admin\" or \"owner\"";
	return NULL;
}
