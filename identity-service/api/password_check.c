#include "identity-service/api/password_check.h"
#include "common/base/clock.h"
#include "common/service/log.h"
#include "identity-service/identity_metrics.h"

static enum status find_account(struct sql *sql, void *argument)
{
	struct password_check *check = argument;

	return account_by_name(sql, &check->credentials->keys, &check->account);
}

static enum status try_guess(struct sql *sql, void *argument)
{
	struct password_check *check = argument;

	return guess_limit_try(sql, check->api->guess_rules, &check->guess);
}

static bool hash_matches(struct span password, const char *hash)
{
	uint64_t began_us = clock_mono_us();
	bool matches = password_matches(password, hash);

	metric_observe_us(&identity_metrics_hash, clock_mono_us() - began_us);
	return matches;
}

/* How many hashes are tried depends on the form of the password alone. */
static bool password_is_right(struct password_check *check, bool known)
{
	const struct credentials *credentials = check->credentials;
	bool has_password = known && *check->account.password_hash;
	const char *hash = has_password ? check->account.password_hash
	                                : check->api->dummy_hash;
	bool right = hash_matches(buf_span(&credentials->password), hash);

	if (!right && credentials->raw_password.len) {
		right = hash_matches(buf_span(&credentials->raw_password),
		                     hash);
		check->is_raw = right;
	}
	return has_password && right;
}

static void log_failure(const struct password_check *check, bool known)
{
	if (known)
		log_event(LOG_WARN, "login.failed",
		          F_TEXT("why", "wrong password"),
		          F_NUMBER("user", check->account.id));
	else
		log_event(LOG_WARN, "login.failed",
		          F_TEXT("why", "unknown name"));
}

enum status password_check(struct password_check *check)
{
	struct database *database = check->api->database;
	enum status status = database_run(database, find_account, check);
	bool known = status == ST_OK;

	if (!known && status != ST_NOT_FOUND)
		return status;
	guess_start(&check->guess, &check->credentials->keys, check->account.id,
	            &check->client);
	status = database_run(database, try_guess, check);
	if (status != ST_OK)
		return status == ST_DENIED ? ST_BUSY : status;
	if (password_is_right(check, known))
		return ST_OK;
	log_failure(check, known);
	return ST_DENIED;
}

void password_check_answer_limited(struct http_request *request,
                                   const struct password_check *check)
{
	api_answer_guess_limited(request, check->api, &check->guess);
}

/* --- the transaction -------------------------------------------------------
 */
struct commit {
	struct password_check *check;
	password_work *work;
	void *argument;
};

static enum status forgive_and_work(struct sql *sql,
                                    const struct commit *commit)
{
	struct guess *guess = &commit->check->guess;
	enum status status = guess_limit_forgive(
		sql, commit->check->api->guess_rules, guess);

	if (status == ST_OK)
		status = commit->work(sql, commit->argument);
	if (status != ST_OK)
		return status;
	status = sql_commit(sql);
	guess->forgiven = status == ST_UNCERTAIN;
	return status;
}

static enum status run_commit(struct sql *sql, void *argument)
{
	enum status status = sql_begin(sql);

	if (status == ST_OK)
		status = forgive_and_work(sql, argument);
	if (status != ST_OK)
		sql_rollback(sql);
	return status;
}

enum status password_check_commit(struct password_check *check,
                                  password_work *work, void *argument)
{
	struct commit commit = {check, work, argument};

	return database_run(check->api->database, run_commit, &commit);
}

enum status password_check_hash(struct span password, char *ret_hash)
{
	uint64_t began_us = clock_mono_us();
	enum status status = password_hash(password, ret_hash);

	metric_observe_us(&identity_metrics_hash, clock_mono_us() - began_us);
	return status;
}
