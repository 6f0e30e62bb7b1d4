#define _GNU_SOURCE
#include "persistence-service/announcer.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/service/fault_point.h"
#include "common/service/log.h"
#include "persistence-service/announcement.h"
#include "persistence-service/outbox.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
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

struct announcer {
	const struct settings *settings;
	struct sql *sql;
	struct kafka_producer *producer;
	pthread_t thread;
	bool started;
	int wake_fd;
	atomic_bool stopping;
	uint64_t drain_until_ms; /* 0: not stopping */
	enum status refused;     /* Kafka's status for a record of this turn */
	struct outbox_taken taken[OUTBOX_TAKEN_MAX]; /* locked by this turn */
	unsigned count;
	unsigned failures; /* in a row */
};

/* --- Kafka --------------------------------------------------------------- */
/* A row that can never be sent must not hold up the others. */
static void log_poison_row(uint64_t id, enum status status)
{
	log_event(LOG_ERROR, "outbox.poison_row", F_NUMBER("id", id),
	          F_TEXT("why", status_text(status)));
}

static void on_delivered(void *context, uint64_t tag, enum status status)
{
	struct announcer *a = context;

	if (status == ST_TOO_LARGE)
		log_poison_row(tag, status);
	else if (status != ST_OK)
		a->refused = status;
}

/* The time to drain begins with the first call after announcer_stop(). */
static bool time_over(struct announcer *a)
{
	if (!atomic_load(&a->stopping))
		return false;
	if (!a->drain_until_ms)
		a->drain_until_ms = clock_mono_ms() + DRAIN_MS;
	return clock_mono_ms() >= a->drain_until_ms;
}

struct sending {
	struct announcer *announcer;
	uint64_t row; /* the tag of its records */
};

static enum status send_record(void *context, const struct kafka_record *record)
{
	const struct sending *sending = context;
	struct announcer *a = sending->announcer;
	enum status status;

	for (;;) {
		status = kafka_produce(a->producer, record, sending->row);
		if (status != ST_BUSY)
			return status;
		if (time_over(a))
			return ST_UNAVAILABLE;
		kafka_producer_flush(a->producer, FLUSH_MS);
	}
}

static enum status wait_confirmed(struct announcer *a)
{
	while (kafka_producer_pending(a->producer) && !time_over(a))
		kafka_producer_flush(a->producer, FLUSH_MS);
	if (kafka_producer_pending(a->producer))
		return ST_UNAVAILABLE;
	return a->refused;
}

/* --- one turn ------------------------------------------------------------ */
static enum status send_row(struct announcer *a, const struct outbox_row *row)
{
	struct sending sending = {a, row->id};
	enum status status =
		announcement_each(a->settings, row, send_record, &sending);

	if (status != ST_INVALID && status != ST_TOO_LARGE)
		return status;
	log_poison_row(row->id, status);
	return ST_OK;
}

/*
 * The rows of a conversation are sent in their order: a member who left must
 * not get the events after it. Another announcer may have locked an earlier row
 * and not sent it yet. So this row is sent before ours, and thus twice.
 */
static bool is_due(const struct announcer *a, const struct outbox_row *row)
{
	for (unsigned i = 0; i < a->count; i++) {
		const struct outbox_taken *ours = &a->taken[i];

		if (ours->id == row->id ||
		    (row->conversation &&
		     ours->conversation == row->conversation))
			return true;
	}
	return false;
}

static enum status send_rows(struct announcer *a)
{
	struct outbox_row row;
	enum status status = outbox_take(a->sql, a->taken, &a->count);

