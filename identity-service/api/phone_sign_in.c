#include "identity-service/api/phone_sign_in.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/service/log.h"
#include "identity-service/account/account.h"
#include "identity-service/api/phone_check.h"
#include "identity-service/api/refresh_cookie.h"

enum { MADE_UP_NAMES = 5, MADE_UP_LEN = 10 };

struct verify {
	struct phone_check check;
	struct session_device device;
	uint64_t now_ms;
	bool has_name; /* the client chose one */
	struct buf name;
	struct buf key;
	struct session session;
	bool created;
};

static void verify_free(struct verify *verify)
{
	phone_check_free(&verify->check);
	buf_free(&verify->name);
	buf_free(&verify->key);
	mem_wipe(&verify->session, sizeof(verify->session));
}

/* --- the body ------------------------------------------------------------- */
/* NULL, or the fault. */
static const char *take_name(struct verify *verify)
{
	const struct json *body = verify->check.body;
	enum json_kind kind = json_kind(body, "name");
	struct span name;
	const char *fault;

	verify->name = BUF(NAME_MAX_BYTES);
	verify->key = BUF(NAME_KEY_MAX);
	if (kind == JSON_ABSENT || kind == JSON_NULL)
		return NULL;
	if (!json_get_text(body, "name", &name))
		return "name is not a string";
	fault = name_read(name, &verify->name);
	if (!fault && name_key(buf_span(&verify->name), &verify->key) != ST_OK)
		fault = "name cannot be used";
	verify->has_name = true;
	return fault;
}

/* False: the request is answered. */
static bool read_body(struct http_request *request,
                      const struct api_context *api, struct verify *verify)
{
	const char *fault;

	if (!phone_check_read(request, api, &verify->check))
		return false;
	fault = take_name(verify);
	if (fault)
		http_answer_problem(request, 422, fault);
	return !fault;
}

/* --- the account ---------------------------------------------------------- */
static void make_up_name(struct verify *verify)
{
	static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
	uint8_t bytes[MADE_UP_LEN];

	random_bytes(bytes, sizeof(bytes));
	buf_clear(&verify->name);
	buf_clear(&verify->key);
	buf_append(&verify->name, SPAN("user-"));
	for (unsigned i = 0; i < MADE_UP_LEN; i++)
		buf_byte(&verify->name,
		         letters[bytes[i] % (sizeof(letters) - 1)]);
	buf_append(&verify->key, buf_span(&verify->name));
}

static enum status insert_account(struct sql *sql, struct verify *verify,
                                  struct account *ret_account)
{
	struct span name = buf_span(&verify->name);

	memcpy(ret_account->name, name.data, name.len);
	ret_account->name[name.len] = '\0';
	return account_insert_by_phone(sql, name, buf_span(&verify->key),
	                               phone_span(&verify->check.phone),
	                               &ret_account->id);
}

static enum status find_or_insert(struct sql *sql, struct verify *verify,
                                  struct account *ret_account)
{
	enum status status = account_by_phone(
		sql, phone_span(&verify->check.phone), ret_account);

	/* The first run has inserted it. */
	if (verify->check.again)
		return status;
	verify->created = status == ST_NOT_FOUND;
	return verify->created ? insert_account(sql, verify, ret_account)
	                       : status;
}

static enum status start_session(struct sql *sql, void *argument)
{
	struct verify *verify = argument;
	const struct api_context *api = verify->check.api;
	struct session *session = &verify->session;
	struct account account = {0};
	enum status status = find_or_insert(sql, verify, &account);

	if (status != ST_OK)
		return status;
	/* Deleted just now: the next run finds the phone free. */
	status = account_lock(sql, account.id);
	if (status != ST_OK)
		return status == ST_NOT_FOUND ? ST_UNAVAILABLE : status;
	session->user = account.id;
	memcpy(session->name, account.name, sizeof(session->name));
	status = known_address_add(sql, account.id, &verify->device.address);
	return status == ST_OK
	               ? session_insert(
				 sql, api->session_rules, &verify->device,
				 token_expiry_ms(api->tokens, verify->now_ms),
				 session)
	               : status;
}

/* A made-up name may be taken as well. */
static enum status sign_in(struct verify *verify)
{
	unsigned names = verify->has_name ? 1 : MADE_UP_NAMES;
	enum status status = phone_check(&verify->check);

	if (status != ST_OK)
		return status;
	for (unsigned i = 0; i < names; i++) {
		if (!verify->has_name)
			make_up_name(verify);
		status = phone_check_commit(&verify->check, start_session,
		                            verify);
		if (status != ST_CONFLICT)
			return status;
	}
	phone_check_give_back(&verify->check);
	return verify->has_name ? ST_CONFLICT : ST_UNAVAILABLE;
}

/* --- the answer ----------------------------------------------------------- */
static void answer_signed_in(struct http_request *request,
                             const struct verify *verify)
{
	const struct session *session = &verify->session;
	char id[UUID_TEXT_LEN + 1];

	uuid_format(&session->id, id);
	log_event(LOG_INFO,
	          verify->created ? "user.registered" : "user.signed_in",
	          F_NUMBER("user", session->user), F_TEXT("session", id));
	api_answer_signed_in(request, verify->check.api,
	                     verify->created ? 201 : 200, session,
	                     verify->now_ms);
}

static void verify_phone(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	CLEANUP(verify_free) struct verify verify = {0};
	CLEANUP(buf_free) struct buf texts = BUF(SESSION_TEXT_MAX);
	enum status status;

	if (!read_body(request, api, &verify))
		return;
	verify.device = api_device(request, api, &texts);
	verify.now_ms = clock_unix_ms();
	uuid_make(&verify.session.id);
	refresh_token_make(&verify.session.refresh);
	status = sign_in(&verify);
	if (status == ST_OK)
		answer_signed_in(request, &verify);
	else if (status == ST_DENIED)
		http_answer_problem(request, 401, "the code is wrong or old");
	else if (status == ST_CONFLICT)
		http_answer_problem(request, 409,
		                    "this name is taken; the code stays good");
	else
		phone_check_answer(request, &verify.check, status);
}

/* Answers a bad body at once, without waiting in the queue. */
void phone_verify(struct http_request *request, void *context)
{
	CLEANUP(verify_free) struct verify verify = {0};

	if (refresh_cookie_admit(request) && phone_is_on(request, context) &&
	    read_body(request, context, &verify))
		api_pass_of_client(request, context, POOL_PHONE, verify_phone);
}
