#include "identity-service/api/sign_in.h"
#include "common/base/clock.h"
#include "common/service/log.h"
#include "identity-service/account/account.h"
#include "identity-service/api/api_context.h"
#include "identity-service/api/credentials.h"
#include "identity-service/api/password_check.h"
#include "identity-service/api/refresh_cookie.h"

#include <string.h>

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

void sign_in_start(struct sign_in *sign_in, const struct api_context *api,
                   const struct http_request *request,
                   const struct credentials *credentials, struct buf *texts)
{
	*sign_in = (struct sign_in){
		.api = api,
		.credentials = credentials,
		.device = api_device(request, api, texts),
		.now_ms = clock_unix_ms(),
	};
	uuid_make(&sign_in->session.id);
	refresh_token_make(&sign_in->session.refresh);
}

static void answer_signed_in(struct http_request *request,
                             const struct sign_in *sign_in, unsigned http,
                             const char *event)
{
	const struct session *session = &sign_in->session;
	char id[UUID_TEXT_LEN + 1];

	uuid_format(&session->id, id);
	log_event(LOG_INFO, event, F_NUMBER("user", session->user),
	          F_TEXT("session", id));
	api_answer_signed_in(request, sign_in->api, http, session,
	                     sign_in->now_ms);
}

static enum status find_account(struct sql *sql, void *argument)
{
	struct sign_in *sign_in = argument;

	return account_by_name(sql, &sign_in->credentials->keys,
	                       &sign_in->account);
}

static enum status insert_session(struct sql *sql, struct sign_in *sign_in)
{
	const struct api_context *api = sign_in->api;
	struct session *session = &sign_in->session;

	session->user = sign_in->account.id;
	memcpy(session->name, sign_in->account.name, sizeof(session->name));
	return session_insert(sql, api->session_rules, &sign_in->device,
	                      token_expiry_ms(api->tokens, sign_in->now_ms),
	                      session);
}

/*
 * An earlier attempt with an unknown outcome may have inserted the account:
 * then the row has this attempt's hash, because the salt is random.
 */
static enum status check_taken_name(struct sql *sql, struct sign_in *sign_in)
{
	struct account found;
	enum status status =
		account_by_name(sql, &sign_in->credentials->keys, &found);

	/* The name of an account that was deleted is not free yet. */
	if (status == ST_NOT_FOUND)
		return ST_CONFLICT;
	if (status != ST_OK)
		return status;
	if (strcmp(found.password_hash, sign_in->account.password_hash) != 0)
		return ST_CONFLICT;
	sign_in->account.id = found.id;
	return ST_OK;
}

static enum status insert_both(struct sql *sql, struct sign_in *sign_in)
{
	enum status status = account_insert(
		sql, buf_span(&sign_in->credentials->name),
		buf_span(&sign_in->credentials->keys.key),
		sign_in->account.password_hash, &sign_in->account.id);

	if (status == ST_OK)
		status = known_address_add(sql, sign_in->account.id,
		                           &sign_in->device.address);
	if (status == ST_OK)
		status = insert_session(sql, sign_in);
	return status == ST_OK ? sql_commit(sql) : status;
}

static enum status create_account(struct sql *sql, void *argument)
{
	struct sign_in *sign_in = argument;
	enum status status = sql_begin(sql);

	if (status == ST_OK)
		status = insert_both(sql, sign_in);
	if (status != ST_OK)
		sql_rollback(sql);
	return status == ST_CONFLICT ? check_taken_name(sql, sign_in) : status;
}

static enum status hash_new(struct sign_in *sign_in)
{
	struct span name = buf_span(&sign_in->credentials->name);

	memcpy(sign_in->account.name, name.data, name.len);
	sign_in->account.name[name.len] = '\0';
	return password_check_hash(buf_span(&sign_in->credentials->password),
	                           sign_in->account.password_hash);
}

