#include "persistence-service/rest/deleted_users.h"

#include "common/base/clock.h"
#include "common/base/lru.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/base/thread.h"
#include "common/io/http/client.h"
#include "common/service/log.h"
#include "common/wire/identity.h"
#include "persistence-service/rest/membership/blocks.h"
#include "persistence-service/rest/membership/membership.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	POLL_EVERY_MS = 1000,
	TIMEOUT_MS = 2000,
	URL_MAX = 1024 + 256,
	BACKOFF_BASE_MS = 500,
	BACKOFF_MAX_MS = 10000,
	LOG_AFTER = 3, /* failures in a row */
	/*
	 * identity-service lists a user for a minute. The user is done again
	 * in this time, because a request that began before the deletion may
	 * have added the user to a conversation since.
	 */
	AGAIN_AFTER_MS = 15 * 1000,
	DONE_MAX = DELETED_PAGE_MAX,
	/* The cursor may be older than what is done. */
	STORE_EVERY_MS = 10 * 1000,
	LATE_EVERY_MS = 60 * 1000,
	HTTP_NOT_FOUND = 404,
};

/*
 * Each user is listed twice: at once, and late. A service that does not reach
 * identity-service may meanwhile add a user that it has cached.
 */
struct list {
	unsigned row;      /* of the table deleted_users_cursor */
	const char *query; /* which users are listed */
	unsigned every_ms;
	char cursor[ENDED_CURSOR_MAX + 1];
	bool cursor_read;
	uint64_t due_ms, store_due_ms;
};

#define LATE_QUERY "older=10800" /* three hours, in seconds */

struct deleted_users {
	const struct settings *settings;
	struct outbox_publisher *outbox_publisher;
	pthread_t thread;
	int stop; /* readable: stop */
	/* The thread's own. */
	struct http_client *http;
	struct sql_session *session;
	struct membership *membership;
	struct list lists[2];
	struct lru *done;                /* users of the last AGAIN_AFTER_MS */
	uint64_t page[DELETED_PAGE_MAX]; /* of the last answer */
	unsigned page_count;
	unsigned failures; /* in a row */
	const char *waits_for;
};

/* Waits for so long, unless it has to stop: then true. */
static bool stops_within(const struct deleted_users *d, uint64_t ms)
{
	struct pollfd stop = {.fd = d->stop, .events = POLLIN};

	return poll(&stop, 1, (int)ms) > 0;
}

