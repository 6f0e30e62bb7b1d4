#include "identity-service/api/lookup.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/wire/fields.h"
#include "identity-service/account/account.h"
#include "identity-service/api/api_context.h"

enum { ANSWER_MAX = 4096 };

void lookup_token(struct http_request *request, void *context)
{
	CLEANUP(buf_free) struct buf answer = BUF(ANSWER_MAX);
	struct json_writer w = json_writer(&answer);
	const struct api_context *api = context;
	struct token_owner owner;

	if (!api_authenticate(request, api, &owner))
		return;
	session_uses_note(api->session_uses, span_of(owner.session),
	                  clock_unix_ms());
	json_open(&w);
	json_number(&w, FIELD_ID, owner.user);
	json_text(&w, FIELD_NAME, span_of(owner.name));
	json_time(&w, FIELD_EXPIRES_AT, owner.expires_at_ms);
	json_text(&w, FIELD_SESSION, span_of(owner.session));
	json_close(&w);
	http_set_header(request, "Cache-Control", "no-store");
	http_answer_json(request, 200, buf_span(&answer));
}

struct account_query {
	uint64_t id;
	struct account account;
};

static enum status find_by_id(struct sql *sql, void *argument)
{
	struct account_query *query = argument;

	return account_by_id(sql, query->id, &query->account);
}

static void query_status(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	CLEANUP(buf_free) struct buf answer = BUF(ANSWER_MAX);
	struct json_writer w = json_writer(&answer);
	struct account_query query = {0};
	struct token_owner owner;
	enum status status;

	if (!api_authenticate(request, api, &owner))
		return;
	query.id = owner.user;
	status = database_run(api->database, find_by_id, &query);
	if (status != ST_OK) {
		if (status == ST_NOT_FOUND)
			api_answer_deleted(request);
		else
			api_answer_failure(request, status);
		return;
	}
	json_open(&w);
	json_open_object(&w, FIELD_USER);
	json_number(&w, FIELD_ID, query.account.id);
	json_text(&w, FIELD_NAME, span_of(query.account.name));
	json_time(&w, "registered_at", query.account.created_at_ms);
	json_close(&w);
	json_close(&w);
	http_answer_json(request, 200, buf_span(&answer));
}

void lookup_status(struct http_request *request, void *context)
{
	api_pass_if_authenticated(request, context, query_status);
}