/* Checks the name first, so that a taken name costs no hash. */
static enum status add_account(const struct api_context *api,
                               struct sign_in *sign_in)
{
	enum status status = database_run(api->database, find_account, sign_in);

	if (status == ST_OK)
		return ST_CONFLICT;
	if (status != ST_NOT_FOUND)
		return status;
	status = hash_new(sign_in);
	if (status != ST_OK)
		return status;
	return database_run(api->database, create_account, sign_in);
}

static void register_hashing(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	CLEANUP(credentials_free) struct credentials credentials = {0};
	CLEANUP(buf_free) struct buf texts = BUF(SESSION_TEXT_MAX);
	struct sign_in sign_in;
	enum status status;

	if (!read_body(request, CREDENTIALS_REGISTER, &credentials))
		return;
	sign_in_start(&sign_in, api, request, &credentials, &texts);
	status = add_account(api, &sign_in);
	if (status == ST_OK)
		answer_signed_in(request, &sign_in, 201, "user.registered");
	else if (status == ST_CONFLICT)
		http_answer_problem(request, 409, "this name is taken");
	else
		api_answer_failure(request, status);
}

/* --- login ---------------------------------------------------------------- */
static enum status work_session(struct sql *sql, void *argument)
{
	struct sign_in *sign_in = argument;
	const struct account *account = &sign_in->account;
	enum status status = account_lock(sql, account->id);

	if (status == ST_NOT_FOUND)
		return ST_DENIED;
	if (status == ST_OK)
		status = insert_session(sql, sign_in);
	if (status == ST_OK && *sign_in->new_hash)
		status = account_set_password(sql, account->id,
		                              account->password_hash,
		                              sign_in->new_hash);
	return status;
}

enum status sign_in_with_password(struct sign_in *sign_in,
                                  struct password_check *ret_check)
{
	enum status status;

	*ret_check = (struct password_check){
		.api = sign_in->api,
		.credentials = sign_in->credentials,
		.client = sign_in->device.address,
	};
	status = password_check(ret_check);
	if (status != ST_OK)
		return status;
	sign_in->account = ret_check->account;
	/* Without a new hash the old one stays right. */
	if (ret_check->is_raw &&
	    password_check_hash(buf_span(&sign_in->credentials->password),
	                        sign_in->new_hash) != ST_OK)
		sign_in->new_hash[0] = '\0';
	return password_check_commit(ret_check, work_session, sign_in);
}

static void login_hashing(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	CLEANUP(credentials_free) struct credentials credentials = {0};
	CLEANUP(buf_free) struct buf texts = BUF(SESSION_TEXT_MAX);
	struct password_check check;
	struct sign_in sign_in;
	enum status status;

	if (!read_body(request, CREDENTIALS_LOGIN, &credentials))
		return;
	sign_in_start(&sign_in, api, request, &credentials, &texts);
	status = sign_in_with_password(&sign_in, &check);
	if (status == ST_OK)
		answer_signed_in(request, &sign_in, 200, "user.signed_in");
	else if (status == ST_DENIED)
		http_answer_problem(request, 401, "name or password is wrong");
	else if (status == ST_BUSY)
		password_check_answer_limited(request, &check);
	else
		api_answer_failure(request, status);
}

/*
 * A browser sends the form of any page. JSON it sends to another origin only if
 * the server allows it. False: the request is answered.
 */
static bool admit_form(struct http_request *request)
{
	struct request_origin origin = request_origin(request);

	if (http_body_is_json(request) || !other_origin(&origin))
		return true;
	http_answer_problem(request, 403,
	                    "the form of a page of another origin");
	return false;
}

/* Answers a bad body at once, without waiting in the queue. */
static void check_then_hash(struct http_request *request,
                            const struct api_context *api,
                            enum credentials_use use, http_handler *hashing)
{
	CLEANUP(credentials_free) struct credentials credentials = {0};

	if (refresh_cookie_admit(request) && admit_form(request) &&
	    read_body(request, use, &credentials))
		api_pass_to_hash(request, api, hashing);
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
