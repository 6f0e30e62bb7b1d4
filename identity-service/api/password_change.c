#include "identity-service/api/password_change.h"
#include "common/io/json.h"
#include "common/service/log.h"
#include "identity-service/api/password_by_code.h"
#include "identity-service/api/password_check.h"

struct change {
	struct password_check *check;
	struct uuid own; /* the session that asks */
	char hash[PASSWORD_HASH_MAX + 1];
};

/* False: the request is answered. */
static bool read_body(struct http_request *request, struct span name,
                      struct credentials *old, struct credentials *new)
{
	const char *detail = NULL;
	enum status status = credentials_read_change(http_body(request), name,
	                                             old, new, &detail);

	if (status != ST_OK)
		http_answer_problem(request, status == ST_INVALID ? 400 : 422,
		                    detail);
	return status == ST_OK;
}

static enum status store(struct sql *sql, void *argument)
{
	struct change *change = argument;
	const struct account *account = &change->check->account;
	enum status status = account_change_hash(
		sql, account->id, account->password_hash, change->hash);

	return status == ST_OK
	               ? session_end_others(sql, account->id, &change->own)
	               : status;
}

static enum status run(struct password_check *check, struct span password,
                       struct change *change)
{
	enum status status = password_check(check);

	if (status == ST_OK)
		status = password_check_hash(password, change->hash);
	if (status == ST_OK)
		status = password_check_commit(check, store, change);
	if (status == ST_OK)
		api_read_ended(check->api, check->account.id);
	return status;
}

static void answer(struct http_request *request,
                   const struct password_check *check, enum status status)
{
	if (status == ST_OK) {
		log_event(LOG_INFO, "user.password_changed",
		          F_NUMBER("user", check->account.id));
		http_answer(request, 204, NULL, SPAN_NONE);
	} else if (status == ST_DENIED) {
		http_answer_problem(request, 403, "old_password is wrong");
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

static void change_hashing(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	CLEANUP(credentials_free) struct credentials old = {0};
	CLEANUP(credentials_free) struct credentials new = {0};
	struct password_check check = {.api = api, .credentials = &old};
	struct change change = {.check = &check};
	struct token_owner owner;

	if (!api_authenticate(request, api, &owner) ||
	    !read_body(request, span_of(owner.name), &old, &new))
		return;
	(void)uuid_parse(span_of(owner.session), &change.own);
	check.client = http_client_address(request, api->trusted_proxies);
	answer(request, &check, run(&check, buf_span(&new.password), &change));
}

/* Of a body that is no JSON, the other way tells. */
static bool has_code(const struct http_request *request)
{
	CLEANUP(json_destroy) struct json *json = NULL;
	const char *why;

	return json_parse(http_body(request), &json, &why) == ST_OK &&
	       json_kind(json, "code") != JSON_ABSENT;
}

/* Answers a bad request at once, without waiting in the queue. */
void password_change(struct http_request *request, void *context)
{
	CLEANUP(credentials_free) struct credentials old = {0};
	CLEANUP(credentials_free) struct credentials new = {0};
	struct token_owner owner;

	if (!api_authenticate(request, context, &owner))
		return;
	if (has_code(request))
		password_by_code(request, context);
	else if (read_body(request, span_of(owner.name), &old, &new))
		api_pass_to_hash(request, context, change_hashing);
}