	a->refused = ST_OK;
	if (status != ST_OK || a->count == 0)
		return status;
	status = outbox_read(a->sql, a->taken[a->count - 1].id);
	while (status == ST_OK) {
		status = outbox_next(a->sql, &row);
		if (status == ST_OK && is_due(a, &row))
			status = send_row(a, &row);
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

/* Waits also after a failure: no record of this turn is left for the next. */
static enum status send_and_wait(struct announcer *a)
{
	enum status sent = send_rows(a);
	enum status confirmed = wait_confirmed(a);

	FAULT_POINT("announced.after");
	return sent == ST_OK ? confirmed : sent;
}

static enum status announce(struct announcer *a)
{
	enum status status = ST_OK;

	a->count = 0;
	if (!sql_connected(a->sql))
		status = sql_connect(a->sql);
	if (status == ST_OK)
		status = sql_begin(a->sql);
	if (status == ST_OK)
		status = send_and_wait(a);
	if (status == ST_OK && a->count)
		status = outbox_remove(a->sql, a->taken, a->count);
	if (status == ST_OK)
		status = sql_commit(a->sql);
	if (status != ST_OK)
		sql_rollback(a->sql);
	return status;
}

/* --- the thread ---------------------------------------------------------- */
static void wait_for_wake(const struct announcer *a, uint64_t wait_ms)
{
	struct pollfd fd = {.fd = a->wake_fd, .events = POLLIN};

	(void)poll(&fd, 1, (int)wait_ms);
}

static void clear_wake(const struct announcer *a)
{
	uint64_t ignored;

	if (read(a->wake_fd, &ignored, sizeof(ignored)) < 0)
		return; /* the counter was zero */
}

/* Only a stop ends this wait early: new rows would fail as well. */
static void wait_after_failure(struct announcer *a)
{
	uint64_t until_ms =
		clock_mono_ms() + 1 +
		backoff_ms(a->failures++, BACKOFF_BASE_MS, BACKOFF_MAX_MS);
	uint64_t now_ms;

	while (!atomic_load(&a->stopping) &&
	       (now_ms = clock_mono_ms()) < until_ms) {
		wait_for_wake(a, until_ms - now_ms);
		if (!atomic_load(&a->stopping))
			clear_wake(a);
	}
}

/* A deadlock, or a start before the database's, is not worth a log line. */
static void log_state(struct announcer *a, enum status status)
{
	if (status != ST_OK && a->failures == LOG_AFTER)
		log_event(LOG_WARN, "outbox.waiting",
		          F_TEXT("status", status_text(status)),
		          F_TEXT("why", sql_error(a->sql)));
	if (status == ST_OK && a->failures > LOG_AFTER)
		log_event(LOG_INFO, "outbox.resumed");
	if (status == ST_OK)
		a->failures = 0;
}

static void take_turn(struct announcer *a)
{
	enum status status;

	clear_wake(a);
	status = announce(a);
	log_state(a, status);
	if (status != ST_OK)
		wait_after_failure(a);
	else if (a->count < OUTBOX_TAKEN_MAX)
		wait_for_wake(a, READ_EVERY_MS);
}

static void drain(struct announcer *a)
{
	while (!time_over(a)) {
		if (announce(a) != ST_OK || a->count == 0)
			return;
	}
}

static void *work(void *context)
{
	struct announcer *a = context;

	sql_thread_start();
	while (!atomic_load(&a->stopping))
		take_turn(a);
	drain(a);
	sql_thread_stop();
	return NULL;
}

/* Signals are for the main thread. */
static void start_thread(struct announcer *a)
{
	sigset_t all, before;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&a->thread, NULL, work, a))
		abort();
	(void)pthread_setname_np(a->thread, "announcer");
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	a->started = true;
}

enum status announcer_start(const struct settings *settings,
                            struct announcer **ret_announcer)
{
	struct announcer *a CLEANUP(announcer_stop) = mem_new(sizeof(*a));
	struct kafka_producer_options options = {
		.common = settings_kafka(settings),
		.queue_max_kib = QUEUE_MAX_KIB,
		.delivered = on_delivered,
		.context = a,
	};
	enum status status;

	a->settings = settings;
	a->sql = settings_sql(settings);
	a->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (a->wake_fd < 0)
		return ST_BROKEN;
	status = kafka_producer_create(&options, &a->producer);
	if (status != ST_OK)
		return status;
	start_thread(a);
	*ret_announcer = MOVE(a);
	return ST_OK;
}

void announcer_stop(struct announcer **announcer)
{
	struct announcer *a = MOVE(*announcer);

	if (!a)
		return;
	atomic_store(&a->stopping, true);
	announcer_wake(a);
	if (a->started)
		(void)pthread_join(a->thread, NULL);
	kafka_producer_destroy(&a->producer);
	sql_destroy(&a->sql);
	if (a->wake_fd >= 0)
		(void)close(a->wake_fd);
	mem_free(&a);
}

void announcer_wake(struct announcer *a)
{
	uint64_t one = 1;

	/* A full counter wakes as well. */
	if (a && a->wake_fd >= 0 && write(a->wake_fd, &one, sizeof(one)) < 0)
		return;
}
