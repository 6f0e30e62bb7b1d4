#include "identity-service/api/api_context.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "common/service/log.h"
#include "common/wire/fields.h"
#include "identity-service/api/refresh_cookie.h"
#include "identity-service/identity_metrics.h"

#include <stdio.h>

enum { ANSWER_MAX = 8192 };

bool api_authenticate(struct http_request *request,
                      const struct api_context *api,
                      struct token_owner *ret_owner)
{
	const char *why = "";
	enum status status =
		token_owner(api->tokens, api->database, http_bearer(request),
	                    clock_unix_ms(), ret_owner, &why);

	if (status == ST_OK)
		return true;
	if (status == ST_NOT_FOUND) {
		http_pass_again(request, POOL_QUERY);
		return false;
	}
	if (status == ST_DENIED) {
		log_event(LOG_WARN, "token.refused", F_TEXT("why", why));
		http_answer_problem(request, 401,
		                    "the token is missing, malformed, expired "
		                    "or revoked");
		return false;
	}
	http_answer_problem(request, 503,
	                    "the signing keys cannot be read at the moment");
	return false;
}

void api_pass_if_authenticated(struct http_request *request, void *context,
                               http_handler *handle)
{
	struct token_owner owner;

	if (api_authenticate(request, context, &owner))
		http_pass(request, POOL_QUERY, handle);
}

void api_pass_of_client(struct http_request *request,
                        const struct api_context *api, enum api_pool pool,
                        http_handler *handle)
{
	struct ip_address client =
		http_client_address(request, api->trusted_proxies);

	client = ip_address_subscriber(&client);
	http_set_client(request, &client);
	http_pass(request, (int)pool, handle);
}

void api_pass_to_hash(struct http_request *request,
                      const struct api_context *api, http_handler *handle)
{
	api_pass_of_client(request, api, POOL_HASH, handle);
}

/* A header may hold any bytes. */
static struct span printable(struct span text, struct buf *out)
{
	size_t from = out->len;

	for (size_t i = 0; i < text.len && i < SESSION_TEXT_MAX; i++)
		buf_byte(out, text.data[i] >= ' ' && text.data[i] <= '~'
		                      ? text.data[i]
		                      : '?');
	return span_make(out->data + from, out->len - from);
}

struct session_device api_device(const struct http_request *request,
                                 const struct api_context *api,
                                 struct buf *texts)
{
	return (struct session_device){
		.address = http_client_address(request, api->trusted_proxies),
		.user_agent =
			printable(http_header(request, "User-Agent"), texts),
	};
}

void api_answer_deleted(struct http_request *request)
{
	http_answer_problem(request, 401, "the account is deleted");
}

void api_answer_failure(struct http_request *request, enum status status)
{
	if (status == ST_BROKEN)
		http_answer_problem(request, 500, "internal error");
	else
		http_answer_problem(request, 503,
		                    "the database is unavailable");
}

void api_answer_limited(struct http_request *request, uint64_t wait_s,
                        const char *detail)
{
	char seconds[24];

	(void)snprintf(seconds, sizeof(seconds), "%llu",
	               (unsigned long long)wait_s);
	http_set_header(request, "Retry-After", seconds);
	http_answer_problem(request, 429, detail);
}

/* A name that does not exist gets the same answer. */
void api_answer_guess_limited(struct http_request *request,
                              const struct api_context *api,
                              const struct guess *guess)
{
	static const char *const subjects[GUESS_SUBJECTS] = {
		[GUESS_ADDRESS] = "address",
		[GUESS_NAME] = "name",
		[GUESS_KNOWN] = "name at a known address",
	};

	metric_count(&identity_metrics_guesses_refused[guess->refused_by], 1);
	/* Once for each doubling: an attacker may be refused very often. */
	if (guess->wait_s < api->guess_rules->name.wait_max_s)
		log_event(LOG_WARN, "login.limited",
		          F_TEXT("subject", subjects[guess->refused_by]),
		          F_NUMBER("user", guess->user),
		          F_NUMBER("wait_s", guess->wait_s));
	api_answer_limited(request, guess->wait_s,
	                   "too many failed attempts; try again later");
}

