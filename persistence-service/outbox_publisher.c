#include "persistence-service/outbox_publisher.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/base/thread.h"
#include "common/service/fault_point.h"
#include "common/service/log.h"
#include "persistence-service/outbox.h"
#include "persistence-service/outbox_records.h"
#include "persistence-service/persistence_metrics.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	QUEUE_MAX_KIB = 16 * 1024,
	READ_EVERY_MS = 1000,
	FLUSH_MS = 50, /* a stop is noticed this soon */
	DRAIN_MS = 2000,
	BACKOFF_BASE_MS = 100,
	BACKOFF_MAX_MS = 2000,
	LOG_AFTER = 3, /* failures in a row */
};

struct outbox_publisher {
	const struct settings *settings;
	struct sql *sql;
	struct kafka_producer *producer;
	pthread_t thread;
	bool started;
	int wake_fd;
	atomic_bool stopping;
	uint64_t drain_until_ms; /* 0: not stopping */
	enum status refused;     /* Kafka's status for a record of this turn */
	char refused_why[320];
	struct outbox_taken taken[OUTBOX_TAKEN_MAX]; /* locked by this turn */
	unsigned count;
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

	switch (kafka_verdict(report->status)) {
	case KAFKA_ACCEPTED:
		break;
	case KAFKA_RECORD_REFUSED:
		log_poison_row(report->tag, report->error);
		break;
	case KAFKA_PASSING:
	case KAFKA_TOPIC_REFUSED:
		note_refusal(p, report->topic, report->status, report->error);
	}
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

/* --- one turn ------------------------------------------------------------ */
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

/*
 * The rows of a conversation are sent in their order: a member who left must
 * not get the events after it. Another publisher may have locked an earlier row
 * and not sent it yet. So this row is sent before ours, and thus twice.
 */
static bool is_due(const struct outbox_publisher *p,
                   const struct outbox_row *row)
{
	for (unsigned i = 0; i < p->count; i++) {
		const struct outbox_taken *ours = &p->taken[i];

		if (ours->id == row->id ||
		    (row->conversation &&
		     ours->conversation == row->conversation))
			return true;
	}
	return false;
}

static enum status send_rows(struct outbox_publisher *p)
{
	struct outbox_row row;
	enum status status = outbox_take(p->sql, p->taken, &p->count);

	if (status != ST_OK || p->count == 0)
		return status;
	status = outbox_read(p->sql, p->taken[p->count - 1].id);
	while (status == ST_OK) {
		status = outbox_next(p->sql, &row);
		if (status == ST_OK && is_due(p, &row))
			status = send_row(p, &row);
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

/* Waits also after a failure: no record of this turn is left for the next. */
static enum status send_and_wait(struct outbox_publisher *p)
{
	enum status sent = send_rows(p);
	enum status confirmed = wait_confirmed(p);

	FAULT_POINT("outbox.after");
	return sent == ST_OK ? confirmed : sent;
}

static enum status publish(struct outbox_publisher *p)
{
	enum status status = ST_OK;

	p->count = 0;
	p->refused = ST_OK;
	if (!sql_connected(p->sql))
		status = sql_connect(p->sql);
	if (status == ST_OK)
		status = sql_begin(p->sql);
	if (status == ST_OK)
		status = send_and_wait(p);
	if (status == ST_OK && p->count)
		status = outbox_remove(p->sql, p->taken, p->count);
	if (status == ST_OK)
		status = sql_commit(p->sql);
	if (status != ST_OK)
		sql_rollback(p->sql);
	return status;
}

/* --- the thread ---------------------------------------------------------- */
static void wait_for_wake(const struct outbox_publisher *p, uint64_t wait_ms)
{
	struct pollfd fd = {.fd = p->wake_fd, .events = POLLIN};

	(void)poll(&fd, 1, (int)wait_ms);
}

static void clear_wake(const struct outbox_publisher *p)
{
	uint64_t ignored;

	if (read(p->wake_fd, &ignored, sizeof(ignored)) < 0)
		return; /* the counter was zero */
}

/* Only a stop ends this wait early: new rows would fail as well. */
static void wait_after_failure(struct outbox_publisher *p)
{
	uint64_t until_ms =
		clock_mono_ms() + 1 +
		backoff_ms(p->failures++, BACKOFF_BASE_MS, BACKOFF_MAX_MS);
	uint64_t now_ms;

	while (!atomic_load(&p->stopping) &&
	       (now_ms = clock_mono_ms()) < until_ms) {
		wait_for_wake(p, until_ms - now_ms);
		if (!atomic_load(&p->stopping))
			clear_wake(p);
	}
}

/* A deadlock, or a start before the database's, is not worth a log line. */
static void log_state(struct outbox_publisher *p, enum status status)
{
	if (status != ST_OK && p->failures == LOG_AFTER)
		log_event(LOG_WARN, "outbox.waiting",
		          F_TEXT("status", status_text(status)),
		          F_TEXT("why", p->refused == ST_OK ? sql_error(p->sql)
		                                            : p->refused_why));
	if (status == ST_OK && p->failures > LOG_AFTER)
		log_event(LOG_INFO, "outbox.resumed");
	if (status == ST_OK)
		p->failures = 0;
}

static void take_turn(struct outbox_publisher *p)
{
	enum status status;

	clear_wake(p);
	status = publish(p);
	log_state(p, status);
	if (status != ST_OK)
		wait_after_failure(p);
	else if (p->count < OUTBOX_TAKEN_MAX)
		wait_for_wake(p, READ_EVERY_MS);
}

static void drain(struct outbox_publisher *p)
{
	while (!time_over(p)) {
		if (publish(p) != ST_OK || p->count == 0)
			return;
	}
}

static void *work(void *context)
{
	struct outbox_publisher *p = context;

	sql_thread_start();
	while (!atomic_load(&p->stopping))
		take_turn(p);
	drain(p);
	sql_thread_stop();
	return NULL;
}

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
	p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->wake_fd < 0)
		return ST_BROKEN;
	status = kafka_producer_create(&options, &p->producer);
	if (status != ST_OK)
		return status;
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
	kafka_producer_destroy(&p->producer);
	sql_destroy(&p->sql);
	if (p->wake_fd >= 0)
		(void)close(p->wake_fd);
	mem_free(&p);
}

void outbox_publisher_wake(struct outbox_publisher *p)
{
	uint64_t one = 1;

	/* A full counter wakes as well. */
	if (p && p->wake_fd >= 0 && write(p->wake_fd, &one, sizeof(one)) < 0)
		return;
}
