#include "identity-service/api/password_by_code.h"
#include "common/service/log.h"
#include "identity-service/account/account.h"
#include "identity-service/api/credentials.h"
#include "identity-service/api/password_check.h"
#include "identity-service/api/phone_check.h"

struct choice {
	struct phone_check check;
	struct credentials password;
	uint64_t user;
	struct uuid own; /* the session that asks */
	bool has_password;
	char hash[PASSWORD_HASH_MAX + 1];
};

static void choice_free(struct choice *choice)
{
	credentials_free(&choice->password);
	phone_check_free(&choice->check);
}

/* False: the request is answered. */
static bool read_body(struct http_request *request,
                      const struct api_context *api, struct choice *choice)
{
	const char *fault = NULL;

	if (!phone_check_read_code(request, api, &choice->check))
		return false;
	if (json_kind(choice->check.body, "old_password") != JSON_ABSENT)
		fault = "old_password and code exclude each other";
	else if (credentials_read_new(choice->check.body, &choice->password,
	                              &fault) == ST_OK)
		return true;
	http_answer_problem(request, 422, fault);
	return false;
}

static enum status find_account(struct sql *sql, void *argument)
{
	struct choice *choice = argument;
	struct account account;
	enum status status = account_by_id(sql, choice->user, &account);

	choice->has_password = status == ST_OK && *account.password_hash;
	return status;
}

/* False: the request is answered. */
static bool may_choose(struct http_request *request, struct choice *choice)
{
	const struct api_context *api = choice->check.api;
	enum status status = database_run(api->database, find_account, choice);

	if (status == ST_OK && !choice->has_password)
		status = phone_check_find(&choice->check, choice->user);
	if (status == ST_OK && !choice->has_password)
		return true;
	if (status == ST_OK || status == ST_NOT_FOUND)
		http_answer_problem(request, 422,
		                    "a code is for users with a phone and "
		                    "without a password: send old_password");
	else
		api_answer_failure(request, status);
	return false;
}

/* A deleted account has no password, either. */
static enum status store(struct sql *sql, void *argument)
{
	const struct choice *choice = argument;
	enum status status = account_lock(sql, choice->user);

	if (status == ST_OK)
		status = account_change_hash(sql, choice->user, "",
		                             choice->hash);
	return status == ST_OK
	               ? session_end_others(sql, choice->user, &choice->own)
	               : status;
}

static enum status run(struct choice *choice)
{
	enum status status = phone_check(&choice->check);

	if (status == ST_OK)
		status = password_check_hash(
			buf_span(&choice->password.password), choice->hash);
	if (status == ST_OK)
		status = phone_check_commit(&choice->check, store, choice);
	if (status == ST_OK)
		api_read_ended(choice->check.api, choice->user);
	return status;
}

static void answer(struct http_request *request, const struct choice *choice,
                   enum status status)
{
	if (status == ST_OK) {
		log_event(LOG_INFO, "user.password_changed",
		          F_NUMBER("user", choice->user));
		http_answer(request, 204, NULL, SPAN_NONE);
	} else if (status == ST_DENIED) {
		http_answer_problem(request, 403, "the code is wrong or old");
	} else if (status == ST_CONFLICT) {
		http_answer_problem(request, 403,
		                    "another request has just set a password");
	} else if (status == ST_NOT_FOUND) {
		http_answer_problem(request, 401,
		                    "the account was deleted just now");
	} else {
		phone_check_answer(request, &choice->check, status);
	}
}

static void choose_password(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	CLEANUP(choice_free) struct choice choice = {0};
	struct token_owner owner;

	if (!api_authenticate(request, api, &owner) ||
	    !read_body(request, api, &choice))
		return;
	choice.user = owner.user;
	(void)uuid_parse(span_of(owner.session), &choice.own);
	if (may_choose(request, &choice))
		answer(request, &choice, run(&choice));
}

/* Answers a bad request at once, without waiting in the queue. */
void password_by_code(struct http_request *request, void *context)
{
	CLEANUP(choice_free) struct choice choice = {0};

	if (phone_is_on(request, context) &&
	    read_body(request, context, &choice))
		api_pass_of_client(request, context, POOL_PHONE,
		                   choose_password);
}
