#include "identity-service/api/phone_check.h"
#include "common/base/mem.h"
#include "common/service/log.h"
#include "identity-service/account/profile.h"
#include "identity-service/identity_metrics.h"

bool phone_is_on(struct http_request *request, const struct api_context *api)
{
	if (!api->phone)
		http_answer_problem(request, 501,
		                    "sign-in by phone is off: the setting "
		                    "SMS_PROVIDER is empty");
	return api->phone;
}

/* --- the body ------------------------------------------------------------- */
bool phone_read_member(struct http_request *request, const struct json *body,
                       struct phone *ret_phone)
{
	const char *fault = "phone is missing or not a string";
	struct span text;

	if (json_get_text(body, "phone", &text))
		fault = phone_read(text, ret_phone);
	if (fault)
		http_answer_problem(request, 422, fault);
	return !fault;
}

static bool read_code(struct http_request *request, struct phone_check *check)
{
	const char *fault = "code is missing or not a string";
	struct span text;

	if (json_get_text(check->body, "code", &text))
		fault = code_read(text, &check->code);
	if (fault)
		http_answer_problem(request, 422, fault);
	return !fault;
}

static bool read_json(struct http_request *request,
                      const struct api_context *api,
                      struct phone_check *ret_check)
{
	const char *why = NULL;

	*ret_check = (struct phone_check){
		.api = api,
		.client = http_client_address(request, api->trusted_proxies),
	};
	uuid_make(&ret_check->id);
	if (json_parse(http_body(request), &ret_check->body, &why) != ST_OK) {
		http_answer_problem(request, 400, why);
		return false;
	}
	return true;
}

bool phone_check_read(struct http_request *request,
                      const struct api_context *api,
                      struct phone_check *ret_check)
{
	return read_json(request, api, ret_check) &&
	       phone_read_member(request, ret_check->body, &ret_check->phone) &&
	       read_code(request, ret_check);
}

bool phone_check_read_code(struct http_request *request,
                           const struct api_context *api,
                           struct phone_check *ret_check)
{
	return read_json(request, api, ret_check) &&
	       read_code(request, ret_check);
}

void phone_check_free(struct phone_check *check)
{
	json_destroy(&check->body);
	mem_wipe(&check->code, sizeof(check->code));
}

/* --- the phone of a user -------------------------------------------------- */
struct find {
	uint64_t user;
	struct phone *phone;
};

static enum status find_phone(struct sql *sql, void *argument)
{
	const struct find *find = argument;
	struct profile profile;
	enum status status = profile_by_id(sql, find->user, &profile);

	if (status != ST_OK)
		return status;
	if (profile.phone.kind != SQL_BYTES)
		return ST_NOT_FOUND;
	return phone_read(profile.phone.bytes, find->phone) ? ST_BROKEN : ST_OK;
}

enum status phone_check_find(struct phone_check *check, uint64_t user)
{
	struct find find = {user, &check->phone};

	return database_run(check->api->database, find_phone, &find);
}

/* --- the try -------------------------------------------------------------- */
static enum status count_try(struct sql *sql, struct phone_check *check)
{
	enum status status =
		guess_limit_count(sql, check->api->guess_rules, &check->guess);

	check->limited = status == ST_DENIED;
	return status == ST_OK ? open_code_try(sql, &check->phone,
	                                       check->api->phone->tries_max,
	                                       &check->open)
	                       : status;
}

/* A refused try is committed, too: it counts. */
static enum status run_try(struct sql *sql, void *argument)
{
	enum status committed, status = sql_begin(sql);

	if (status != ST_OK)
		return status;
	status = count_try(sql, argument);
	if (status != ST_OK && status != ST_DENIED) {
		sql_rollback(sql);
		return status;
	}
	committed = sql_commit(sql);
	return committed == ST_OK ? status : committed;
}

static enum status run_set_digest(struct sql *sql, void *argument)
{
	struct phone_check *check = argument;

	return open_code_set_digest(sql, &check->phone, &check->open);
}

