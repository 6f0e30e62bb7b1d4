#include "identity-service/api/deleted_users.h"
#include "common/base/mem.h"
#include "common/io/json.h"
#include "common/wire/identity.h"
#include "identity-service/api/api_context.h"
#include "identity-service/api/internal_page.h"
#include "identity-service/session/session.h"

/*
 * A transaction commits after the moment that it writes. What persistence did
 * for a user before it knew of the deletion is also over by then.
 */
enum { OVERLAP_MS = 60 * 1000, OLDER_MAX_S = 365 * 24 * 3600 };

/* "<deleted_at, ms>.<user>": the last entry that was sent. */
struct cursor {
	uint64_t since_ms;
	uint64_t after;
};

struct task {
	struct cursor cursor; /* zero: from the first one */
	uint64_t older_s;     /* since the deletion, at least */
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

static const char *read_query(struct http_request *request, void *argument)
{
	struct task *task = argument;
	struct span text;

	if (http_query(request, "since", &text) &&
	    !read_cursor(text, &task->cursor))
		return "since is no cursor";
	if (http_query(request, "older", &text) &&
	    !span_to_u64(text, OLDER_MAX_S, &task->older_s))
		return "older is no number of seconds";
	return NULL;
}

/* The clock first: what is committed later is read the next time. */
static enum status list(struct sql *sql, void *argument)
{
	struct task *task = argument;
	struct deletion_range range = {.since_ms = task->cursor.since_ms,
	                               .after = task->cursor.after};
	enum status status = session_now(sql, &task->now_ms);

	if (status != ST_OK)
		return status;
	if (task->older_s)
		range.until_ms = task->now_ms - task->older_s * 1000;
	return deletion_list(sql, &range, task->rows, DELETED_PAGE_MAX,
	                     &task->count);
}

static struct cursor next_of(const struct task *task)
{
	if (task->count == DELETED_PAGE_MAX) {
		const struct deleted_user *last = &task->rows[task->count - 1];

		return (struct cursor){last->deleted_at_ms, last->user};
	}
	return (struct cursor){.since_ms = task->now_ms - task->older_s * 1000 -
	                                   OVERLAP_MS};
}

static void write_page(struct json_writer *w, const void *argument)
{
	const struct task *task = argument;
	struct cursor next = next_of(task);
	CLEANUP(buf_free) struct buf cursor = BUF(ENDED_CURSOR_MAX);

	buf_format(&cursor, "%llu.%llu", (unsigned long long)next.since_ms,
	           (unsigned long long)next.after);
	json_text(w, "next", buf_span(&cursor));
	json_bool(w, "more", task->count == DELETED_PAGE_MAX);
	internal_page_write_deleted(w, task->rows, task->count);
}

static void query_deleted(struct http_request *request, void *context)
{
	static const struct internal_page page = {read_query, list, write_page};
	CLEANUP(mem_free)
	struct deleted_user *rows = mem_new(DELETED_PAGE_MAX * sizeof(*rows));
	struct task task = {.rows = rows};

	internal_page_answer(request, context, &page, &task);
}

void deleted_users(struct http_request *request, void *context)
{
	(void)context;
	http_pass(request, POOL_QUERY, query_deleted);
}
