#include "identity-service/api/profiles.h"

#include "identity-service/api/api_context.h"
#include "identity-service/api/profile_body.h"

enum {
	/* 500 characters and a URL, each of which JSON may escape as \u00XX. */
	PROFILE_MAX = 24 * 1024,
	LIST_MAX = PROFILE_IDS_MAX * PROFILE_MAX,
};

/* A task writes its answer, because the texts of a row do not live longer. */
struct task {
	uint64_t id;
	const struct profile_change *change; /* NULL: none */
	enum profile_view view;
	struct name_keys keys;
	uint64_t ids[PROFILE_IDS_MAX];
	unsigned id_count;
	bool deleted;
	struct buf answer;
};

static void task_free(struct task *task)
{
	buf_free(&task->answer);
	name_keys_free(&task->keys);
}

static void write_one(struct task *task, const struct profile *profile)
{
	struct json_writer w = json_writer(&task->answer);

	buf_clear(&task->answer);
	json_open(&w);
	profile_body_write(&w, profile, task->view);
	json_close(&w);
}

static enum status read_by_id(struct sql *sql, void *argument)
{
	struct task *task = argument;
	struct profile profile;
	enum status status = ST_OK;

	if (task->change)
		status = profile_apply(sql, task->id, task->change);
	if (status == ST_OK)
		status = profile_by_id(sql, task->id, &profile);
	if (status != ST_OK)
		return status;
	task->deleted = profile.deleted;
	write_one(task, &profile);
	return ST_OK;
}

static enum status read_by_name(struct sql *sql, void *argument)
{
	struct task *task = argument;
	struct profile profile;
	enum status status = profile_by_name(sql, &task->keys, &profile);

	if (status == ST_OK)
		write_one(task, &profile);
	return status;
}

static enum status read_many(struct sql *sql, void *argument)
{
	struct task *task = argument;
	struct json_writer w = json_writer(&task->answer);
	struct profile profile;
	enum status status =
		profile_select_many(sql, task->ids, task->id_count);

	buf_clear(&task->answer);
	json_open(&w);
	json_open_array(&w, "users");
	while (status == ST_OK) {
		status = profile_next(sql, &profile);
		if (status != ST_OK)
			break;
		json_open_object(&w, NULL);
		profile_body_write(&w, &profile, task->view);
		json_close(&w);
	}
	json_close_array(&w);
	json_close(&w);
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static void answer(struct http_request *request, enum status status,
                   struct task *task)
{
	if (status == ST_NOT_FOUND)
		http_answer_problem(request, 404, "there is no such user");
	else if (status != ST_OK)
		api_answer_failure(request, status);
	else if (task->deleted)
		http_answer_problem(request, 410, "the user was deleted");
	else
		http_answer_json_buf(request, 200, &task->answer);
}

/* --- the profile of the user who asks ------------------------------------ */
static void answer_own(struct http_request *request, void *context,
                       const struct profile_change *change)
{
	const struct api_context *api = context;
	CLEANUP(task_free)
	struct task task = {.change = change,
	                    .view = PROFILE_OWN,
	                    .answer = BUF(PROFILE_MAX)};
	struct token_owner owner;
	enum status status;

	if (!api_authenticate(request, api, &owner))
		return;
	task.id = owner.user;
	status = database_run(api->database, read_by_id, &task);
	if (status == ST_OK && task.deleted) {
		api_answer_deleted(request);
		return;
	}
	http_set_header(request, "Cache-Control", "no-store");
	answer(request, status, &task);
}

void profile_answer_own(struct http_request *request, void *context)
{
	answer_own(request, context, NULL);
}

void profile_get(struct http_request *request, void *context)
{
	api_pass_if_authenticated(request, context, profile_answer_own);
}

/* False: the request is answered. */
static bool read_body(struct http_request *request, struct profile_body *body)
{
	enum status status = profile_body_read(http_body(request), body);

	if (status != ST_OK)
		http_answer_problem(request, status == ST_INVALID ? 400 : 422,
		                    body->fault);
	return status == ST_OK;
}

static void query_change(struct http_request *request, void *context)
{
	CLEANUP(profile_body_free) struct profile_body body = {0};

	if (read_body(request, &body))
		answer_own(request, context, &body.change);
}

/* Answers a bad body at once, without waiting in the queue. */
void profile_change(struct http_request *request, void *context)
{
	CLEANUP(profile_body_free) struct profile_body body = {0};
	struct token_owner owner;

	if (api_authenticate(request, context, &owner) &&
	    read_body(request, &body))
		http_pass(request, POOL_QUERY, query_change);
}

/* --- other users --------------------------------------------------------- */
static void query_by_id(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	CLEANUP(task_free) struct task task = {.answer = BUF(PROFILE_MAX)};
	enum status status = ST_NOT_FOUND;

	if (span_to_u64(http_argument(request, 0), JSON_ID_MAX, &task.id))
		status = database_run(api->database, read_by_id, &task);
	answer(request, status, &task);
}

void profile_of(struct http_request *request, void *context)
{
	api_pass_if_authenticated(request, context, query_by_id);
}

/* Unknown ids are left out of the answer, but each must be an id. */
static const char *read_ids(struct span text, struct task *task)
{
	bool more = true;

	while (more) {
		struct span rest;
		struct span id = span_cut(text, ',', &rest);

		if (task->id_count == PROFILE_IDS_MAX)
			return "ids must have at most 100 ids";
		if (!span_to_u64(id, JSON_ID_MAX, &task->ids[task->id_count]) ||
		    task->ids[task->id_count] == 0)
			return "ids must be user ids with commas between them";
		task->id_count++;
		more = id.len < text.len;
		text = rest;
	}
	return NULL;
}

static const char *read_query(struct http_request *request, struct task *task)
{
	struct span name, ids;
	bool has_name = http_query(request, "name", &name);
	bool has_ids = http_query(request, "ids", &ids);

	if (has_name == has_ids)
		return has_name ? "name and ids exclude each other"
		                : "the query parameter name or ids is missing";
	return has_name ? name_keys_read(name, &task->keys)
	                : read_ids(ids, task);
}

static void query_find(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	CLEANUP(task_free) struct task task = {.answer = BUF(LIST_MAX)};
	const char *fault = read_query(request, &task);

	if (fault) {
		http_answer_problem(request, 422, fault);
		return;
	}
	answer(request,
	       database_run(api->database,
	                    task.id_count ? read_many : read_by_name, &task),
	       &task);
}

void profiles_find(struct http_request *request, void *context)
{
	api_pass_if_authenticated(request, context, query_find);
}
