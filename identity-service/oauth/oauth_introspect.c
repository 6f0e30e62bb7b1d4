#include "identity-service/oauth/oauth_introspect.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "common/io/json.h"
#include "common/service/log.h"
#include "identity-service/api/api_context.h"
#include "identity-service/oauth/oauth_client.h"

enum { ANSWER_MAX = 8192 };

/* The member `token` of the form. False: the request is answered. */
static bool read_token(struct http_request *request, struct form **ret_form,
                       struct span *ret_token)
{
	const char *why = NULL;

	if (form_parse(http_body(request), ret_form, &why) != ST_OK) {
		oauth_answer_error(request, 400, "invalid_request", why);
		return false;
	}
	if (form_get(*ret_form, "token", ret_token))
		return true;
	oauth_answer_error(request, 400, "invalid_request", "token is missing");
	return false;
}

/* --- introspect ------------------------------------------------------------
 */
static void copy_text(struct json_writer *w, const struct json *claims,
                      const char *from, const char *to)
{
	struct span text;

	if (json_get_text(claims, from, &text))
		json_text(w, to, text);
}

static void copy_number(struct json_writer *w, const struct json *claims,
                        const char *name)
{
	uint64_t number;

	if (json_get_id(claims, name, &number))
		json_number(w, name, number);
}

static void write_claims(struct json_writer *w, const struct json *claims)
{
	static const char *const texts[] = {"sub", "sid", "iss", "aud", "jti"};

	for (unsigned i = 0; i < ARRAY_LEN(texts); i++)
		copy_text(w, claims, texts[i], texts[i]);
	copy_number(w, claims, "exp");
	copy_number(w, claims, "iat");
	copy_text(w, claims, "name", "username");
	json_text(w, "token_type", SPAN("bearer"));
}

/*
 * Without the database: the keys and the revocations are in memory. For a key
 * that is not, it runs again in the pool.
 */
void oauth_introspect(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	CLEANUP(buf_free) struct buf answer = BUF(ANSWER_MAX);
	CLEANUP(form_destroy) struct form *form = NULL;
	CLEANUP(json_destroy) struct json *claims = NULL;
	struct json_writer w = json_writer(&answer);
	struct span token;
	const char *why = "";
	enum status status;

	if (!oauth_service_is_known(request, span_of(api->service_secret))) {
		oauth_answer_error(request, 401, "invalid_client",
		                   "the password of HTTP Basic must be the "
		                   "content of IDENTITY_SERVICE_SECRET_FILE");
		return;
	}
	if (!read_token(request, &form, &token))
		return;
	status = token_claims(api->tokens, api->database, token,
	                      clock_unix_ms(), &claims, &why);
	if (status == ST_NOT_FOUND) {
		http_pass_again(request, POOL_QUERY);
		return;
	}
	if (status != ST_OK && status != ST_DENIED) {
		api_answer_failure(request, status);
		return;
	}
	json_open(&w);
	json_bool(&w, "active", status == ST_OK);
	if (status == ST_OK)
		write_claims(&w, claims);
	json_close(&w);
	http_set_header(request, "Cache-Control", "no-store");
	http_answer_json(request, 200, buf_span(&answer));
}

/* --- revoke ----------------------------------------------------------------
 */
struct revoke {
	bool is_refresh;
	struct refresh_token refresh;
	struct token_owner owner; /* of an access token */
	uint64_t user;            /* of the session that has ended */
};

/* ST_DENIED: the token ends no session. */
static enum status find_session(const struct api_context *api,
                                struct span token, struct revoke *revoke)
{
	const char *why;

	revoke->is_refresh = refresh_token_parse(token, &revoke->refresh);
	return revoke->is_refresh
	               ? ST_OK
	               : token_owner(api->tokens, api->database, token,
	                             clock_unix_ms(), &revoke->owner, &why);
}

static enum status end_session(struct sql *sql, void *argument)
{
	struct revoke *revoke = argument;
	struct uuid id;

	if (revoke->is_refresh)
		return session_end_family(sql, &revoke->refresh, &revoke->user);
	(void)uuid_parse(span_of(revoke->owner.session), &id);
	revoke->user = revoke->owner.user;
	return session_end(sql, revoke->user, &id);
}

static void query_revoke(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	CLEANUP(form_destroy) struct form *form = NULL;
	struct revoke revoke = {0};
	enum status status;
	struct span token;

	if (!read_token(request, &form, &token))
		return;
	status = find_session(api, token, &revoke);
	if (status == ST_OK)
		status = database_run(api->database, end_session, &revoke);
	if (status == ST_OK)
		log_event(LOG_INFO, "session.revoked",
		          F_NUMBER("user", revoke.user));
	/* Not found: perhaps an earlier run of the task has ended it. */
	if (status == ST_OK || (status == ST_NOT_FOUND && revoke.user))
		api_read_ended(api, revoke.user);
	if (status == ST_OK || status == ST_NOT_FOUND || status == ST_DENIED)
		http_answer(request, 200, NULL, SPAN_NONE);
	else
		api_answer_failure(request, status);
	mem_wipe(&revoke, sizeof(revoke));
}

void oauth_revoke(struct http_request *request, void *context)
{
	CLEANUP(form_destroy) struct form *form = NULL;
	CLEANUP(buf_free) struct buf client = BUF(3 * OAUTH_CLIENT_ID_MAX + 1);
	struct span token;

	(void)context;
	if (read_token(request, &form, &token) &&
	    oauth_client_read(request, form, &client))
		http_pass(request, POOL_QUERY, query_revoke);
}
