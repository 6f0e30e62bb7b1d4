#include "identity-service/api/devices.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "common/service/log.h"
#include "common/wire/fields.h"
#include "identity-service/api/api_context.h"
#include "identity-service/api/refresh_cookie.h"

enum { ANSWER_MAX = 256 * 1024 };

struct task {
	uint64_t user;
	struct uuid own; /* the session that asks */
	struct uuid ends;
	bool again; /* an earlier run may have ended it */
	struct session_row *rows;
	unsigned count;
};

/* False: the request is answered. */
static bool start(struct http_request *request, const struct api_context *api,
                  struct task *task)
{
	struct token_owner owner;

	*task = (struct task){0};
	if (!api_authenticate(request, api, &owner))
		return false;
	task->user = owner.user;
	(void)uuid_parse(span_of(owner.session), &task->own);
	return true;
}

static enum status end_one(struct sql *sql, void *argument)
{
	struct task *task = argument;
	enum status status = session_end(sql, task->user, &task->ends);

	if (status == ST_NOT_FOUND && task->again)
		status = session_has_ended(sql, task->user, &task->ends);
	task->again = true;
	return status;
}

static enum status end_others(struct sql *sql, void *argument)
{
	struct task *task = argument;

	return session_end_others(sql, task->user, &task->own);
}

/* The own session ends with its cookie. */
static void answer_ended(struct http_request *request,
                         const struct api_context *api, const struct task *task,
                         enum status status, const char *event)
{
	if (status == ST_OK) {
		api_read_ended(api, task->user);
		log_event(LOG_INFO, event, F_NUMBER("user", task->user));
		if (span_equal(uuid_span(&task->ends), uuid_span(&task->own)))
			refresh_cookie_delete(request);
		http_answer(request, 204, NULL, SPAN(""));
	} else if (status == ST_NOT_FOUND) {
		http_answer_problem(request, 404, "there is no such session");
	} else {
		api_answer_failure(request, status);
	}
}

static void query_log_out(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	struct task task;
	enum status status;

	if (!start(request, api, &task))
		return;
	task.ends = task.own;
	status = database_run(api->database, end_one, &task);
	/* A retry, or another device, has ended it. */
	if (status == ST_NOT_FOUND)
		status = ST_OK;
	answer_ended(request, api, &task, status, "user.signed_out");
}

static void query_end(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	enum status status = ST_NOT_FOUND;
	struct task task;

	if (!start(request, api, &task))
		return;
	if (uuid_parse(http_argument(request, 0), &task.ends))
		status = database_run(api->database, end_one, &task);
	answer_ended(request, api, &task, status, "session.ended");
}

static void query_end_others(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	struct task task;

	if (!start(request, api, &task))
		return;
	answer_ended(request, api, &task,
	             database_run(api->database, end_others, &task),
	             "session.others_ended");
}

/* --- the list --------------------------------------------------------------
 */
static enum status list(struct sql *sql, void *argument)
{
	struct task *task = argument;

	return session_list(sql, task->user, task->rows, &task->count);
}

static void write_row(struct json_writer *w, const struct session_row *row,
                      const struct task *task)
{
	char text[UUID_TEXT_LEN + 1];

	uuid_format(&row->id, text);
	json_open_object(w, NULL);
	json_text(w, FIELD_ID, span_of(text));
	json_time(w, "created_at", row->created_at_ms);
	json_time(w, "last_used_at", row->last_used_at_ms);
	json_text(w, "user_agent", span_of(row->user_agent));
	if (row->has_address) {
		char address[IP_ADDRESS_TEXT_MAX + 1];

		ip_address_format(&row->address, address);
		json_text(w, "address", span_of(address));
	} else {
		json_null(w, "address");
	}
	json_bool(w, "current",
	          span_equal(uuid_span(&row->id), uuid_span(&task->own)));
	json_close(w);
}

static void query_list(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	CLEANUP(buf_free) struct buf answer = BUF(ANSWER_MAX);
	CLEANUP(mem_free)
	struct session_row *rows = mem_new(SESSIONS_MAX * sizeof(*rows));
	struct json_writer w = json_writer(&answer);
	struct task task;
	enum status status;

	if (!start(request, api, &task))
		return;
	task.rows = rows;
	status = database_run(api->database, list, &task);
	if (status != ST_OK) {
		api_answer_failure(request, status);
		return;
	}
	json_open(&w);
	json_open_array(&w, "sessions");
	for (unsigned i = 0; i < task.count; i++)
		write_row(&w, &rows[i], &task);
	json_close_array(&w);
	json_close(&w);
	http_set_header(request, "Cache-Control", "no-store");
	http_answer_json(request, 200, buf_span(&answer));
}

void devices_log_out(struct http_request *request, void *context)
{
	if (refresh_cookie_admit(request))
		api_pass_if_authenticated(request, context, query_log_out);
}

void devices_list(struct http_request *request, void *context)
{
	api_pass_if_authenticated(request, context, query_list);
}

void devices_end(struct http_request *request, void *context)
{
	if (refresh_cookie_admit(request))
		api_pass_if_authenticated(request, context, query_end);
}

void devices_end_others(struct http_request *request, void *context)
{
	api_pass_if_authenticated(request, context, query_end_others);
}
