/*
 * The query worker with a real database and a real cluster: MYSQL_HOST, … and
 * KAFKA_BROKERS.
 */
#include "persistence-service/save/query_worker.h"

#include "common/base/clock.h"
#include "common/io/kafka/kafka.h"
#include "common/service/metrics.h"
#include "common/wire/event.h"
#include "persistence-service/persistence_metrics.h"
#include "persistence-service/tests/chat_fixture.h"
#include "persistence-service/tests/topic_fixture.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct query_worker *worker;
static struct sql *locker;
static struct kafka_reader *answers;

static int start(void **state)
{
	(void)state;
	persistence_metrics_start();
	chat_start();
	topic_fixture_make("test_query_worker");
	locker = chat_connect();
	answers = topic_fixture_read_events();
	return query_worker_start(&chat_settings, &worker) != ST_OK;
}

static int stop(void **state)
{
	(void)state;
	sql_destroy(&locker); /* and its lock, so that the worker ends */
	query_worker_stop(&worker);
	kafka_reader_destroy(&answers);
	chat_stop();
	return 0;
}

static uint64_t metric(const char *name)
{
	struct buf text CLEANUP(buf_free) = BUF(1024 * 1024);
	const char *at;

	metrics_write(&text);
	at = strstr(buf_text(&text), name);
	assert_non_null(at);
	return strtoull(at + strlen(name), NULL, 10);
}

static uint64_t dropped(void)
{
	return metric("\nparley_queries_dropped_total ");
}

static uint64_t answered(void)
{
	return metric("\nparley_query_seconds_count ");
}

static void ask(void)
{
	const struct save_record query = {
		.kind = SAVE_ROOMS, .sender = 1, .users = SPAN("1")};

	query_worker_add(worker, &query, SPAN("origin"));
}

/* The worker's statement waits for the lock. */
static void lock_members(void)
{
	assert_int_equal(sql_execute(locker, "LOCK TABLES members WRITE"),
	                 ST_OK);
	ask();
	while (!chat_number("SELECT COUNT(*) FROM"
	                    " information_schema.processlist WHERE"
	                    " db = DATABASE() AND state LIKE"
	                    " 'Waiting for table%%'"))
		(void)sched_yield();
}

static void ask_times(unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		ask();
}

static void wait_for(uint64_t done)
{
	while (answered() + dropped() < done)
		(void)sched_yield();
	assert_int_equal(answered() + dropped(), done);
}

static void read_answers(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		struct kafka_message *answer CLEANUP(kafka_message_destroy) =
			topic_fixture_next(answers);

		assert_true(span_equal(
			kafka_message_header(answer, EVENT_ROOMS_HEADER),
			SPAN("1=")));
		assert_true(span_equal(
			kafka_message_header(answer, EVENT_SETTLES_HEADER),
			SPAN("origin")));
	}
}

/*
 * A gateway asks again after a second: what is dropped is not missed. The
 * statement that waits for the lock may reach its time limit: then its query is
 * dropped, too, and makes room for another one.
 */
static void queries_past_the_bound_are_dropped_and_counted(void **state)
{
	enum { MORE = 20 };

	(void)state;
	lock_members();
	ask_times(QUERIES_MAX);
	assert_int_equal(dropped(), 0);
	ask_times(MORE);
	assert_true(dropped() >= MORE);
	assert_int_equal(sql_execute(locker, "UNLOCK TABLES"), ST_OK);
	wait_for(1 + QUERIES_MAX + MORE);
	assert_true(answered() > 0);
	/* The worker goes on. */
	ask();
	wait_for(1 + QUERIES_MAX + MORE + 1);
	read_answers(answered());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			queries_past_the_bound_are_dropped_and_counted),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
