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

/* Any code but 200, 401 and 404 means that identity-service is unavailable. */
static enum status read_body(enum status asked,
                             const struct http_answer *answer,
                             struct json **ret_json)
{
	const char *why;

	if (asked != ST_OK)
		return ST_UNAVAILABLE;
	if (answer->http == 401)
		return ST_DENIED;
	if (answer->http == 404)
		return ST_NOT_FOUND;
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

enum status identity_read_ended(enum status asked,
                                const struct http_answer *answer,
                                identity_ended *each, void *context,
                                char ret_next[ENDED_CURSOR_MAX + 1],
                                bool *ret_more)
{
	struct json *json CLEANUP(json_destroy) = NULL;
	uint64_t user, expires_at_ms;
	const char *why;
	struct span text;

	if (asked != ST_OK || answer->http != 200 ||
	    json_parse_long(answer->body, &json, &why) != ST_OK ||
	    !copy_text(json, "next", ret_next, ENDED_CURSOR_MAX) ||
	    !json_get_bool(json, "more", ret_more) ||
	    !json_get_text(json, "ended", &text))
		return ST_UNAVAILABLE;
	while (text.len) {
		struct span session;

		if (!read_ended(span_cut(text, ',', &text), &session, &user,
		                &expires_at_ms))
			return ST_UNAVAILABLE;
		each(context, session, user, expires_at_ms);
	}
	return ST_OK;
}
