#include "identity-service/credentials.h"
#include "common/base/mem.h"
#include "common/io/json.h"
#include "identity-service/form.h"

static void start(struct credentials *credentials)
{
	credentials->name = BUF(NAME_MAX_POINTS * 4);
	credentials->key = BUF(NAME_KEY_MAX);
	credentials->password = BUF(PASSWORD_MAX);
}

void credentials_free(struct credentials *credentials)
{
	if (credentials->password.data)
		mem_wipe(credentials->password.data,
		         credentials->password.capacity);
	buf_free(&credentials->password);
	buf_free(&credentials->key);
	buf_free(&credentials->name);
}

static const char *password_fault(struct span password,
                                  enum credentials_use use)
{
	if (password.len > PASSWORD_MAX)
		return "password must have at most 256 bytes";
	if (password.len == 0)
		return "password must not be empty";
	if (use == CREDENTIALS_REGISTER && password.len < PASSWORD_MIN)
		return "password must have 8 to 256 bytes";
	return NULL;
}

static enum status take(struct span name, struct span password,
                        enum credentials_use use,
                        struct credentials *credentials,
                        const char **ret_detail)
{
	if (!name_key(name, &credentials->key, ret_detail))
		return ST_DENIED;
	*ret_detail = password_fault(password, use);
	if (*ret_detail)
		return ST_DENIED;
	buf_append(&credentials->name, name);
	buf_append(&credentials->password, password);
	return ST_OK;
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
	return take(name, password, use, credentials, ret_detail);
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
	return take(name, password, use, credentials, ret_detail);
}

enum status credentials_read(struct span body, bool is_json,
                             enum credentials_use use,
                             struct credentials *ret_credentials,
                             const char **ret_detail)
{
	struct credentials credentials CLEANUP(credentials_free);
	enum status status;

	start(&credentials);
	status = (is_json ? read_json : read_form)(body, use, &credentials,
	                                           ret_detail);
	if (status != ST_OK)
		return status;
	*ret_credentials = credentials;
	start(&credentials);
	return ST_OK;
}
