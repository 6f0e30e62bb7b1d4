#include "identity-service/sign_in.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "common/service/log.h"
#include "identity-service/account.h"
#include "identity-service/credentials.h"
#include "identity-service/identity_metrics.h"

#include <stdio.h>
#include <string.h>

enum { ANSWER_MAX = 8192, TRIES = 5 };

/* One sign-in. Its database tasks may run twice. */
struct attempt {
	const struct api_context *api;
	const struct credentials *credentials;
	struct ip_address client;
	struct guess guess; /* of a login */
	struct account account;
	struct uuid session;
	uint64_t now_ms;
	uint64_t expires_at_ms;
	bool is_raw; /* the password is right as sent, not normalised */
	char new_hash[PASSWORD_HASH_MAX + 1]; /* of such a password */
};

static bool read_body(struct http_request *request, enum credentials_use use,
                      struct credentials *ret_credentials)
{
	const char *detail = NULL;
	enum status status =
		credentials_read(http_body(request), http_body_is_json(request),
	                         use, ret_credentials, &detail);

	if (status != ST_OK)
		http_answer_problem(request, status == ST_INVALID ? 400 : 422,
		                    detail);
	return status == ST_OK;
}

static void start(struct attempt *attempt, const struct api_context *api,
                  const struct http_request *request,
                  const struct credentials *credentials)
{
	*attempt = (struct attempt){
		.api = api,
		.credentials = credentials,
		.client = http_client_address(request, api->trusted_proxies),
	};
	uuid_make(&attempt->session);
	attempt->now_ms = clock_unix_ms();
	attempt->expires_at_ms = token_expiry_ms(api->tokens, attempt->now_ms);
}

static enum status issue(const struct api_context *api,
                         const struct attempt *attempt, struct buf *answer)
{
	CLEANUP(buf_free) struct buf token = BUF(TOKEN_MAX);
	struct json_writer w = json_writer(answer);
	struct span name = span_of(attempt->account.name);
	enum status status =
		token_issue(api->tokens, attempt->account.id, name,
	                    &attempt->session, attempt->now_ms, &token);

	if (status != ST_OK)
		return status;
	json_open(&w);
	json_text(&w, "token", buf_span(&token));
	json_text(&w, "token_type", SPAN("Bearer"));
	json_number(&w, "expires_in",
	            attempt->expires_at_ms / 1000 - attempt->now_ms / 1000);
	json_open_object(&w, "user");
	json_number(&w, "id", attempt->account.id);
	json_text(&w, "name", name);
	json_close(&w);
	json_close(&w);
	return ST_OK;
}

static void answer_failure(struct http_request *request, enum status status)
{
	if (status == ST_BROKEN)
		http_answer_problem(request, 500, "internal error");
	else
		http_answer_problem(request, 503,
		                    "the database is unavailable");
}

static void answer_token(struct http_request *request,
                         const struct api_context *api,
                         const struct attempt *attempt, unsigned http,
                         const char *event)
{
	CLEANUP(buf_free) struct buf answer = BUF(ANSWER_MAX);
	char session[UUID_TEXT_LEN + 1];
	enum status status = issue(api, attempt, &answer);

	if (status != ST_OK) {
		log_event(status == ST_BROKEN ? LOG_ERROR : LOG_WARN,
		          "token.not_issued",
		          F_TEXT("status", status_text(status)));
		answer_failure(request, status);
		return;
	}
	uuid_format(&attempt->session, session);
	log_event(LOG_INFO, event, F_NUMBER("user", attempt->account.id),
	          F_TEXT("session", session));
	http_set_header(request, "Cache-Control", "no-store");
	http_answer_json(request, http, buf_span(&answer));
	mem_wipe(answer.data, answer.capacity);
}

static enum status find_account(struct sql *sql, void *argument)
{
	struct attempt *attempt = argument;

	return account_by_name(sql, &attempt->credentials->keys,
	                       &attempt->account);
}

static enum status insert_session(struct sql *sql, void *argument)
{
	struct attempt *attempt = argument;

	return session_insert(sql, &attempt->session, attempt->account.id,
	                      attempt->expires_at_ms);
}

/*
 * An earlier attempt with an unknown outcome may have inserted the account:
 * then the row has this attempt's hash, because the salt is random.
 */
static enum status check_taken_name(struct sql *sql, struct attempt *attempt)
{
	struct account found;
	enum status status =
		account_by_name(sql, &attempt->credentials->keys, &found);

	if (status != ST_OK)
		return status;
	if (strcmp(found.password_hash, attempt->account.password_hash) != 0)
		return ST_CONFLICT;
	attempt->account.id = found.id;
	return ST_OK;
}

