#include "identity-service/oauth/oauth_token.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/service/log.h"
#include "identity-service/api/refresh.h"
#include "identity-service/api/sign_in.h"
#include "identity-service/oauth/oauth_client.h"

/* What the form asks for. */
enum grant { GRANT_NONE, GRANT_PASSWORD, GRANT_REFRESH };

struct token_request {
	struct form *form;
	enum grant grant;
	struct buf client_id;
	struct credentials credentials;     /* of GRANT_PASSWORD */
	struct refresh_token refresh_token; /* of GRANT_REFRESH */
};

static void token_request_free(struct token_request *ask)
{
	form_destroy(&ask->form);
	buf_free(&ask->client_id);
	credentials_free(&ask->credentials);
	mem_wipe(&ask->refresh_token, sizeof(ask->refresh_token));
}

static void refuse_request(struct http_request *request, const char *why)
{
	oauth_answer_error(request, 400, "invalid_request", why);
}

static void refuse_grant(struct http_request *request, const char *why)
{
	oauth_answer_error(request, 400, "invalid_grant", why);
}

static enum grant grant_of(const struct form *form)
{
	struct span grant, ignored;

	if (form_get(form, "grant_type", &grant)) {
		if (span_equal(grant, SPAN("password")))
			return GRANT_PASSWORD;
		return span_equal(grant, SPAN("refresh_token")) ? GRANT_REFRESH
		                                                : GRANT_NONE;
	}
	/* Older clients send a name and a password only. */
	return form_get(form, "username", &ignored) &&
	                       form_get(form, "password", &ignored)
	               ? GRANT_PASSWORD
	               : GRANT_NONE;
}

static bool read_credentials(struct http_request *request,
                             struct token_request *ask)
{
	const char *detail = NULL;
	struct span name, password;

	if (!form_get(ask->form, "username", &name) ||
	    !form_get(ask->form, "password", &password)) {
		refuse_request(request, "username or password is missing");
		return false;
	}
	if (credentials_take(name, password, CREDENTIALS_LOGIN,
	                     &ask->credentials, &detail) == ST_OK)
		return true;
	refuse_request(request, detail);
	return false;
}

static bool read_refresh_token(struct http_request *request,
                               struct token_request *ask)
{
	struct span text;

	if (!form_get(ask->form, "refresh_token", &text)) {
		refuse_request(request, "refresh_token is missing");
		return false;
	}
	if (refresh_token_parse(text, &ask->refresh_token))
		return true;
	refuse_grant(request, "the refresh token is not good");
	return false;
}

/* False: the request is answered. */
static bool read_request(struct http_request *request,
                         const struct api_context *api,
                         struct token_request *ask)
{
	const char *why = NULL;
	struct span grant;

	ask->client_id = BUF(3 * OAUTH_CLIENT_ID_MAX + 1);
	if (form_parse(http_body(request), &ask->form, &why) != ST_OK) {
		refuse_request(request, why);
		return false;
	}
	if (!oauth_client_read(request, ask->form, &ask->client_id))
		return false;
	ask->grant = grant_of(ask->form);
	if (ask->grant == GRANT_REFRESH)
		return read_refresh_token(request, ask);
	if (ask->grant == GRANT_PASSWORD && api->password_grant)
		return read_credentials(request, ask);
	if (form_get(ask->form, "grant_type", &grant))
		oauth_answer_error(request, 400, "unsupported_grant_type",
		                   api->password_grant
		                           ? "grant_type must be password or "
		                             "refresh_token"
		                           : "grant_type must be "
		                             "refresh_token");
	else
		refuse_request(request, "grant_type is missing");
	return false;
}

static void answer_password(struct http_request *request,
                            const struct sign_in *sign_in,
                            const struct password_check *check,
                            enum status status)
{
	char id[UUID_TEXT_LEN + 1];

	if (status == ST_OK) {
		uuid_format(&sign_in->session.id, id);
		log_event(LOG_INFO, "user.signed_in",
		          F_NUMBER("user", sign_in->session.user),
		          F_TEXT("session", id));
		api_answer_oauth(request, sign_in->api, &sign_in->session,
		                 sign_in->now_ms);
	} else if (status == ST_DENIED) {
		refuse_grant(request, "username or password is wrong");
	} else if (status == ST_BUSY) {
		password_check_answer_limited(request, check);
	} else {
		api_answer_failure(request, status);
	}
}

static void password_hashing(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	CLEANUP(token_request_free) struct token_request ask = {0};
	CLEANUP(buf_free) struct buf texts = BUF(SESSION_TEXT_MAX);
	struct password_check check = {0};
	struct sign_in sign_in;

	if (!read_request(request, api, &ask))
		return;
	sign_in_start(&sign_in, api, request, &ask.credentials, &texts);
	sign_in.device.client_id = buf_span(&ask.client_id);
	answer_password(request, &sign_in, &check,
	                sign_in_with_password(&sign_in, &check));
}

static void query_refresh(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	CLEANUP(token_request_free) struct token_request ask = {0};
	CLEANUP(buf_free) struct buf texts = BUF(SESSION_TEXT_MAX);
	struct session_device device = api_device(request, api, &texts);
	uint64_t now_ms = clock_unix_ms();
	struct session session;
	enum status status;

	if (!read_request(request, api, &ask))
		return;
	device.client_id = buf_span(&ask.client_id);
	status = refresh_session(api, &device, &ask.refresh_token, now_ms,
	                         &session);
	if (status == ST_OK)
		api_answer_oauth(request, api, &session, now_ms);
	else if (status == ST_DENIED)
		refuse_grant(request, "the refresh token is not good, or not "
		                      "any more");
	else
		api_answer_failure(request, status);
	mem_wipe(&session, sizeof(session));
}

/* Answers a bad request at once, without waiting in a queue. */
void oauth_token(struct http_request *request, void *context)
{
	CLEANUP(token_request_free) struct token_request ask = {0};

	if (!read_request(request, context, &ask))
		return;
	if (ask.grant == GRANT_PASSWORD)
		api_pass_to_hash(request, context, password_hashing);
	else
		http_pass(request, POOL_QUERY, query_refresh);
}
