#include "identity-service/api/lookup.h"
#include "common/base/json_write.h"
#include "common/io/json.h"
#include "common/wire/fields.h"
#include "common/wire/name.h"
#include "identity-service/account/account.h"
#include "identity-service/api/api_context.h"

enum { ANSWER_MAX = 4096 };

void lookup_token(struct http_request *request, void *context)
{
	CLEANUP(buf_free) struct buf answer = BUF(ANSWER_MAX);
	struct json_writer w = json_writer(&answer);
	struct token_owner owner;

	if (!api_authenticate(request, context, &owner))
		return;
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
	struct name_keys keys;
	struct account account;
};

static enum status find_by_id(struct sql *sql, void *argument)
{
	struct account_query *query = argument;

	return account_by_id(sql, query->id, &query->account);
}

static enum status find_by_name(struct sql *sql, void *argument)
{
	struct account_query *query = argument;

	return account_by_name(sql, &query->keys, &query->account);
}

static void answer_failure(struct http_request *request, enum status status)
{
	if (status == ST_NOT_FOUND)
		http_answer_problem(request, 404, "there is no such user");
	else
		api_answer_failure(request, status);
}

static void write_user(struct json_writer *w, const struct account *account)
{
	json_number(w, FIELD_ID, account->id);
	json_text(w, FIELD_NAME, span_of(account->name));
}

static void answer_user(struct http_request *request, enum status status,
                        const struct account *account)
{
	CLEANUP(buf_free) struct buf answer = BUF(ANSWER_MAX);
	struct json_writer w = json_writer(&answer);

	if (status != ST_OK) {
		answer_failure(request, status);
		return;
	}
	json_open(&w);
	write_user(&w, account);
	json_close(&w);
	http_answer_json(request, 200, buf_span(&answer));
}

static void query_by_id(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	struct account_query query = {0};
	enum status status = ST_NOT_FOUND;

	if (span_to_u64(http_argument(request, 0), JSON_ID_MAX, &query.id))
		status = database_run(api->database, find_by_id, &query);
	answer_user(request, status, &query.account);
}

static const char *read_name(struct http_request *request,
                             struct name_keys *ret_keys)
{
	struct span name;

	if (!http_query(request, "name", &name))
		return "the query parameter name is missing";
	return name_keys_read(name, ret_keys);
}

static void query_by_name(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	struct account_query query = {0};
	const char *fault = read_name(request, &query.keys);
	enum status status;

	if (fault) {
		http_answer_problem(request, 422, fault);
		return;
	}
	status = database_run(api->database, find_by_name, &query);
	name_keys_free(&query.keys);
	answer_user(request, status, &query.account);
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
		answer_failure(request, status);
		return;
	}
	json_open(&w);
	json_open_object(&w, FIELD_USER);
	write_user(&w, &query.account);
	json_time(&w, "registered_at", query.account.created_at_ms);
	json_close(&w);
	json_close(&w);
	http_answer_json(request, 200, buf_span(&answer));
}

void lookup_user_by_id(struct http_request *request, void *context)
{
	api_pass_if_authenticated(request, context, query_by_id);
}

void lookup_user_by_name(struct http_request *request, void *context)
{
	api_pass_if_authenticated(request, context, query_by_name);
}

void lookup_status(struct http_request *request, void *context)
{
	api_pass_if_authenticated(request, context, query_status);
}
