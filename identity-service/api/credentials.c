#include "identity-service/api/credentials.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "common/io/json.h"
#include "common/io/unicode.h"
#include "identity-service/api/form.h"

enum {
	PASSWORD_TEXT_MAX = 64 * 1024, /* a body has 16 KiB */
	/* A code point of 3 bytes may become 9. */
	GROWTH_MAX = 3,
};

static void start(struct credentials *credentials)
{
	*credentials = (struct credentials){
		.name = BUF(NAME_MAX_BYTES),
		.password = BUF(PASSWORD_TEXT_MAX),
		.raw_password = BUF(PASSWORD_MAX),
	};
}

static void wipe(struct buf *buf)
{
	if (buf->data)
		mem_wipe(buf->data, buf->capacity);
	buf_free(buf);
}

void credentials_free(struct credentials *credentials)
{
	wipe(&credentials->raw_password);
	wipe(&credentials->password);
	name_keys_free(&credentials->keys);
	buf_free(&credentials->name);
}

static bool has_control(struct span text)
{
	size_t at = 0;

	while (at < text.len) {
		if (utf8_is_control(utf8_next(text, &at)))
			return true;
	}
	return false;
}

/* Allocates at once what fits, so that no copy is left behind. */
static const char *normalize(struct span password,
                             struct credentials *credentials)
{
	if (password.len > PASSWORD_TEXT_MAX / GROWTH_MAX)
		return "password is too long";
	(void)buf_space(&credentials->password, password.len * GROWTH_MAX);
	if (unicode_opaque(password, &credentials->password) != ST_OK)
		return "password is not UTF-8";
	return NULL;
}

static const char *choose_password(struct span password,
                                   struct credentials *credentials)
{
	const char *fault = normalize(password, credentials);
	size_t len = credentials->password.len;

	if (fault)
		return fault;
	if (len < PASSWORD_MIN || len > PASSWORD_MAX)
		return "password must have 8 to 256 bytes";
	if (has_control(password))
		return "password must not have control characters";
	return NULL;
}

static const char *try_password(struct span password,
                                struct credentials *credentials)
{
	const char *fault = normalize(password, credentials);

	if (fault || password.len > PASSWORD_MAX ||
	    span_equal(password, buf_span(&credentials->password)))
		return fault;
	(void)buf_space(&credentials->raw_password, password.len);
	buf_append(&credentials->raw_password, password);
	return NULL;
}

static const char *take(struct span name, struct span password,
                        enum credentials_use use,
                        struct credentials *credentials)
{
	const char *fault = NULL;

	if (use == CREDENTIALS_REGISTER)
		fault = name_read(name, &credentials->name);
	if (!fault)
		fault = name_keys_read(name, &credentials->keys);
	if (fault)
		return fault;
	return use == CREDENTIALS_REGISTER
	               ? choose_password(password, credentials)
	               : try_password(password, credentials);
}

/* Some clients send "pass" instead of "password". */
static enum status read_json(struct span body, enum credentials_use use,
                             struct credentials *credentials,
                             const char **ret_detail)
{
	CLEANUP(json_destroy) struct json *json = NULL;
	struct span name, password;
	const char *word = "password";

	if (json_parse(body, &json, ret_detail) != ST_OK)
		return ST_INVALID;
	if (json_kind(json, word) == JSON_ABSENT &&
	    json_kind(json, "pass") != JSON_ABSENT)
		word = "pass";
	*ret_detail = "name is missing or not a string";
	if (!json_get_text(json, "name", &name))
		return ST_DENIED;
	*ret_detail = "password is missing or not a string";
	if (!json_get_text(json, word, &password))
		return ST_DENIED;
	*ret_detail = take(name, password, use, credentials);
	return *ret_detail ? ST_DENIED : ST_OK;
}

static enum status read_form(struct span body, enum credentials_use use,
                             struct credentials *credentials,
                             const char **ret_detail)
{
	CLEANUP(form_destroy) struct form *form = NULL;
	struct span name, password;

	if (form_parse(body, &form, ret_detail) != ST_OK)
		return ST_INVALID;
	*ret_detail = "name is missing";
	if (!form_get(form, "name", &name))
		return ST_DENIED;
	*ret_detail = "password is missing";
	if (!form_get(form, "password", &password) &&
	    !form_get(form, "pass", &password))
		return ST_DENIED;
	*ret_detail = take(name, password, use, credentials);
	return *ret_detail ? ST_DENIED : ST_OK;
}

static enum status hand_over(enum status status,
                             struct credentials *credentials,
                             struct credentials *ret_credentials)
{
	if (status == ST_OK) {
		*ret_credentials = *credentials;
		start(credentials);
	}
	return status;
}

enum status credentials_take(struct span name, struct span password,
                             enum credentials_use use,
                             struct credentials *ret_credentials,
                             const char **ret_detail)
{
	struct credentials credentials CLEANUP(credentials_free);

	start(&credentials);
	*ret_detail = take(name, password, use, &credentials);
	return hand_over(*ret_detail ? ST_DENIED : ST_OK, &credentials,
	                 ret_credentials);
}

enum status credentials_read(struct span body, bool is_json,
                             enum credentials_use use,
                             struct credentials *ret_credentials,
                             const char **ret_detail)
{
	struct credentials credentials CLEANUP(credentials_free);

	start(&credentials);
	return hand_over((is_json ? read_json : read_form)(
				 body, use, &credentials, ret_detail),
	                 &credentials, ret_credentials);
}

static const char *take_new(const struct json *json, struct credentials *new)
{
	struct span becomes;

	return json_get_text(json, "new_password", &becomes)
	               ? choose_password(becomes, new)
	               : "new_password is missing or not a string";
}

static const char *take_change(const struct json *json, struct span name,
                               struct credentials *old, struct credentials *new)
{
	struct span was;
	const char *fault;

	if (!json_get_text(json, "old_password", &was))
		return "old_password is missing or not a string";
	fault = take_new(json, new);
	return fault ? fault : take(name, was, CREDENTIALS_LOGIN, old);
}

enum status credentials_read_change(struct span body, struct span name,
                                    struct credentials *ret_old,
                                    struct credentials *ret_new,
                                    const char **ret_detail)
{
	CLEANUP(json_destroy) struct json *json = NULL;

	start(ret_old);
	start(ret_new);
	if (json_parse(body, &json, ret_detail) != ST_OK)
		return ST_INVALID;
	*ret_detail = take_change(json, name, ret_old, ret_new);
	return *ret_detail ? ST_DENIED : ST_OK;
}

enum status credentials_read_new(const struct json *json,
                                 struct credentials *ret_new,
                                 const char **ret_detail)
{
	start(ret_new);
	*ret_detail = take_new(json, ret_new);
	return *ret_detail ? ST_DENIED : ST_OK;
}
