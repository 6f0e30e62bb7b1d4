#include "identity-service/api/account_deletion.h"
#include "common/io/json.h"
#include "common/service/log.h"
#include "identity-service/account/deletion.h"
#include "identity-service/api/password_check.h"

static const char *read_password(const struct json *json, struct span name,
                                 struct credentials *credentials)
{
	const char *fault = NULL;
	struct span password;

	if (json_kind(json, "code") != JSON_ABSENT)
		return "an account cannot be deleted with a code; send its "
		       "password";
	if (!json_get_text(json, "password", &password))
		return "password is missing or not a string";
	return credentials_take(name, password, CREDENTIALS_LOGIN, credentials,
	                        &fault) == ST_OK
	               ? NULL
	               : fault;
}

/* False: the request is answered. */
static bool read_body(struct http_request *request, struct span name,
                      struct credentials *credentials)
{
	CLEANUP(json_destroy) struct json *json = NULL;
	const char *fault;

	if (json_parse(http_body(request), &json, &fault) != ST_OK) {
		http_answer_problem(request, 400, fault);
		return false;
	}
	fault = read_password(json, name, credentials);
	if (fault)
		http_answer_problem(request, 422, fault);
	return !fault;
}

static enum status delete_account(struct sql *sql, void *argument)
{
	const struct password_check *check = argument;

	return deletion_run(
		sql, &(struct deletion){
			     .user = check->account.id,
			     .password_hash = check->account.password_hash,
			     .name_reserved_s = check->api->name_reserved_s,
		     });
}

static enum status run(struct password_check *check)
{
	enum status status = password_check(check);

	if (status == ST_OK)
		status = password_check_commit(check, delete_account, check);
	if (status == ST_OK)
		api_read_ended(check->api, check->account.id);
	return status;
}

static void answer(struct http_request *request,
                   const struct password_check *check, enum status status)
{
	if (status == ST_OK) {
		log_event(LOG_INFO, "user.deleted",
		          F_NUMBER("user", check->account.id));
		http_answer(request, 204, NULL, SPAN_NONE);
	} else if (status == ST_DENIED) {
		http_answer_problem(request, 403, "password is wrong");
	} else if (status == ST_BUSY) {
		password_check_answer_limited(request, check);
	} else if (status == ST_CONFLICT) {
		http_answer_problem(request, 403,
		                    "another request has just changed the "
		                    "password");
	} else {
		api_answer_failure(request, status);
	}
}

static void delete_hashing(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	CLEANUP(credentials_free) struct credentials credentials = {0};
	struct password_check check = {.api = api, .credentials = &credentials};
	struct token_owner owner;

	if (!api_authenticate(request, api, &owner) ||
	    !read_body(request, span_of(owner.name), &credentials))
		return;
	check.client = http_client_address(request, api->trusted_proxies);
	answer(request, &check, run(&check));
}

/* Answers a bad request at once, without waiting in the queue. */
void account_delete(struct http_request *request, void *context)
{
	CLEANUP(credentials_free) struct credentials credentials = {0};
	struct token_owner owner;

	if (api_authenticate(request, context, &owner) &&
	    read_body(request, span_of(owner.name), &credentials))
		api_pass_to_hash(request, context, delete_hashing);
}
