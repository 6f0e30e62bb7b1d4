#include "client-test/client/backlog.h"
#include "client-test/client/alarm.h"
#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/random.h"

#include <utlist.h>

enum { PAGE = 100, RETRY_BASE_MS = 200, RETRY_MAX_MS = 10000, LONGEST = 1024 };

/* A call under way; kept in a list because the end may come first. */
struct errand {
	struct backlog *backlog;
	uint64_t conversation;
	unsigned round;
	bool sync; /* it asks /sync */
	struct errand *prev, *next;
};

struct backlog {
	struct errand *errands;
	struct rest *rest;
	struct inbox *inbox;
	uint64_t history;
	const struct backlog_events *events;
	void *context;
	struct alarm *retry;
	char *token;
	char *cursor;      /* of the last answer to /sync; NULL: none yet */
	unsigned failures; /* in a row */
	unsigned round;    /* of listing: answers to an older one are void */
	unsigned fetching;
	bool listing;
	bool list_again;
};

static void list(struct backlog *backlog, const char *path);
static void list_changed(struct backlog *backlog);

static struct errand *errand_begin(struct backlog *backlog,
                                   uint64_t conversation)
{
	struct errand *errand = mem_new(sizeof(*errand));

	errand->backlog = backlog;
	errand->conversation = conversation;
	errand->round = backlog->round;
	DL_APPEND(backlog->errands, errand);
	return errand;
}

static void errand_end(struct errand *errand)
{
	DL_DELETE(errand->backlog->errands, errand);
	mem_free(&errand);
}

static void try_again(void *context)
{
	struct backlog *backlog = context;

	if (backlog->list_again)
		list_changed(backlog);
	else
		backlog_fill(backlog);
}

static void fail(struct backlog *backlog)
{
	alarm_set(backlog->retry,
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
	backlog->retry = alarm_create(loop, try_again, backlog);
	return backlog;
}

void backlog_destroy(struct backlog **backlog)
{
	if (!*backlog)
		return;
	while ((*backlog)->errands)
		errand_end((*backlog)->errands);
	alarm_destroy(&(*backlog)->retry);
	mem_free(&(*backlog)->token);
	mem_free(&(*backlog)->cursor);
	mem_free(backlog);
}

/* --- the list ------------------------------------------------------------ */

/* The path of the next page; false at the end. */
static bool next_page(struct backlog *backlog, const struct json *page,
                      struct buf *ret_path)
{
	struct span cursor;
	uint64_t number;
	bool more = false;

	if (json_get_text(page, "cursor", &cursor)) {
		mem_free(&backlog->cursor);
		backlog->cursor = mem_text(cursor.data, cursor.len);
		buf_append(ret_path, SPAN("/sync?since="));
		rest_escape(ret_path, cursor);
		return json_get_bool(page, "more", &more) && more;
	}
	buf_append(ret_path, SPAN("/conversations?before="));
	if (json_get_id(page, "next", &number))
		buf_number(ret_path, number);
	else if (json_get_text(page, "next", &cursor))
		rest_escape(ret_path, cursor);
	else
		return false;
	return true;
}

static void hear_page(struct backlog *backlog, const struct json *page)
{
	const struct json *item;
	uint64_t id, last_seq;

	for (unsigned i = 0;
	     (item = json_get_item(page, "conversations", i)) != NULL; i++) {
		if (json_get_id(item, "id", &id) &&
		    json_get_id(item, "last_seq", &last_seq))
			inbox_heard(backlog->inbox, id, last_seq,
			            backlog->history);
	}
	for (unsigned i = 0; json_item_id(page, "gone", i, &id); i++)
		inbox_gone(backlog->inbox, id);
}

static void listed_all(struct backlog *backlog)
{
	backlog->failures = 0;
	backlog->listing = false;
	/* A conversation that is new from now on was never seen at all. */
	backlog->history = UINT64_MAX;
	backlog_fill(backlog);
}

static void listed(void *context, const struct rest_answer *answer)
{
	struct errand *errand = context;
	struct backlog *backlog = errand->backlog;
	struct buf path CLEANUP(buf_free) = BUF(LONGEST);
	bool current = errand->round == backlog->round;
	bool sync = errand->sync;

	errand_end(errand);
	if (!current)
		return;
	if (answer->status == ST_NOT_FOUND && sync) {
		/* Servers from before /sync list all each time. */
		list(backlog, "/conversations");
		return;
	}
	if (answer->status != ST_OK) {
		backlog->list_again = true;
		fail(backlog);
		return;
	}
	hear_page(backlog, answer->json);
	if (next_page(backlog, answer->json, &path))
		list(backlog, buf_text(&path));
	else
		listed_all(backlog);
}

static void list(struct backlog *backlog, const char *path)
{
	struct errand *errand = errand_begin(backlog, 0);

	backlog->list_again = false;
	errand->sync = span_starts(span_of(path), SPAN("/sync"));
	rest_get(backlog->rest, span_of(backlog->token), path, listed, errand);
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

void backlog_list(struct backlog *backlog, struct span token)
{
	mem_free(&backlog->token);
	backlog->token = mem_text(token.data, token.len);
	backlog->round++;
	backlog->listing = true;
	backlog->failures = 0;
	alarm_stop(backlog->retry);
	list_changed(backlog);
}

/* --- what is missing ----------------------------------------------------- */

/* True when the page brought anything new. */
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
	struct errand *errand = context;
	struct backlog *backlog = errand->backlog;
	uint64_t conversation = errand->conversation;

	errand_end(errand);
	backlog->fetching--;
	if (answer->status == ST_NOT_FOUND) {
		inbox_gone(backlog->inbox, conversation);
		backlog_fill(backlog);
		return;
	}
	if (answer->status != ST_OK || !take_page(backlog, answer->json)) {
		inbox_fetched(backlog->inbox, conversation);
		fail(backlog);
		return;
	}
	inbox_fetched(backlog->inbox, conversation);
	backlog->failures = 0;
	backlog_fill(backlog);
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
	         fetched, errand_begin(backlog, conversation));
}

/* A gap before the list is here waits for it: the list knows where to begin. */
void backlog_fill(struct backlog *backlog)
{
	uint64_t conversation, after;

	if (backlog->listing)
		return;
	while (inbox_fetch(backlog->inbox, &conversation, &after))
		start_fetch(backlog, conversation, after);
	if (backlog->fetching == 0)
		backlog->events->complete(backlog->context);
}