/*
 * A provider forgets a code that it approved. From then on the service checks
 * it: the client may have to send it again, for example with another name.
 */
static enum status ask_provider(struct phone_check *check,
                                const struct digest *digest)
{
	enum status status =
		sms_check(check->api->sms, &check->phone, &check->code);

	if (status != ST_OK)
		return status;
	check->open.digest = *digest;
	check->open.has_digest = true;
	return database_run(check->api->database, run_set_digest, check);
}

static enum status judge(struct phone_check *check)
{
	struct digest digest;

	code_digest(&check->api->phone->key, &check->phone, &check->code,
	            &digest);
	if (!check->open.has_digest)
		return ask_provider(check, &digest);
	return code_digest_equal(&digest, &check->open.digest) ? ST_OK
	                                                       : ST_DENIED;
}

enum status phone_check(struct phone_check *check)
{
	enum status status;

	guess_start_address(&check->guess, &check->client);
	status = database_run(check->api->database, run_try, check);
	if (check->limited)
		return status == ST_DENIED ? ST_BUSY : status;
	if (status == ST_OK)
		status = judge(check);
	if (status == ST_OK || status == ST_DENIED)
		metric_count(status == ST_OK ? &identity_metrics_codes_right
		                             : &identity_metrics_codes_wrong,
		             1);
	if (status == ST_DENIED)
		log_event(LOG_WARN, "login.failed",
		          F_TEXT("why", "wrong or old code"));
	return status;
}

/* --- the transaction ------------------------------------------------------ */
struct commit {
	struct phone_check *check;
	phone_work *work;
	void *argument;
};

/* Rows are locked in the order of count_try(). */
static enum status use_and_work(struct sql *sql, const struct commit *commit)
{
	struct phone_check *check = commit->check;
	enum status status = guess_limit_forgive(sql, check->api->guess_rules,
	                                         &check->guess);

	if (status == ST_OK)
		status = open_code_use(sql, &check->phone, &check->open,
		                       &check->id, &check->again);
	if (status == ST_OK)
		status = commit->work(sql, commit->argument);
	if (status == ST_OK && !check->again)
		status = send_limit_count_used(
			sql, &check->api->phone->send_rules, &check->phone);
	/* The first run took the guess back. */
	if (status == ST_OK && check->again) {
		sql_rollback(sql);
		return ST_OK;
	}
	return status == ST_OK ? sql_commit(sql) : status;
}

static enum status run_commit(struct sql *sql, void *argument)
{
	enum status status = sql_begin(sql);

	if (status == ST_OK)
		status = use_and_work(sql, argument);
	if (status != ST_OK)
		sql_rollback(sql);
	return status;
}

enum status phone_check_commit(struct phone_check *check, phone_work *work,
                               void *argument)
{
	struct commit commit = {check, work, argument};

	return database_run(check->api->database, run_commit, &commit);
}

static enum status run_give_back(struct sql *sql, void *argument)
{
	struct phone_check *check = argument;
	enum status status = sql_begin(sql);

	if (status == ST_OK)
		status = guess_limit_forgive(sql, check->api->guess_rules,
		                             &check->guess);
	if (status == ST_OK)
		status = open_code_untry(sql, &check->phone, &check->open);
	if (status == ST_OK)
		status = sql_commit(sql);
	if (status != ST_OK)
		sql_rollback(sql);
	return status;
}

/* If the database fails just now, the client has one try less. */
void phone_check_give_back(struct phone_check *check)
{
	(void)!database_run(check->api->database, run_give_back, check);
}

void phone_check_answer(struct http_request *request,
                        const struct phone_check *check, enum status status)
{
	if (status == ST_BUSY)
		api_answer_guess_limited(request, check->api, &check->guess);
	else if (status == ST_UNAVAILABLE && !check->open.has_digest &&
	         sms_checks_codes(&check->api->phone->provider))
		http_answer_problem(request, 503,
		                    "the code could not be checked; try again");
	else
		api_answer_failure(request, status);
}
