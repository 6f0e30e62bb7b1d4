#include "common/wire/identity.h"
#include "common/base/clock.h"
#include "common/base/uuid.h"
#include "common/wire/fields.h"

#include <string.h>

static bool copy_text(const struct json *json, const char *name, char *ret_text,
                      size_t max)
{
	struct span text;

	if (!json_get_text(json, name, &text) || text.len == 0 ||
	    text.len > max)
		return false;
	memcpy(ret_text, text.data, text.len);
	ret_text[text.len] = '\0';
	return true;
}

bool identity_token_fits(struct span token)
{
	for (size_t i = 0; i < token.len; i++) {
		if (token.data[i] <= ' ' || token.data[i] > '~')
			return false;
	}
	return token.len > 0 && token.len <= TOKEN_MAX;
}

static bool read_id(const struct json *json, uint64_t *ret_id)
{
	return json_get_id(json, FIELD_ID, ret_id) && *ret_id != 0;
}

static bool read_owner(const struct json *json, struct token_owner *owner)
{
	struct span time;

	return read_id(json, &owner->user) &&
	       copy_text(json, "name", owner->name, USER_NAME_MAX_BYTES) &&
	       copy_text(json, "session", owner->session, SESSION_ID_MAX) &&
	       json_get_text(json, FIELD_EXPIRES_AT, &time) &&
	       clock_parse(time, &owner->expires_at_ms);
}

/*
 * Whether identity-service refuses, and not a proxy before it: it answers with
 * a problem (RFC 9457) that repeats the code.
 */
static bool is_refusal(const struct http_answer *answer)
{
	struct json *json CLEANUP(json_destroy) = NULL;
	uint64_t code;
	const char *why;

	return (answer->http == 401 || answer->http == 404 ||
	        answer->http == 410) &&
	       json_parse(answer->body, &json, &why) == ST_OK &&
	       json_get_id(json, "status", &code) && code == answer->http;
}

/* Any other code but 200 means that identity-service is unavailable. */
static enum status read_body(enum status asked,
                             const struct http_answer *answer,
                             struct json **ret_json)
{
	const char *why;

	if (asked != ST_OK)
		return ST_UNAVAILABLE;
	if (is_refusal(answer))
		return answer->http == 401 ? ST_DENIED : ST_NOT_FOUND;
	if (answer->http != 200 ||
	    json_parse(answer->body, ret_json, &why) != ST_OK)
		return ST_UNAVAILABLE;
	return ST_OK;
}

enum status identity_read_owner(enum status asked,
                                const struct http_answer *answer,
                                struct token_owner *ret_owner)
{
	struct json *json CLEANUP(json_destroy) = NULL;
	enum status status = read_body(asked, answer, &json);
	struct token_owner owner = {0};

	if (status == ST_NOT_FOUND) /* the path always exists */
		return ST_UNAVAILABLE;
	if (status != ST_OK)
		return status;
	if (!read_owner(json, &owner))
		return ST_UNAVAILABLE;
	*ret_owner = owner;
	return ST_OK;
}

enum status identity_read_user(enum status asked,
                               const struct http_answer *answer,
                               uint64_t *ret_user)
{
	struct json *json CLEANUP(json_destroy) = NULL;
	enum status status = read_body(asked, answer, &json);
	uint64_t user;

	if (status != ST_OK)
		return status;
	if (!read_id(json, &user))
		return ST_UNAVAILABLE;
	*ret_user = user;
	return ST_OK;
}

/* "<session> <user> <expires_at>" */
static bool read_ended(struct span text, struct span *ret_session,
                       uint64_t *ret_user, uint64_t *ret_expires_at_ms)
{
	struct span rest;
	struct uuid ignored;

	*ret_session = span_cut(text, ' ', &rest);
	text = span_cut(rest, ' ', &rest);
	return uuid_parse(*ret_session, &ignored) &&
	       span_to_u64(text, JSON_ID_MAX, ret_user) &&
	       span_to_u64(rest, JSON_ID_MAX, ret_expires_at_ms);
}

static bool read_sessions(struct span text,
                          const struct identity_ended_reader *reader)
{
	uint64_t user, expires_at_ms;
	struct span session;

	while (text.len) {
		if (!read_ended(span_cut(text, ',', &text), &session, &user,
		                &expires_at_ms))
			return false;
		reader->ended(reader->context, session, user, expires_at_ms);
	}
	return true;
}

static bool read_deleted(struct span text,
                         const struct identity_ended_reader *reader)
{
	uint64_t user;

	while (text.len) {
		if (!span_to_u64(span_cut(text, ',', &text), JSON_ID_MAX,
		                 &user))
			return false;
		reader->deleted(reader->context, user);
	}
	return true;
}

static enum status read_page(enum status asked,
                             const struct http_answer *answer,
                             char ret_next[ENDED_CURSOR_MAX + 1],
                             bool *ret_more, struct json **ret_json)
{
	const char *why;

	if (asked != ST_OK || answer->http != 200 ||
	    json_parse_long(answer->body, ret_json, &why) != ST_OK ||
	    !copy_text(*ret_json, "next", ret_next, ENDED_CURSOR_MAX) ||
	    !json_get_bool(*ret_json, "more", ret_more))
		return ST_UNAVAILABLE;
	return ST_OK;
}

/* An older identity-service deletes no users, and says nothing of them. */
enum status identity_read_ended(enum status asked,
                                const struct http_answer *answer,
                                const struct identity_ended_reader *reader,
                                char ret_next[ENDED_CURSOR_MAX + 1],
                                bool *ret_more)
{
	struct json *json CLEANUP(json_destroy) = NULL;
	enum status status =
		read_page(asked, answer, ret_next, ret_more, &json);
	struct span ended, deleted = SPAN_NONE;

	if (status != ST_OK)
		return status;
	if (!json_get_text(json, "ended", &ended) ||
	    (!json_get_text(json, "deleted", &deleted) &&
	     json_kind(json, "deleted") != JSON_ABSENT) ||
	    !read_sessions(ended, reader) || !read_deleted(deleted, reader))
		return ST_UNAVAILABLE;
	return ST_OK;
}

enum status identity_read_deleted(enum status asked,
                                  const struct http_answer *answer,
                                  const struct identity_ended_reader *reader,
                                  char ret_next[ENDED_CURSOR_MAX + 1],
                                  bool *ret_more)
{
	struct json *json CLEANUP(json_destroy) = NULL;
	enum status status =
		read_page(asked, answer, ret_next, ret_more, &json);
	struct span deleted;

	if (status != ST_OK)
		return status;
	if (!json_get_text(json, "deleted", &deleted) ||
	    !read_deleted(deleted, reader))
		return ST_UNAVAILABLE;
	return ST_OK;
}