/* --- one user ------------------------------------------------------------ */
static enum status leave(struct deleted_users *d, uint64_t user,
                         uint64_t conversation)
{
	struct membership_action action = {.actor = user,
	                                   .conversation = conversation};
	uint64_t row;
	enum status status = membership_leave(d->membership, &action);

	if (membership_take_event(d->membership, &conversation, &row))
		outbox_publisher_announce(d->outbox_publisher, conversation,
		                          row);
	/* Another instance was faster. */
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static enum status leave_all(struct deleted_users *d, uint64_t user,
                             unsigned *ret_left)
{
	uint64_t ids[MEMBERSHIP_LIST_MAX], after = 0;
	unsigned count = MEMBERSHIP_LIST_MAX;
	enum status status = ST_OK;

	*ret_left = 0;
	while (status == ST_OK && count == MEMBERSHIP_LIST_MAX) {
		status = membership_list(d->membership, user, after, ids,
		                         &count);
		for (unsigned i = 0; status == ST_OK && i < count; i++) {
			if (stops_within(d, 0))
				return ST_BUSY;
			status = leave(d, user, ids[i]);
			*ret_left += status == ST_OK;
			after = ids[i];
		}
	}
	return status;
}

static enum status block_pairs(struct deleted_users *d, uint64_t user,
                               unsigned *ret_blocked)
{
	unsigned count = BLOCKS_PAIRS_MAX;
	enum status status = ST_OK;

	*ret_blocked = 0;
	while (status == ST_OK && count == BLOCKS_PAIRS_MAX) {
		if (stops_within(d, 0))
			return ST_BUSY;
		status = blocks_put_pairs(d->session, user, &count);
		if (status == ST_OK)
			*ret_blocked += count;
	}
	if (*ret_blocked)
		outbox_publisher_wake(d->outbox_publisher);
	return status;
}

static enum status do_user(struct deleted_users *d, uint64_t user)
{
	struct span key = span_make(&user, sizeof(user));
	uint64_t now_ms = clock_mono_ms();
	unsigned left = 0, blocked = 0;
	enum status status;

	if (lru_get(d->done, key, now_ms, NULL))
		return ST_OK;
	/* First what others notice at once. */
	status = block_pairs(d, user, &blocked);
	if (status == ST_OK)
		status = leave_all(d, user, &left);
	if (left || blocked)
		log_event(LOG_INFO, "deleted_user.left", F_NUMBER("user", user),
		          F_NUMBER("conversations", left),
		          F_NUMBER("pairs", blocked));
	if (status == ST_OK)
		lru_put(d->done, key, NULL, now_ms + AGAIN_AFTER_MS);
	return status;
}

/* --- the cursor ---------------------------------------------------------- */
/* Fails without a log line until the schema is applied. */
static enum status read_cursor(struct deleted_users *d, struct list *list)
{
	const struct sql_value id = sql_number(list->row);
	struct sql *sql = sql_session_connection(d->session);
	struct sql_value row;
	enum status status = sql_session_connect(d->session);

	if (status == ST_OK)
		status = sql_run(sql,
		                 "SELECT position FROM deleted_users_cursor"
		                 " WHERE id = ?",
		                 &id, 1);
	if (status == ST_OK)
		status = sql_fetch(sql, &row, 1);
	if (status == ST_OK && row.bytes.len <= ENDED_CURSOR_MAX) {
		memcpy(list->cursor, row.bytes.data, row.bytes.len);
		list->cursor[row.bytes.len] = '\0';
	}
	if (status == ST_NOT_FOUND) /* the first start */
		status = ST_OK;
	list->cursor_read = status == ST_OK;
	return status;
}

/* Another instance may have come further: then some users are done again. */
static enum status store_cursor(struct deleted_users *d,
                                const struct list *list)
{
	const struct sql_value values[] = {sql_number(list->row),
	                                   sql_bytes(span_of(list->cursor))};
	struct sql *sql = sql_session_connection(d->session);
	enum status status = sql_session_connect(d->session);

	if (status == ST_OK)
		status = sql_run(sql,
		                 "INSERT INTO deleted_users_cursor"
		                 " (id, position) VALUES (?, ?)"
		                 " ON DUPLICATE KEY UPDATE"
		                 " position = VALUES(position)",
		                 values, ARRAY_LEN(values));
	return status;
}

/* --- a page -------------------------------------------------------------- */
static void on_deleted(void *context, uint64_t user)
{
	struct deleted_users *d = context;

	if (d->page_count < DELETED_PAGE_MAX)
		d->page[d->page_count++] = user;
}

static enum status ask_page(struct deleted_users *d, const struct list *list,
                            char ret_next[ENDED_CURSOR_MAX + 1], bool *ret_more)
{
	const struct identity_ended_reader reader = {.deleted = on_deleted,
	                                             .context = d};
	struct http_answer answer = {0};
	char url[URL_MAX];
	enum status status;

	(void)snprintf(url, sizeof(url), "%s%s?%s%s%s",
	               d->settings->identity_url, IDENTITY_DELETED_PATH,
	               list->query, *list->cursor ? "&since=" : "",
	               list->cursor);
	d->page_count = 0;
	status = http_client_ask(d->http,
	                         &(struct http_ask){
					 .url = url,
					 .timeout_ms = TIMEOUT_MS,
					 .answer_max = ENDED_ANSWER_MAX,
				 },
	                         &answer);
	/* An older identity-service deletes no users. */
	if (status == ST_OK && answer.http == HTTP_NOT_FOUND) {
		(void)snprintf(ret_next, ENDED_CURSOR_MAX + 1, "%s",
		               list->cursor);
		*ret_more = false;
		return ST_OK;
	}
	return identity_read_deleted(status, &answer, &reader, ret_next,
	                             ret_more);
}

/* A user who cannot be done holds up the cursor, but not the other users. */
static enum status do_page(struct deleted_users *d)
{
	enum status result = ST_OK;

	for (unsigned i = 0; i < d->page_count; i++) {
		enum status status = do_user(d, d->page[i]);

		if (status != ST_OK)
			result = status;
		if (status == ST_UNAVAILABLE || status == ST_BUSY)
			break;
	}
	return result;
}

static enum status move_cursor(struct deleted_users *d, struct list *list,
                               const char *next, bool at_once)
{
	uint64_t now_ms = clock_mono_ms();
	enum status status;

	(void)snprintf(list->cursor, sizeof(list->cursor), "%s", next);
	if (!*list->cursor || (now_ms < list->store_due_ms && !at_once))
		return ST_OK;
	status = store_cursor(d, list);
	if (status == ST_OK)
		list->store_due_ms = now_ms + STORE_EVERY_MS;
	return status;
}

static enum status read_page(struct deleted_users *d, struct list *list,
                             bool *ret_more)
{
	char next[ENDED_CURSOR_MAX + 1];
	enum status status;

	d->waits_for = "mysql";
	status = list->cursor_read ? ST_OK : read_cursor(d, list);
	if (status != ST_OK)
		return status;
	d->waits_for = "identity";
	status = ask_page(d, list, next, ret_more);
	if (status != ST_OK)
		return status;
	d->waits_for = "mysql";
	status = do_page(d);
	return status == ST_OK ? move_cursor(d, list, next, *ret_more) : status;
}

static enum status turn(struct deleted_users *d, bool *ret_more)
{
	enum status status = ST_OK;

	for (size_t i = 0; status == ST_OK && i < ARRAY_LEN(d->lists); i++) {
		struct list *list = &d->lists[i];
		bool more = false;

		if (clock_mono_ms() < list->due_ms)
			continue;
		status = read_page(d, list, &more);
		if (status == ST_OK && !more)
			list->due_ms = clock_mono_ms() + list->every_ms;
		*ret_more |= more;
	}
	return status;
}

/* --- the thread ---------------------------------------------------------- */
/* How long to wait before the next turn. */
static uint64_t note_result(struct deleted_users *d, enum status status,
                            bool more)
{
	if (status == ST_OK) {
		if (d->failures > LOG_AFTER)
			log_event(LOG_INFO, "deleted_users.resumed");
		d->failures = 0;
		return more ? 0 : POLL_EVERY_MS;
	}
	if (d->failures == LOG_AFTER)
		log_event(LOG_WARN, "deleted_users.waiting",
		          F_TEXT("status", status_text(status)),
		          F_TEXT("for", d->waits_for));
	return 1 + backoff_ms(d->failures++, BACKOFF_BASE_MS, BACKOFF_MAX_MS);
}

static void *work(void *context)
{
	struct deleted_users *d = context;
	uint64_t wait_ms = 0;

	sql_thread_start();
	while (!stops_within(d, wait_ms)) {
		bool more = false;
		enum status status = turn(d, &more);

		wait_ms = note_result(d, status, more);
	}
	sql_thread_stop();
	return NULL;
}

struct deleted_users *
deleted_users_start(const struct settings *settings,
                    struct outbox_publisher *outbox_publisher)
{
	struct deleted_users *d = mem_new(sizeof(*d));

	d->settings = settings;
	d->outbox_publisher = outbox_publisher;
	d->lists[0] = (struct list){.row = 1, .query = ""};
	d->lists[1] = (struct list){
		.row = 2, .query = LATE_QUERY, .every_ms = LATE_EVERY_MS};
	d->stop = eventfd(0, EFD_CLOEXEC);
	if (d->stop < 0)
		abort();
	d->http = http_client_create();
	d->session = sql_session_create(settings);
	d->membership = membership_create(settings, d->session);
	d->done = lru_create(DONE_MAX, 0);
	thread_start("deleted_users", work, d, &d->thread);
	return d;
}

void deleted_users_stop(struct deleted_users **deleted_users)
{
	struct deleted_users *d = MOVE(*deleted_users);

	if (!d)
		return;
	(void)eventfd_write(d->stop, 1);
	(void)pthread_join(d->thread, NULL);
	(void)close(d->stop);
	membership_destroy(&d->membership);
	sql_session_destroy(&d->session);
	http_client_destroy(&d->http);
	lru_destroy(&d->done);
	mem_free(&d);
}
