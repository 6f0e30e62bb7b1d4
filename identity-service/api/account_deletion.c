#include "identity-service/api/account_deletion.h"
#include "common/io/json.h"
#include "common/service/log.h"
#include "identity-service/account/deletion.h"
#include "identity-service/api/password_check.h"
#include "identity-service/api/phone_check.h"
#include "identity-service/api/refresh_cookie.h"

/* False: the request is answered. */
static bool parse(struct http_request *request, struct json **ret_json)
{
	const char *why;

	if (json_parse(http_body(request), ret_json, &why) == ST_OK)
		return true;
	http_answer_problem(request, 400, why);
	return false;
}

static void answer(struct http_request *request, const struct api_context *api,
                   enum status status, uint64_t user, const char *wrong)
{
	if (status == ST_OK) {
		api_read_ended(api, user);
		log_event(LOG_INFO, "user.deleted", F_NUMBER("user", user));
		refresh_cookie_delete(request);
		http_answer(request, 204, NULL, SPAN_NONE);
	} else if (status == ST_DENIED) {
		http_answer_problem(request, 403, wrong);
	} else {
		http_answer_problem(request, 403,
		                    "another request has just changed the "
		                    "password or the phone");
	}
}

/* --- by password ---------------------------------------------------------- */
/* False: the request is answered. */
static bool read_password(struct http_request *request, struct span name,
                          struct credentials *credentials)
{
	CLEANUP(json_destroy) struct json *json = NULL;
	const char *fault = "password is missing or not a string";
	struct span password;

	if (!parse(request, &json))
		return false;
	if (json_get_text(json, "password", &password) &&
	    credentials_take(name, password, CREDENTIALS_LOGIN, credentials,
	                     &fault) == ST_OK)
		return true;
	http_answer_problem(request, 422, fault);
	return false;
}

static enum status delete_by_password(struct sql *sql, void *argument)
{
	const struct password_check *check = argument;

	return deletion_run(
		sql, &(struct deletion){
			     .user = check->account.id,
			     .password_hash = check->account.password_hash,
			     .name_reserved_s = check->api->name_reserved_s,
		     });
}

static void check_password(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	CLEANUP(credentials_free) struct credentials credentials = {0};
	struct password_check check = {.api = api, .credentials = &credentials};
	struct token_owner owner;
	enum status status;

	if (!api_authenticate(request, api, &owner) ||
	    !read_password(request, span_of(owner.name), &credentials))
		return;
	check.client = http_client_address(request, api->trusted_proxies);
	status = password_check(&check);
	if (status == ST_OK)
		status = password_check_commit(&check, delete_by_password,
		                               &check);
	if (status == ST_BUSY)
		password_check_answer_limited(request, &check);
	else if (status == ST_OK || status == ST_DENIED ||
	         status == ST_CONFLICT)
		answer(request, api, status, check.account.id,
		       "password is wrong");
	else
		api_answer_failure(request, status);
}

/* --- by code -------------------------------------------------------------- */
struct by_code {
	struct phone_check check;
	uint64_t user;
};

static void by_code_free(struct by_code *by_code)
{
	phone_check_free(&by_code->check);
}

static enum status delete_by_phone(struct sql *sql, void *argument)
{
	const struct by_code *by_code = argument;

	return deletion_run(
		sql,
		&(struct deletion){
			.user = by_code->user,
			.phone = phone_span(&by_code->check.phone),
			.name_reserved_s = by_code->check.api->name_reserved_s,
		});
}

static enum status run_by_code(struct by_code *by_code)
{
	enum status status = phone_check(&by_code->check);

	if (status == ST_OK)
		status = phone_check_commit(&by_code->check, delete_by_phone,
		                            by_code);
	if (status == ST_CONFLICT)
		phone_check_give_back(&by_code->check);
	return status;
}

static void check_code(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	CLEANUP(by_code_free) struct by_code by_code = {0};
	struct token_owner owner;
	enum status status;

	if (!api_authenticate(request, api, &owner) ||
	    !phone_check_read_code(request, api, &by_code.check))
		return;
	by_code.user = owner.user;
	status = phone_check_find(&by_code.check, owner.user);
	if (status == ST_NOT_FOUND) {
		http_answer_problem(request, 422,
		                    "the account has no phone for a code: send "
		                    "its password");
		return;
	}
	if (status != ST_OK) {
		api_answer_failure(request, status);
		return;
	}
	status = run_by_code(&by_code);
	if (status == ST_OK || status == ST_DENIED || status == ST_CONFLICT)
		answer(request, api, status, owner.user,
		       "the code is wrong or old");
	else
		phone_check_answer(request, &by_code.check, status);
}

/* -------------------------------------------------------------------------- */
static void pass_by_code(struct http_request *request, void *context)
{
	CLEANUP(by_code_free) struct by_code by_code = {0};

	if (phone_is_on(request, context) &&
	    phone_check_read_code(request, context, &by_code.check))
		api_pass_of_client(request, context, POOL_PHONE, check_code);
}

static void pass_by_password(struct http_request *request, void *context,
                             struct span name)
{
	CLEANUP(credentials_free) struct credentials credentials = {0};

	if (read_password(request, name, &credentials))
		api_pass_to_hash(request, context, check_password);
}

/* Answers a bad request at once, without waiting in the queue. */
void account_delete(struct http_request *request, void *context)
{
	CLEANUP(json_destroy) struct json *json = NULL;
	struct token_owner owner;
	bool by_code;

	if (!refresh_cookie_admit(request) ||
	    !api_authenticate(request, context, &owner) ||
	    !parse(request, &json))
		return;
	by_code = json_kind(json, "code") != JSON_ABSENT;
	if (by_code && json_kind(json, "password") != JSON_ABSENT)
		http_answer_problem(request, 422,
		                    "password and code exclude each other");
	else if (by_code)
		pass_by_code(request, context);
	else
		pass_by_password(request, context, span_of(owner.name));
}
