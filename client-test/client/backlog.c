#include "client-test/client/backlog.h"
#include "client-test/client/loop_timer.h"
#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/random.h"

#include <utlist.h>

enum { PAGE = 100, RETRY_BASE_MS = 200, RETRY_MAX_MS = 10000, LONGEST = 1024 };

/* A call under way, listed so that backlog_destroy() can free it. */
struct call {
	struct backlog *backlog;
	uint64_t conversation;
	unsigned round;
	bool sync; /* a call of /sync */
	struct call *prev, *next;
};

struct backlog {
	struct call *calls;
	struct rest *rest;
	struct inbox *inbox;
	uint64_t history;
	const struct backlog_events *events;
	void *context;
	struct loop_timer *retry;
	char *token;
	char *cursor;      /* from the last answer of /sync; NULL: none yet */
	unsigned failures; /* in a row */
	unsigned round; /* of the sync; answers of earlier rounds are ignored */
	unsigned fetching;
	bool listing;
	bool list_again;
};

static void list(struct backlog *backlog, const char *path);
static void list_changed(struct backlog *backlog);

static struct call *call_begin(struct backlog *backlog, uint64_t conversation)
{
	struct call *call = mem_new(sizeof(*call));

	call->backlog = backlog;
	call->conversation = conversation;
	call->round = backlog->round;
	DL_APPEND(backlog->calls, call);
	return call;
}

static void call_end(struct call *call)
{
	DL_DELETE(call->backlog->calls, call);
	mem_free(&call);
}

static void try_again(void *context)
{
	struct backlog *backlog = context;

	if (backlog->list_again)
		list_changed(backlog);
	else
		backlog_fetch(backlog);
}

static void fail(struct backlog *backlog)
{
	loop_timer_start(
		backlog->retry,
		backoff_ms(backlog->failures++, RETRY_BASE_MS, RETRY_MAX_MS));
}

struct backlog *backlog_create(struct uv_loop_s *loop, struct rest *rest,
                               struct inbox *inbox, uint64_t history,
                               const struct backlog_events *events,
                               void *context)
{
	struct backlog *backlog = mem_new(sizeof(*backlog));

	backlog->rest = rest;
	backlog->inbox = inbox;
	backlog->history = history;
	backlog->events = events;
	backlog->context = context;
	backlog->token = mem_text("", 0);
	backlog->retry = loop_timer_create(loop, try_again, backlog);
	return backlog;
}

void backlog_destroy(struct backlog **backlog)
{
	if (!*backlog)
		return;
	while ((*backlog)->calls)
		call_end((*backlog)->calls);
	loop_timer_destroy(&(*backlog)->retry);
	mem_free(&(*backlog)->token);
	mem_free(&(*backlog)->cursor);
	mem_free(backlog);
}

/* --- the list of conversations ------------------------------------------- */

/* The path of the next page; false after the last page. */
static bool next_page(struct backlog *backlog, const struct json *page,
                      struct buf *ret_path)
{
	struct span cursor;
	bool more = false;

	if (json_get_text(page, "cursor", &cursor)) {
		mem_free(&backlog->cursor);
		backlog->cursor = mem_text(cursor.data, cursor.len);
		buf_append(ret_path, SPAN("/sync?since="));
		rest_escape(ret_path, cursor);
		return json_get_bool(page, "more", &more) && more;
	}
	buf_append(ret_path, SPAN("/conversations?before="));
	return rest_next_page(page, ret_path);
}

static void take_list(struct backlog *backlog, const struct json *page)
{
	const struct json *item;
	uint64_t id, last_seq;

	for (unsigned i = 0;
	     (item = json_get_item(page, "conversations", i)) != NULL; i++) {
		if (json_get_id(item, "id", &id) &&
		    json_get_id(item, "last_seq", &last_seq))
			inbox_listed(backlog->inbox, id, last_seq,
			             backlog->history);
	}
	for (unsigned i = 0; json_item_id(page, "gone", i, &id); i++)
		inbox_gone(backlog->inbox, id);
}

static void listed_all(struct backlog *backlog)
{
	backlog->failures = 0;
	backlog->listing = false;
	/* The inbox needs all of a conversation that appears from now on. */
	backlog->history = UINT64_MAX;
	backlog_fetch(backlog);
}