struct ended {
	struct revocations *revocations;
	uint64_t user;
};

static enum status read_ended(struct sql *sql, void *argument)
{
	struct ended *ended = argument;

	return revocations_load_user(ended->revocations, sql, ended->user);
}

/* If it fails, the main thread reads them. */
void api_read_ended(const struct api_context *api, uint64_t user)
{
	struct ended ended = {.revocations = api->revocations, .user = user};

	(void)!database_run(api->database, read_ended, &ended);
}

struct answer {
	struct buf token;
	char refresh[REFRESH_TOKEN_LEN + 1];
	uint64_t expires_in_s;
	struct buf json;
};

static void answer_wipe(struct answer *answer)
{
	mem_wipe(answer->refresh, sizeof(answer->refresh));
	if (answer->json.data)
		mem_wipe(answer->json.data, answer->json.capacity);
	buf_free(&answer->json);
	buf_free(&answer->token);
}

/* False: the request is answered. */
static bool issue(struct http_request *request, const struct api_context *api,
                  const struct session *session, uint64_t now_ms,
                  struct answer *answer)
{
	enum status status;

	*answer = (struct answer){.token = BUF(TOKEN_MAX),
	                          .json = BUF(ANSWER_MAX)};
	status = token_issue(api->tokens, session->user, span_of(session->name),
	                     &session->id, now_ms, &answer->token);
	if (status != ST_OK) {
		log_event(status == ST_BROKEN ? LOG_ERROR : LOG_WARN,
		          "token.not_issued",
		          F_TEXT("status", status_text(status)));
		api_answer_failure(request, status);
		return false;
	}
	answer->expires_in_s =
		token_expiry_ms(api->tokens, now_ms) / 1000 - now_ms / 1000;
	refresh_token_format(&session->refresh, answer->refresh);
	http_set_header(request, "Cache-Control", "no-store");
	return true;
}

void api_answer_signed_in(struct http_request *request,
                          const struct api_context *api, unsigned http,
                          const struct session *session, uint64_t now_ms)
{
	CLEANUP(answer_wipe) struct answer answer = {0};
	struct json_writer w = json_writer(&answer.json);

	if (!issue(request, api, session, now_ms, &answer))
		return;
	json_open(&w);
	json_text(&w, "token", buf_span(&answer.token));
	json_text(&w, "token_type", SPAN("Bearer"));
	json_number(&w, "expires_in", answer.expires_in_s);
	if (!refresh_cookie_asked(request))
		json_text(&w, "refresh_token", span_of(answer.refresh));
	json_number(&w, "refresh_expires_in", session->refresh_expires_in_s);
	json_open_object(&w, FIELD_USER);
	json_number(&w, FIELD_ID, session->user);
	json_text(&w, FIELD_NAME, span_of(session->name));
	json_close(&w);
	json_close(&w);
	refresh_cookie_set(request, answer.refresh,
	                   session->refresh_expires_in_s);
	http_set_header(request, "Vary", REFRESH_COOKIE_VARY);
	http_answer_json(request, http, buf_span(&answer.json));
}

void api_answer_oauth(struct http_request *request,
                      const struct api_context *api,
                      const struct session *session, uint64_t now_ms)
{
	CLEANUP(answer_wipe) struct answer answer = {0};
	struct json_writer w = json_writer(&answer.json);

	if (!issue(request, api, session, now_ms, &answer))
		return;
	json_open(&w);
	json_text(&w, "access_token", buf_span(&answer.token));
	json_text(&w, "token_type", SPAN("bearer"));
	json_number(&w, "expires_in", answer.expires_in_s);
	json_text(&w, "refresh_token", span_of(answer.refresh));
	json_text(&w, "scope", SPAN("chat"));
	json_close(&w);
	http_set_header(request, "Pragma", "no-cache");
	http_answer_json(request, 200, buf_span(&answer.json));
}
