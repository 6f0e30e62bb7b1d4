#include "identity-service/api/refresh.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/io/json.h"
#include "common/service/log.h"
#include "identity-service/api/refresh_cookie.h"
#include "identity-service/identity_metrics.h"

/* The cookie of a token that is not good is of no use any more. */
static void refuse(struct http_request *request)
{
	refresh_cookie_delete(request);
	http_answer_problem(request, 401,
	                    "the refresh token is not good, or not any more: "
	                    "sign in again");
}

/*
 * A page of a sibling host can add a cookie, whose token may be of another
 * user: then none of them is used or deleted.
 */
static bool read_cookie(struct http_request *request, const struct json *body,
                        struct refresh_token *ret_token)
{
	enum status status = refresh_cookie_read(request, ret_token);

	if (json_kind(body, "refresh_token") != JSON_ABSENT)
		http_answer_problem(request, 422,
		                    "refresh_token and the header "
		                    "Parley-Refresh-Token exclude each other");
	else if (status == ST_CONFLICT)
		http_answer_problem(request, 400,
		                    "there are several cookies with a refresh "
		                    "token: another host has set one");
	else if (status == ST_NOT_FOUND)
		http_answer_problem(request, 401,
		                    "there is no cookie with a refresh token: "
		                    "sign in");
	else if (status != ST_OK)
		refuse(request);
	else
		return true;
	return false;
}

/* False: the request is answered. */
static bool read_token(struct http_request *request,
                       struct refresh_token *ret_token)
{
	CLEANUP(json_destroy) struct json *body = NULL;
	const char *why = NULL;
	struct span text;

	if (json_parse(http_body(request), &body, &why) != ST_OK)
		http_answer_problem(request, 400, why);
	else if (refresh_cookie_asked(request))
		return read_cookie(request, body, ret_token);
	else if (!json_get_text(body, "refresh_token", &text))
		http_answer_problem(request, 422,
		                    "refresh_token is missing or not a string");
	else if (!refresh_token_parse(text, ret_token))
		refuse(request);
	else
		return true;
	return false;
}

struct task {
	struct session_refresh refresh;
	struct session session;
};

static enum status run_refresh(struct sql *sql, void *argument)
{
	struct task *task = argument;

	return session_refresh(sql, &task->refresh, &task->session);
}

static void report_reuse(const struct api_context *api,
                         const struct session *session)
{
	char id[UUID_TEXT_LEN + 1];

	uuid_format(&session->id, id);
	metric_count(&identity_metrics_refresh_reused, 1);
	log_event(LOG_WARN, "session.token_reused",
	          F_NUMBER("user", session->user), F_TEXT("session", id));
	api_read_ended(api, session->user);
}

enum status refresh_session(const struct api_context *api,
                            const struct session_device *device,
                            const struct refresh_token *token, uint64_t now_ms,
                            struct session *ret_session)
{
	struct task task = {.refresh = {.rules = api->session_rules,
	                                .device = device,
	                                .token = *token,
	                                .expires_at_ms = token_expiry_ms(
						api->tokens, now_ms)}};
	enum status status = database_run(api->database, run_refresh, &task);

	if (status == ST_CONFLICT)
		report_reuse(api, &task.session);
	*ret_session = task.session;
	mem_wipe(&task, sizeof(task));
	return status == ST_CONFLICT ? ST_DENIED : status;
}

static void query_refresh(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	CLEANUP(buf_free) struct buf texts = BUF(SESSION_TEXT_MAX);
	struct session_device device = api_device(request, api, &texts);
	uint64_t now_ms = clock_unix_ms();
	struct refresh_token token;
	struct session session;
	enum status status;

	if (!read_token(request, &token))
		return;
	status = refresh_session(api, &device, &token, now_ms, &session);
	if (status == ST_OK)
		api_answer_signed_in(request, api, 200, &session, now_ms);
	else if (status == ST_DENIED)
		refuse(request);
	else
		api_answer_failure(request, status);
	mem_wipe(&token, sizeof(token));
	mem_wipe(&session, sizeof(session));
}

/* Answers a bad body at once, without waiting in the queue. */
void refresh_tokens(struct http_request *request, void *context)
{
	struct refresh_token token;

	(void)context;
	if (refresh_cookie_admit(request) && read_token(request, &token))
		http_pass(request, POOL_QUERY, query_refresh);
	mem_wipe(&token, sizeof(token));
}
