#include "common/wire/identity.h"
#include "common/base/clock.h"
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