static void listed(void *context, const struct rest_answer *answer)
{
	struct call *call = context;
	struct backlog *backlog = call->backlog;
	struct buf path CLEANUP(buf_free) = BUF(LONGEST);
	bool current = call->round == backlog->round;
	bool sync = call->sync;

	call_end(call);
	if (!current)
		return;
	if (answer->status == ST_NOT_FOUND && sync) {
		/* A server without /sync lists all conversations each time. */
		list(backlog, "/conversations");
		return;
	}
	if (answer->status != ST_OK) {
		backlog->list_again = true;
		fail(backlog);
		return;
	}
	take_list(backlog, answer->json);
	if (next_page(backlog, answer->json, &path))
		list(backlog, buf_text(&path));
	else
		listed_all(backlog);
}

static void list(struct backlog *backlog, const char *path)
{
	struct call *call = call_begin(backlog, 0);

	backlog->list_again = false;
	call->sync = span_starts(span_of(path), SPAN("/sync"));
	rest_get(backlog->rest, span_of(backlog->token), path, listed, call);
}

static void list_changed(struct backlog *backlog)
{
	struct buf path CLEANUP(buf_free) = BUF(LONGEST);

	buf_append(&path, SPAN("/sync"));
	if (backlog->cursor) {
		buf_append(&path, SPAN("?since="));
		rest_escape(&path, span_of(backlog->cursor));
	}
	list(backlog, buf_text(&path));
}

void backlog_set_token(struct backlog *backlog, struct span token)
{
	mem_free(&backlog->token);
	backlog->token = mem_text(token.data, token.len);
}

void backlog_sync(struct backlog *backlog, struct span token)
{
	backlog_set_token(backlog, token);
	backlog->round++;
	backlog->listing = true;
	backlog->failures = 0;
	loop_timer_stop(backlog->retry);
	list_changed(backlog);
}

/* --- missing entries ----------------------------------------------------- */

/* True if the page had a new entry. */
static bool take_page(struct backlog *backlog, const struct json *page)
{
	const struct json *item;
	bool progress = false;

	for (unsigned i = 0;
	     (item = json_get_item(page, "messages", i)) != NULL; i++) {
		struct message message;

		if (!message_read(item, &message) ||
		    inbox_take_page(backlog->inbox, message.conversation,
		                    message.seq) != INBOX_NEXT)
			continue;
		progress = true;
		backlog->events->message(backlog->context, &message);
	}
	return progress;
}

static void fetched(void *context, const struct rest_answer *answer)
{
	struct call *call = context;
	struct backlog *backlog = call->backlog;
	uint64_t conversation = call->conversation;

	call_end(call);
	backlog->fetching--;
	if (answer->status == ST_NOT_FOUND) {
		inbox_gone(backlog->inbox, conversation);
		backlog_fetch(backlog);
		return;
	}
	if (answer->status != ST_OK || !take_page(backlog, answer->json)) {
		inbox_fetched(backlog->inbox, conversation);
		fail(backlog);
		return;
	}
	inbox_fetched(backlog->inbox, conversation);
	backlog->failures = 0;
	backlog_fetch(backlog);
}

static void start_fetch(struct backlog *backlog, uint64_t conversation,
                        uint64_t after)
{
	struct buf path CLEANUP(buf_free) = BUF(LONGEST);

	backlog->fetching++;
	buf_format(&path, "/conversations/%llu/messages?after=%llu&limit=%u",
	           (unsigned long long)conversation, (unsigned long long)after,
	           (unsigned)PAGE);
	rest_get(backlog->rest, span_of(backlog->token), buf_text(&path),
	         fetched, call_begin(backlog, conversation));
}

/* Gaps wait for the list: it says where each conversation begins. */
void backlog_fetch(struct backlog *backlog)
{
	uint64_t conversation, after;

	if (backlog->listing)
		return;
	while (inbox_fetch(backlog->inbox, &conversation, &after))
		start_fetch(backlog, conversation, after);
	if (backlog->fetching == 0)
		backlog->events->complete(backlog->context);
}
