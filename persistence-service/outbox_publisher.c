#include "persistence-service/outbox_publisher.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/pipe_queue.h"
#include "common/base/random.h"
#include "common/base/thread.h"
#include "common/service/fault_point.h"
#include "common/service/log.h"
#include "common/service/slow_turn.h"
#include "persistence-service/outbox.h"
#include "persistence-service/outbox_announcer.h"
#include "persistence-service/outbox_records.h"
#include "persistence-service/persistence_metrics.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum {
	QUEUE_MAX_KIB = 16 * 1024,
	SWEEP_EVERY_MS = 1000,
	FLUSH_MS = 50, /* a stop is noticed this soon */
	DRAIN_MS = 2000,
	BACKOFF_BASE_MS = 100,
	BACKOFF_MAX_MS = 2000,
	LOG_AFTER = 3, /* failures in a row */
	TURN_MAX = OUTBOX_STALE_MAX,
	REPORTS_PER_TURN = 1000,
};

enum task_kind { TASK_PUBLISH, TASK_ANNOUNCE, TASK_REMOVE };

struct task {
	enum task_kind kind;
	uint64_t conversation; /* of TASK_ANNOUNCE */
	uint64_t row;
};

struct outbox_publisher {
	const struct settings *settings;
	struct sql *sql;
	struct kafka_producer *producer;
	pthread_t thread;
	bool started;
	struct pipe_queue *tasks;
	atomic_bool stopping;
	uint64_t drain_until_ms; /* 0: not stopping */
	enum status refused;     /* Kafka's status for a record */
	char refused_why[320];

	bool rows_wait; /* of no conversation */
	uint64_t taken[OUTBOX_TAKEN_MAX];
	unsigned taken_count;
	struct outbox_announcer *announcer;
	uint64_t removed[TURN_MAX]; /* rows that Kafka has confirmed */
	unsigned removed_count;

	uint64_t sweep_due_ms;
	uint64_t retry_due_ms;
	unsigned failures; /* in a row */
};

/* --- Kafka --------------------------------------------------------------- */
/* A row that can never be sent must not hold up the others. */
static void log_poison_row(uint64_t id, const char *why)
{
	persistence_metrics_event_refused();
	log_event(LOG_ERROR, "outbox.poison_row", F_NUMBER("id", id),
	          F_TEXT("why", why));
}

static void note_refusal(struct outbox_publisher *p, const char *topic,
                         enum status status, const char *why)
{
	p->refused = status;
	(void)snprintf(p->refused_why, sizeof(p->refused_why), "topic %s: %s",
	               topic, why);
}

static void on_delivered(void *context, const struct kafka_report *report)
{
	struct outbox_publisher *p = context;
	enum kafka_verdict verdict = kafka_verdict(report->status);

	if (verdict == KAFKA_RECORD_REFUSED &&
	    report->tag != OUTBOX_ANNOUNCEMENT)
		log_poison_row(report->tag, report->error);
	else if (verdict != KAFKA_ACCEPTED)
		note_refusal(p, report->topic, report->status, report->error);
}

/* The time to drain begins with the first call after outbox_publisher_stop().
 */
static bool time_over(struct outbox_publisher *p)
{
	if (!atomic_load(&p->stopping))
		return false;
	if (!p->drain_until_ms)
		p->drain_until_ms = clock_mono_ms() + DRAIN_MS;
	return clock_mono_ms() >= p->drain_until_ms;
}

struct sending {
	struct outbox_publisher *publisher;
	uint64_t row; /* the tag of its records */
};

static enum status send_record(void *context, const struct kafka_record *record)
{
	const struct sending *sending = context;
	struct outbox_publisher *p = sending->publisher;
	enum status status;

	for (;;) {
		status = kafka_produce(p->producer, record, sending->row);
		if (status != ST_BUSY)
			break;
		if (time_over(p))
			return ST_UNAVAILABLE;
		kafka_producer_flush(p->producer, FLUSH_MS);
	}
	if (status == ST_OK || kafka_verdict(status) == KAFKA_RECORD_REFUSED)
		return status;
	note_refusal(p, record->topic, status, status_text(status));
	return ST_UNAVAILABLE; /* the row stays */
}

static enum status wait_confirmed(struct outbox_publisher *p)
{
	while (kafka_producer_pending(p->producer) && !time_over(p))
		kafka_producer_flush(p->producer, FLUSH_MS);
	if (kafka_producer_pending(p->producer))
		return ST_UNAVAILABLE;
	return p->refused;
}

/* --- rows of no conversation --------------------------------------------- */
static enum status send_row(struct outbox_publisher *p,
                            const struct outbox_row *row)
{
	struct sending sending = {p, row->id};
	enum status status =
		outbox_records_each(p->settings, row, send_record, &sending);

	if (kafka_verdict(status) != KAFKA_RECORD_REFUSED)
		return status;
	log_poison_row(row->id, status_text(status));
	return ST_OK;
}

