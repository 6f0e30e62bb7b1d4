#include "identity-service/api/profile_body.h"

#include "common/base/utf8.h"
#include "common/io/https_url.h"
#include "common/wire/fields.h"
#include "common/wire/name.h"

#include <stdio.h>

static const char *const members[PROFILE_TEXTS] = {
	[PROFILE_DISPLAY_NAME] = "display_name",
	[PROFILE_ABOUT] = "about",
	[PROFILE_AVATAR_URL] = "avatar_url",
};

/* --- the body of a change ------------------------------------------------ */
/* False: the text breaks the rule of this member, body->fault says which. */
static bool read_display_name(struct span text, struct profile_body *body)
{
	const char *fault = name_read(text, &body->display_name);

	if (fault) /* "name must …" */
		(void)snprintf(body->fault, sizeof(body->fault), "display_%s",
		               fault);
	body->change.text[PROFILE_DISPLAY_NAME] =
		sql_bytes(buf_span(&body->display_name));
	return !fault;
}

static bool read_about(struct span text, struct profile_body *body)
{
	bool good = utf8_count(text) <= PROFILE_ABOUT_MAX;

	if (!good)
		(void)snprintf(body->fault, sizeof(body->fault),
		               "about must have at most %d characters",
		               PROFILE_ABOUT_MAX);
	body->change.text[PROFILE_ABOUT] = sql_bytes(text);
	return good;
}

static bool read_avatar_url(struct span text, struct profile_body *body)
{
	const char *fault = text.len <= PROFILE_AVATAR_URL_MAX
	                            ? https_url_fault(text)
	                            : "must have at most 2048 characters";

	if (fault)
		(void)snprintf(body->fault, sizeof(body->fault),
		               "avatar_url %s", fault);
	body->change.text[PROFILE_AVATAR_URL] = sql_bytes(text);
	return !fault;
}

static bool read_text(enum profile_text which, struct profile_body *body)
{
	static bool (*const read[PROFILE_TEXTS])(struct span text,
	                                         struct profile_body * body) = {
		[PROFILE_DISPLAY_NAME] = read_display_name,
		[PROFILE_ABOUT] = read_about,
		[PROFILE_AVATAR_URL] = read_avatar_url,
	};
	enum json_kind kind = json_kind(body->json, members[which]);
	struct span text;

	body->change.changes[which] = kind != JSON_ABSENT;
	if (kind == JSON_ABSENT || kind == JSON_NULL)
		return true;
	if (json_get_text(body->json, members[which], &text))
		return read[which](text, body);
	(void)snprintf(body->fault, sizeof(body->fault),
	               "%s must be a string or null", members[which]);
	return false;
}

static bool has_fixed_member(struct profile_body *body)
{
	static const char *const fixed[] = {FIELD_ID, FIELD_NAME, "phone"};

	for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
		if (json_kind(body->json, fixed[i]) == JSON_ABSENT)
			continue;
		(void)snprintf(body->fault, sizeof(body->fault),
		               "%s cannot be changed here", fixed[i]);
		return true;
	}
	return false;
}

enum status profile_body_read(struct span body, struct profile_body *ret_body)
{
	const char *why;

	*ret_body = (struct profile_body){.display_name = BUF(NAME_MAX_BYTES)};
	if (json_parse(body, &ret_body->json, &why) != ST_OK) {
		(void)snprintf(ret_body->fault, sizeof(ret_body->fault), "%s",
		               why);
		return ST_INVALID;
	}
	if (has_fixed_member(ret_body))
		return ST_DENIED;
	for (unsigned i = 0; i < PROFILE_TEXTS; i++) {
		if (!read_text((enum profile_text)i, ret_body))
			return ST_DENIED;
	}
	return ST_OK;
}

void profile_body_free(struct profile_body *body)
{
	json_destroy(&body->json);
	buf_free(&body->display_name);
}

/* --- answers ------------------------------------------------------------- */
static void write_text(struct json_writer *w, const char *name,
                       const struct sql_value *value)
{
	if (value->kind == SQL_BYTES)
		json_text(w, name, value->bytes);
	else
		json_null(w, name);
}

void profile_body_write(struct json_writer *w, const struct profile *profile,
                        enum profile_view view)
{
	json_number(w, FIELD_ID, profile->id);
	json_text(w, FIELD_NAME, profile->name);
	for (unsigned i = 0; i < PROFILE_TEXTS; i++)
		write_text(w, members[i], &profile->text[i]);
	if (view == PROFILE_OWN)
		write_text(w, "phone", &profile->phone);
}
