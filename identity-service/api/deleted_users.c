#include "identity-service/api/deleted_users.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "common/io/json.h"
#include "common/wire/identity.h"
#include "identity-service/account/deletion.h"
#include "identity-service/api/api_context.h"

/*
 * A transaction commits after the moment that it writes. What persistence did
 * for a user before it knew of the deletion is also over by then.
 */
enum { OVERLAP_MS = 60 * 1000 };

/* "<deleted_at, ms>.<user>": the last entry that was sent. */
struct cursor {
	uint64_t since_ms;
	uint64_t after;
};

struct task {
	struct cursor cursor; /* zero: from the first one */
	struct deleted_user *rows;
	unsigned count;
	uint64_t now_ms;
};

static bool read_cursor(struct span text, struct cursor *ret_cursor)
{
	struct span user;
	struct span ms = span_cut(text, '.', &user);

	return span_to_u64(ms, JSON_ID_MAX, &ret_cursor->since_ms) &&
	       span_to_u64(user, JSON_ID_MAX, &ret_cursor->after);
}

/* The clock first: what is committed later is read the next time. */
static enum status list(struct sql *sql, void *argument)
{
	struct task *task = argument;
	enum status status = session_now(sql, &task->now_ms);

	if (status != ST_OK)
		return status;
	return deletion_list(sql, task->cursor.since_ms, task->cursor.after,
	                     task->rows, DELETED_PAGE_MAX, &task->count);
}

static struct cursor next_of(const struct task *task)
{
	if (task->count == DELETED_PAGE_MAX) {
		const struct deleted_user *last = &task->rows[task->count - 1];

		return (struct cursor){last->deleted_at_ms, last->user};
	}
	return (struct cursor){.since_ms = task->now_ms - OVERLAP_MS};
}

static void write_answer(struct buf *answer, const struct task *task)
{
	struct cursor next = next_of(task);
	CLEANUP(buf_free) struct buf text = BUF(ENDED_ANSWER_MAX);
	CLEANUP(buf_free) struct buf cursor = BUF(ENDED_CURSOR_MAX);
	struct json_writer w = json_writer(answer);

	buf_format(&cursor, "%llu.%llu", (unsigned long long)next.since_ms,
	           (unsigned long long)next.after);
	for (unsigned i = 0; i < task->count; i++)
		buf_format(&text, "%s%llu", i ? "," : "",
		           (unsigned long long)task->rows[i].user);
	json_open(&w);
	json_text(&w, "next", buf_span(&cursor));
	json_bool(&w, "more", task->count == DELETED_PAGE_MAX);
	json_text(&w, "deleted", buf_span(&text));
	json_close(&w);
}

static void query_deleted(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	CLEANUP(buf_free) struct buf answer = BUF(ENDED_ANSWER_MAX);
	CLEANUP(mem_free)
	struct deleted_user *rows = mem_new(DELETED_PAGE_MAX * sizeof(*rows));
	struct task task = {.rows = rows};
	struct span since;
	enum status status;

	if (http_query(request, "since", &since) &&
	    !read_cursor(since, &task.cursor)) {
		http_answer_problem(request, 422, "since is no cursor");
		return;
	}
	status = database_run(api->database, list, &task);
	if (status != ST_OK) {
		api_answer_failure(request, status);
		return;
	}
	write_answer(&answer, &task);
	http_answer_json(request, 200, buf_span(&answer));
}

void deleted_users(struct http_request *request, void *context)
{
	(void)context;
	http_pass(request, POOL_QUERY, query_deleted);
}
