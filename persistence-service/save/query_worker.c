#include "persistence-service/save/query_worker.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/pipe_queue.h"
#include "common/base/random.h"
#include "common/base/thread.h"
#include "common/io/kafka/kafka.h"
#include "common/service/log.h"
#include "common/service/slow_turn.h"
#include "common/wire/event.h"
#include "persistence-service/persistence_metrics.h"
#include "persistence-service/save/conversation/query_handler.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
	QUEUE_MAX_KIB = 16 * 1024,
	TIMEOUT_MS = 2000, /* of an answer; the gateway asks again earlier */
	REPORTS_PER_TURN = 1000,
	BACKOFF_BASE_MS = 50,
	BACKOFF_MAX_MS = 2000,
};

/* A copy; its spans point into `bytes`. */
struct query {
	struct save_record record;
	struct span origin;
	uint64_t began_us;
	char bytes[];
};

struct query_worker {
	const struct settings *settings;
	struct sql *sql;
	struct query_handler *handler;
	struct kafka_producer *producer;
	struct pipe_queue *queue; /* of pointers; its end stops the thread */
	pthread_t thread;
	bool started;
	atomic_bool stopping;
	bool failing; /* as last logged */
	unsigned attempt;
	uint64_t connect_due_ms;
};

/* --- the thread that adds ------------------------------------------------ */
static struct span copy(char **at, struct span text)
{
	struct span kept = span_make(*at, text.len);

	if (text.len)
		memcpy(*at, text.data, text.len);
	*at += text.len;
	return kept;
}

void query_worker_add(struct query_worker *w, const struct save_record *record,
                      struct span origin)
{
	struct query *query = mem_new(sizeof(*query) + record->users.len +
	                              record->conversations.len + origin.len);
	char *at = query->bytes;

	query->record = (struct save_record){
		.kind = record->kind,
		.sender = record->sender,
		.conversation = record->conversation,
		.users = copy(&at, record->users),
		.conversations = copy(&at, record->conversations),
	};
	query->origin = copy(&at, origin);
	query->began_us = clock_mono_us();
	if (pipe_queue_put(w->queue, &query))
		return;
	persistence_metrics_query(false, 0);
	mem_free(&query);
}

/* --- the thread ---------------------------------------------------------- */
static void on_delivered(void *context, const struct kafka_report *report)
{
	(void)context;
	if (report->status != ST_OK)
		persistence_metrics_query(false, 0);
}

static void poll_producer(struct query_worker *w)
{
	while (kafka_producer_poll(w->producer, REPORTS_PER_TURN) ==
	       REPORTS_PER_TURN)
		;
}

/* Each change once: a query that fails is asked again. */
static void log_state(struct query_worker *w, enum status status)
{
	bool failing = status != ST_OK;

	if (failing && !w->failing)
		log_event(LOG_WARN, "query.failed",
		          F_TEXT("status", status_text(status)),
		          F_TEXT("why", sql_error(w->sql)));
	w->failing = failing;
}

static enum status connect_when_due(struct query_worker *w)
{
	enum status status;

	if (sql_connected(w->sql))
		return ST_OK;
	if (clock_mono_ms() < w->connect_due_ms)
		return ST_UNAVAILABLE;
	status = sql_connect(w->sql);
	if (status == ST_OK)
		w->attempt = 0;
	else
		w->connect_due_ms = clock_mono_ms() +
		                    backoff_ms(w->attempt++, BACKOFF_BASE_MS,
		                               BACKOFF_MAX_MS);
	return status;
}

static const char *header_of(enum save_kind kind)
{
	if (kind == SAVE_ROOMS)
		return EVENT_ROOMS_HEADER;
	return kind == SAVE_KEYS ? EVENT_KEYS_HEADER : EVENT_ROSTER_HEADER;
}

/* The frame is empty: the answer is in the header. */
static enum status send_answer(struct query_worker *w,
                               const struct query *query, struct span answer)
{
	uint32_t partitions = (uint32_t)w->settings->kafka_partitions;
	struct buf key CLEANUP(buf_free) = BUF(32);
	struct kafka_record record = {
		.topic = w->settings->topic_events,
		.partition = (int32_t)event_partition(query->record.sender,
	                                              partitions),
		.header = {header_of(query->record.kind), answer},
		.more = {EVENT_SETTLES_HEADER, query->origin},
	};

	event_key_add(&key, query->record.sender);
	record.key = buf_span(&key);
	return kafka_produce(w->producer, &record, 0);
}

static void answer(struct query_worker *w, const struct query *query)
{
	struct span text;
	enum status status = connect_when_due(w);

	if (status == ST_OK)
		status =
			query_handler_answer(w->handler, &query->record, &text);
	log_state(w, status);
	if (status == ST_OK)
		status = send_answer(w, query, text);
	persistence_metrics_query(status == ST_OK,
	                          clock_mono_us() - query->began_us);
}

/* NULL at the end of the queue. Handles reports while it waits. */
static struct query *next_query(struct query_worker *w)
{
	struct pollfd fds[] = {
		{.fd = pipe_queue_fd(w->queue), .events = POLLIN},
		{.fd = kafka_producer_fd(w->producer), .events = POLLIN},
	};
	struct query *query = NULL;

	while (!(fds[0].revents & (POLLIN | POLLHUP))) {
		(void)poll(fds, ARRAY_LEN(fds), -1);
		if (fds[1].revents & POLLIN)
			poll_producer(w);
	}
	return pipe_queue_take(w->queue, &query, 1) ? query : NULL;
}

static void *work(void *context)
{
	struct query_worker *w = context;
	struct turn_watch turn;
	struct query *query;

	turn_watch_start(&turn, w->settings->turn_max_ms, 0);
	sql_thread_start();
	while ((query = next_query(w))) {
		turn_watch_begin(&turn, 0);
		if (!atomic_load(&w->stopping))
			answer(w, query);
		mem_free(&query);
		poll_producer(w);
		slow_turn_end("queries", &turn);
	}
	sql_thread_stop();
	return NULL;
}

/* --- start and stop ------------------------------------------------------ */
enum status query_worker_start(const struct settings *settings,
                               struct query_worker **ret_worker)
{
	struct query_worker *w CLEANUP(query_worker_stop) = mem_new(sizeof(*w));
	struct kafka_producer_options options = {
		.common = settings_kafka(settings),
		.queue_max_kib = QUEUE_MAX_KIB,
		.timeout_ms = TIMEOUT_MS,
		.delivered = on_delivered,
		.context = w,
	};

	w->settings = settings;
	w->queue = pipe_queue_create(sizeof(struct query *), QUERIES_MAX, true);
	w->sql = settings_sql(settings);
	w->handler = query_handler_create(w->sql);
	if (!w->queue || kafka_producer_create(&options, &w->producer) != ST_OK)
		return ST_BROKEN;
	thread_start("queries", work, w, &w->thread);
	w->started = true;
	*ret_worker = MOVE(w);
	return ST_OK;
}

void query_worker_stop(struct query_worker **worker)
{
	struct query_worker *w = MOVE(*worker);

	if (!w)
		return;
	atomic_store(&w->stopping, true);
	if (w->queue)
		pipe_queue_close(w->queue);
	if (w->started)
		(void)pthread_join(w->thread, NULL);
	pipe_queue_destroy(&w->queue);
	kafka_producer_destroy(&w->producer);
	query_handler_destroy(&w->handler);
	sql_destroy(&w->sql);
	mem_free(&w);
}