static enum status insert_both(struct sql *sql, struct attempt *attempt)
{
	enum status status = account_insert(
		sql, buf_span(&attempt->credentials->name),
		buf_span(&attempt->credentials->keys.key),
		attempt->account.password_hash, &attempt->account.id);

	if (status == ST_OK)
		status = known_address_add(sql, attempt->account.id,
		                           &attempt->client);
	if (status == ST_OK)
		status = insert_session(sql, attempt);
	return status == ST_OK ? sql_commit(sql) : status;
}

static enum status create_account(struct sql *sql, void *argument)
{
	struct attempt *attempt = argument;
	enum status status = sql_begin(sql);

	if (status != ST_OK)
		return status;
	status = insert_both(sql, attempt);
	if (status != ST_OK)
		sql_rollback(sql);
	return status == ST_CONFLICT ? check_taken_name(sql, attempt) : status;
}

static enum status hash_new(struct attempt *attempt)
{
	uint64_t began_us = clock_mono_us();
	enum status status =
		password_hash(buf_span(&attempt->credentials->password),
	                      attempt->account.password_hash);
	struct span name = buf_span(&attempt->credentials->name);

	metric_observe_us(&identity_metrics_hash, clock_mono_us() - began_us);
	memcpy(attempt->account.name, name.data, name.len);
	attempt->account.name[name.len] = '\0';
	return status;
}

/* Checks the name first, so that a taken name costs no hash. */
static enum status add_account(const struct api_context *api,
                               struct attempt *attempt)
{
	enum status status = database_run(api->database, find_account, attempt);

	if (status == ST_OK)
		return ST_CONFLICT;
	if (status != ST_NOT_FOUND)
		return status;
	status = hash_new(attempt);
	if (status != ST_OK)
		return status;
	return database_run(api->database, create_account, attempt);
}

static void register_hashing(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	CLEANUP(credentials_free) struct credentials credentials = {0};
	struct attempt attempt;
	enum status status;

	if (!read_body(request, CREDENTIALS_REGISTER, &credentials))
		return;
	start(&attempt, api, request, &credentials);
	status = add_account(api, &attempt);
	if (status == ST_OK)
		answer_token(request, api, &attempt, 201, "user.registered");
	else if (status == ST_CONFLICT)
		http_answer_problem(request, 409, "this name is taken");
	else
		answer_failure(request, status);
}

/* --- login ---------------------------------------------------------------- */
static bool hash_matches(struct span password, const char *hash)
{
	uint64_t began_us = clock_mono_us();
	bool matches = password_matches(password, hash);

	metric_observe_us(&identity_metrics_hash, clock_mono_us() - began_us);
	return matches;
}

/*
 * Takes the same time for an unknown name. How many hashes are tried depends
 * on the form of the password alone.
 */
static bool password_is_right(struct attempt *attempt, bool known)
{
	const struct credentials *credentials = attempt->credentials;
	const char *hash = known ? attempt->account.password_hash
	                         : attempt->api->dummy_hash;
	bool right = hash_matches(buf_span(&credentials->password), hash);

	if (!right && credentials->raw_password.len) {
		right = hash_matches(buf_span(&credentials->raw_password),
		                     hash);
		attempt->is_raw = right;
	}
	return known && right;
}

/* The account is from before passwords were normalised. */
static void hash_again(struct attempt *attempt)
{
	/* Without a new hash the old one stays right. */
	if (password_hash(buf_span(&attempt->credentials->password),
	                  attempt->new_hash) != ST_OK)
		attempt->new_hash[0] = '\0';
}

static void refuse_login(struct http_request *request,
                         const struct attempt *attempt, bool known)
{
	if (known)
		log_event(LOG_WARN, "login.failed",
		          F_TEXT("why", "wrong password"),
		          F_NUMBER("user", attempt->account.id));
	else
		log_event(LOG_WARN, "login.failed",
		          F_TEXT("why", "unknown name"));
	http_answer_problem(request, 401, "name or password is wrong");
}

/*
 * Sign-ins from one address lock the same row: the server may roll one of them
 * back (deadlock) although the connection is fine.
 */
static bool was_rolled_back(struct sql *sql, enum status status)
{
	return status == ST_UNAVAILABLE && sql_connected(sql);
}

static enum status try_guess(struct sql *sql, void *argument)
{
	struct attempt *attempt = argument;
	enum status status = ST_UNAVAILABLE;

	for (unsigned i = 0; i < TRIES; i++) {
		status = guess_limit_try(sql, attempt->api->guess_rules,
		                         &attempt->guess);
		if (!was_rolled_back(sql, status))
			break;
	}
	return status;
}

