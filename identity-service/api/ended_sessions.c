#include "identity-service/api/ended_sessions.h"
#include "common/base/mem.h"
#include "common/io/json.h"
#include "common/wire/identity.h"
#include "identity-service/api/api_context.h"
#include "identity-service/api/internal_page.h"
#include "identity-service/session/session.h"

enum { OVERLAP_MS = 15 * 1000 };

/* "<revoked_at, ms>.<session>": the last entry that was sent. */
struct cursor {
	uint64_t since_ms;
	struct uuid after;
};

struct task {
	bool has_cursor; /* without: nothing is cached yet */
	struct cursor cursor;
	struct session_ended *rows;
	unsigned count;
	struct deleted_user *deleted; /* since the cursor, on each page again */
	unsigned deleted_count;
	uint64_t now_ms;
};

static bool read_cursor(struct span text, struct cursor *ret_cursor)
{
	struct span id;
	struct span ms = span_cut(text, '.', &id);

	return span_to_u64(ms, JSON_ID_MAX, &ret_cursor->since_ms) &&
	       uuid_parse(id, &ret_cursor->after);
}

/* The clock first: what is committed later is read the next time. */
static enum status list(struct sql *sql, void *argument)
{
	struct task *task = argument;
	enum status status = session_now(sql, &task->now_ms);

	if (status != ST_OK || !task->has_cursor)
		return status;
	status = session_list_ended(sql, task->cursor.since_ms,
	                            &task->cursor.after, task->rows,
	                            ENDED_PAGE_MAX, &task->count);
	if (status != ST_OK)
		return status;
	return deletion_list(
		sql,
		&(struct deletion_range){.since_ms = task->cursor.since_ms},
		task->deleted, DELETED_PAGE_MAX, &task->deleted_count);
}

static bool is_full(const struct task *task)
{
	return task->count == ENDED_PAGE_MAX ||
	       task->deleted_count == DELETED_PAGE_MAX;
}

/* The next page begins with the earlier end of two lists that are full. */
static struct cursor next_of(const struct task *task)
{
	struct cursor next = {.since_ms = task->now_ms - OVERLAP_MS};

	if (task->count == ENDED_PAGE_MAX) {
		const struct session_ended *last = &task->rows[task->count - 1];

		next = (struct cursor){last->revoked_at_ms, last->id};
	}
	if (task->deleted_count == DELETED_PAGE_MAX) {
		const struct deleted_user *last =
			&task->deleted[task->deleted_count - 1];

		if (last->deleted_at_ms < next.since_ms)
			next = (struct cursor){.since_ms = last->deleted_at_ms};
	}
	return next;
}

static const char *read_query(struct http_request *request, void *argument)
{
	struct task *task = argument;
	struct span since;

	task->has_cursor = http_query(request, "since", &since);
	return task->has_cursor && !read_cursor(since, &task->cursor)
	               ? "since is no cursor"
	               : NULL;
}

static void write_page(struct json_writer *w, const void *argument)
{
	const struct task *task = argument;
	struct cursor next = next_of(task);
	CLEANUP(buf_free) struct buf text = BUF(ENDED_ANSWER_MAX);
	CLEANUP(buf_free) struct buf cursor = BUF(ENDED_CURSOR_MAX);
	char id[UUID_TEXT_LEN + 1];

	uuid_format(&next.after, id);
	buf_format(&cursor, "%llu.%s", (unsigned long long)next.since_ms, id);
	for (unsigned i = 0; i < task->count; i++) {
		const struct session_ended *ended = &task->rows[i];

		uuid_format(&ended->id, id);
		buf_format(&text, "%s%s %llu %llu", i ? "," : "", id,
		           (unsigned long long)ended->user,
		           (unsigned long long)ended->expires_at_ms);
	}
	json_text(w, "next", buf_span(&cursor));
	json_bool(w, "more", is_full(task));
	json_text(w, "ended", buf_span(&text));
	internal_page_write_deleted(w, task->deleted, task->deleted_count);
}

static void query_ended(struct http_request *request, void *context)
{
	static const struct internal_page page = {read_query, list, write_page};
	CLEANUP(mem_free)
	struct session_ended *rows = mem_new(ENDED_PAGE_MAX * sizeof(*rows));
	CLEANUP(mem_free)
	struct deleted_user *deleted =
		mem_new(DELETED_PAGE_MAX * sizeof(*deleted));
	struct task task = {.rows = rows, .deleted = deleted};

	internal_page_answer(request, context, &page, &task);
}

void ended_sessions(struct http_request *request, void *context)
{
	(void)context;
	http_pass(request, POOL_QUERY, query_ended);
}