static enum status send_rows(struct outbox_publisher *p)
{
	struct outbox_row row;
	enum status status = outbox_take(p->sql);

	p->taken_count = 0;
	while (status == ST_OK) {
		status = outbox_next(p->sql, &row);
		if (status != ST_OK)
			break;
		p->taken[p->taken_count++] = row.id;
		status = send_row(p, &row);
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

/* Waits also after a failure: no record of this turn is left for the next. */
static enum status send_and_wait(struct outbox_publisher *p)
{
	enum status sent, confirmed;

	p->refused = ST_OK;
	sent = send_rows(p);
	if (p->taken_count == 0)
		return sent; /* announcements need not wait for Kafka */
	confirmed = wait_confirmed(p);
	FAULT_POINT("outbox.after");
	return sent == ST_OK ? confirmed : sent;
}

static enum status publish_rows(struct outbox_publisher *p)
{
	enum status status = sql_begin(p->sql);

	if (status == ST_OK)
		status = send_and_wait(p);
	if (status == ST_OK)
		status = outbox_remove(p->sql, p->taken, p->taken_count);
	if (status == ST_OK)
		status = sql_commit(p->sql);
	if (status != ST_OK)
		sql_rollback(p->sql);
	else
		p->rows_wait = p->taken_count == OUTBOX_TAKEN_MAX;
	return status;
}

/* --- rows of conversations ----------------------------------------------- */
/* What Kafka does not take now is announced again by the next sweep. */
static void announce(struct outbox_publisher *p)
{
	enum status status = outbox_announcer_send(p->announcer);

	if (status != ST_OK && status != ST_BUSY)
		note_refusal(p, p->settings->topic_save, status,
		             status_text(status));
}

static enum status sweep(struct outbox_publisher *p)
{
	enum status status = outbox_announcer_sweep(p->announcer);

	announce(p);
	return status;
}

static enum status remove_rows(struct outbox_publisher *p)
{
	enum status status = sql_begin(p->sql);

	if (status == ST_OK)
		status = outbox_remove(p->sql, p->removed, p->removed_count);
	if (status == ST_OK)
		status = sql_commit(p->sql);
	if (status != ST_OK)
		sql_rollback(p->sql);
	else
		p->removed_count = 0;
	return status;
}

/* Not while announcements wait for Kafka: more of them would not help. */
static enum status sweep_when_due(struct outbox_publisher *p)
{
	uint64_t now_ms = clock_mono_ms();

	if (now_ms < p->sweep_due_ms)
		return ST_OK;
	p->sweep_due_ms = now_ms + SWEEP_EVERY_MS;
	p->rows_wait = true; /* perhaps, of a process that died */
	return kafka_producer_pending(p->producer) ? ST_OK : sweep(p);
}

/* --- the thread ---------------------------------------------------------- */
static void take_task(struct outbox_publisher *p, const struct task *task)
{
	switch (task->kind) {
	case TASK_PUBLISH:
		p->rows_wait = true;
		break;
	case TASK_ANNOUNCE:
		outbox_announcer_add(p->announcer, task->conversation,
		                     task->row);
		break;
	case TASK_REMOVE:
		p->removed[p->removed_count++] = task->row;
		break;
	}
}

/* As many as there is room for. */
static unsigned take_tasks(struct outbox_publisher *p)
{
	struct task tasks[TURN_MAX];
	unsigned count =
		pipe_queue_take(p->tasks, tasks, TURN_MAX - p->removed_count);

	for (unsigned i = 0; i < count; i++)
		take_task(p, &tasks[i]);
	return count;
}

/* Also what Kafka has reported for announcements since the last time. */
static enum status work_on_table(struct outbox_publisher *p)
{
	enum status announced = p->refused;
	enum status status = ST_OK;

	p->refused = ST_OK;
	if (!sql_connected(p->sql))
		status = sql_connect(p->sql);
	if (status == ST_OK)
		status = sweep_when_due(p);
	if (status == ST_OK && p->rows_wait)
		status = publish_rows(p);
	if (status == ST_OK && p->removed_count)
		status = remove_rows(p);
	return status == ST_OK ? announced : status;
}

/* A deadlock, or a start before the database's, is not worth a log line. */
static void note_result(struct outbox_publisher *p, enum status status)
{
	if (status == ST_OK) {
		if (p->failures > LOG_AFTER)
			log_event(LOG_INFO, "outbox.resumed");
		p->failures = 0;
		return;
	}
	if (p->failures == LOG_AFTER)
		log_event(LOG_WARN, "outbox.waiting",
		          F_TEXT("status", status_text(status)),
		          F_TEXT("why", *p->refused_why ? p->refused_why
		                                        : sql_error(p->sql)));
	*p->refused_why = '\0';
	p->retry_due_ms =
		clock_mono_ms() + 1 +
		backoff_ms(p->failures++, BACKOFF_BASE_MS, BACKOFF_MAX_MS);
}

static void work_when_due(struct outbox_publisher *p)
{
	uint64_t now_ms = clock_mono_ms();

	if (now_ms >= p->retry_due_ms &&
	    (now_ms >= p->sweep_due_ms || p->rows_wait || p->removed_count))
		note_result(p, work_on_table(p));
}

static int wait_ms(const struct outbox_publisher *p)
{
	uint64_t now_ms = clock_mono_ms(), due_ms = p->sweep_due_ms;

	if (p->rows_wait || p->removed_count)
		due_ms = 0;
	if (due_ms < p->retry_due_ms)
		due_ms = p->retry_due_ms;
	return due_ms > now_ms ? (int)(due_ms - now_ms) : 0;
}

static void wait_for_work(const struct outbox_publisher *p)
{
	struct pollfd fds[] = {
		{.fd = p->removed_count < TURN_MAX ? pipe_queue_fd(p->tasks)
	                                           : -1,
	         .events = POLLIN},
		{.fd = kafka_producer_fd(p->producer), .events = POLLIN},
	};

	(void)poll(fds, ARRAY_LEN(fds), wait_ms(p));
}

/* Announcements first: users wait for them. */
static unsigned take_turn(struct outbox_publisher *p)
{
	unsigned count = take_tasks(p);

	announce(p);
	while (kafka_producer_poll(p->producer, REPORTS_PER_TURN) ==
	       REPORTS_PER_TURN)
		;
	work_when_due(p);
	return count;
}

static void drain(struct outbox_publisher *p)
{
	p->rows_wait = true;
	while (!time_over(p) && !p->failures) {
		if (!take_turn(p) && !p->rows_wait && !p->removed_count)
			break;
	}
	(void)wait_confirmed(p);
}

static void *work(void *context)
{
	struct outbox_publisher *p = context;
	struct turn_watch turn;

	turn_watch_start(&turn, p->settings->turn_max_ms, 0);
	sql_thread_start();
	while (!atomic_load(&p->stopping)) {
		wait_for_work(p);
		turn_watch_begin(&turn, 0);
		(void)take_turn(p);
		slow_turn_end("outbox", &turn);
	}
	drain(p);
	sql_thread_stop();
	return NULL;
}

/* --- start and stop ------------------------------------------------------ */
enum status outbox_publisher_start(const struct settings *settings,
                                   struct outbox_publisher **ret_publisher)
{
	struct outbox_publisher *p CLEANUP(outbox_publisher_stop) =
		mem_new(sizeof(*p));
	struct kafka_producer_options options = {
		.common = settings_kafka(settings),
		.queue_max_kib = QUEUE_MAX_KIB,
		.delivered = on_delivered,
		.context = p,
	};
	enum status status;

	p->settings = settings;
	p->sql = settings_sql(settings);
	p->tasks =
		pipe_queue_create(sizeof(struct task), OUTBOX_TASKS_MAX, false);
	p->refused = ST_OK;
	if (!p->tasks)
		return ST_BROKEN;
	status = kafka_producer_create(&options, &p->producer);
	if (status != ST_OK)
		return status;
	p->announcer = outbox_announcer_create(settings, p->sql, p->producer);
	thread_start("outbox", work, p, &p->thread);
	p->started = true;
	*ret_publisher = MOVE(p);
	return ST_OK;
}

void outbox_publisher_stop(struct outbox_publisher **publisher)
{
	struct outbox_publisher *p = MOVE(*publisher);

	if (!p)
		return;
	atomic_store(&p->stopping, true);
	outbox_publisher_wake(p);
	if (p->started)
		(void)pthread_join(p->thread, NULL);
	outbox_announcer_destroy(&p->announcer);
	kafka_producer_destroy(&p->producer);
	sql_destroy(&p->sql);
	pipe_queue_destroy(&p->tasks);
	mem_free(&p);
}

/* --- any thread ---------------------------------------------------------- */
static bool add_task(struct outbox_publisher *p, enum task_kind kind,
                     uint64_t conversation, uint64_t row)
{
	struct task task = {kind, conversation, row};

	return pipe_queue_put(p->tasks, &task);
}

/* A full queue wakes the thread as well, and the next sweep finds the rows. */
void outbox_publisher_wake(struct outbox_publisher *p)
{
	if (p && p->tasks)
		(void)!add_task(p, TASK_PUBLISH, 0, 0);
}

void outbox_publisher_announce(struct outbox_publisher *p,
                               uint64_t conversation, uint64_t row)
{
	if (p)
		(void)!add_task(p, TASK_ANNOUNCE, conversation, row);
}

bool outbox_publisher_remove(struct outbox_publisher *p, uint64_t row)
{
	return add_task(p, TASK_REMOVE, 0, row);
}