/* An unknown name gets the same answer. */
static void refuse_guess(struct http_request *request,
                         const struct attempt *attempt)
{
	static const char *const subjects[GUESS_SUBJECTS] = {
		[GUESS_ADDRESS] = "address",
		[GUESS_NAME] = "name",
		[GUESS_KNOWN] = "name at a known address",
	};
	const struct guess *guess = &attempt->guess;
	char seconds[24];

	(void)snprintf(seconds, sizeof(seconds), "%llu",
	               (unsigned long long)guess->wait_s);
	metric_count(&identity_metrics_guesses_refused[guess->refused_by], 1);
	/* Once for each doubling: an attacker may be refused very often. */
	if (guess->wait_s < attempt->api->guess_rules->name.wait_max_s)
		log_event(LOG_WARN, "login.limited",
		          F_TEXT("subject", subjects[guess->refused_by]),
		          F_NUMBER("user", guess->user),
		          F_NUMBER("wait_s", guess->wait_s));
	http_set_header(request, "Retry-After", seconds);
	http_answer_problem(request, 429,
	                    "too many failed attempts; try again later");
}

/* True: the password may be checked. */
static bool admit_guess(struct http_request *request, struct attempt *attempt)
{
	enum status status;

	guess_start(&attempt->guess, &attempt->credentials->keys,
	            attempt->account.id, &attempt->client);
	status = database_run(attempt->api->database, try_guess, attempt);
	if (status == ST_OK)
		return true;
	if (status == ST_DENIED)
		refuse_guess(request, attempt);
	else
		answer_failure(request, status);
	return false;
}

static enum status forgive_and_insert(struct sql *sql, struct attempt *attempt)
{
	struct guess *guess = &attempt->guess;
	enum status status = ST_OK;

	/* Not twice, if the outcome of a commit is unknown. */
	if (!guess->forgiven)
		status = guess_limit_forgive(sql, attempt->api->guess_rules,
		                             guess);
	if (status == ST_OK)
		status = insert_session(sql, attempt);
	if (status == ST_OK && *attempt->new_hash)
		status = account_set_password(sql, attempt->account.id,
		                              attempt->account.password_hash,
		                              attempt->new_hash);
	if (status != ST_OK)
		return status;
	status = sql_commit(sql);
	guess->forgiven = status == ST_UNCERTAIN;
	return status;
}

static enum status create_session(struct sql *sql, void *argument)
{
	enum status status = ST_UNAVAILABLE;

	for (unsigned i = 0; i < TRIES; i++) {
		status = sql_begin(sql);
		if (status == ST_OK)
			status = forgive_and_insert(sql, argument);
		if (status != ST_OK)
			sql_rollback(sql);
		if (!was_rolled_back(sql, status))
			break;
	}
	return status;
}

static void login_hashing(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	CLEANUP(credentials_free) struct credentials credentials = {0};
	struct attempt attempt;
	enum status status;
	bool known;

	if (!read_body(request, CREDENTIALS_LOGIN, &credentials))
		return;
	start(&attempt, api, request, &credentials);
	status = database_run(api->database, find_account, &attempt);
	known = status == ST_OK;
	if (!known && status != ST_NOT_FOUND) {
		answer_failure(request, status);
		return;
	}
	if (!admit_guess(request, &attempt))
		return;
	if (!password_is_right(&attempt, known)) {
		refuse_login(request, &attempt, known);
		return;
	}
	if (attempt.is_raw)
		hash_again(&attempt);
	status = database_run(api->database, create_session, &attempt);
	if (status == ST_OK)
		answer_token(request, api, &attempt, 200, "user.signed_in");
	else
		answer_failure(request, status);
}

/*
 * Answers a bad body at once, without waiting in the queue. A client that sends
 * without end fills its share of the queue only.
 */
static void check_then_hash(struct http_request *request,
                            const struct api_context *api,
                            enum credentials_use use, http_handler *hashing)
{
	CLEANUP(credentials_free) struct credentials credentials = {0};
	struct ip_address client =
		http_client_address(request, api->trusted_proxies);

	if (!read_body(request, use, &credentials))
		return;
	client = ip_address_subscriber(&client);
	http_set_client(request, &client);
	http_pass(request, POOL_HASH, hashing);
}

void sign_in_register(struct http_request *request, void *context)
{
	check_then_hash(request, context, CREDENTIALS_REGISTER,
	                register_hashing);
}

void sign_in_login(struct http_request *request, void *context)
{
	check_then_hash(request, context, CREDENTIALS_LOGIN, login_hashing);
}
