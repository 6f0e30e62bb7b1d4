/*
 * The watch on real topics. tests/blackbox/test_83_readiness.py takes the
 * brokers away.
 */
#include "common/io/kafka/tests/kafka_fixture.h"
#include "common/io/kafka/watch.h"

#include "common/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

enum { DAY_MS = 24 * 3600 * 1000 };

static struct kafka_watch *start(const char *topic, bool written)
{
	const struct kafka_watch_topic topics[] = {{topic, written, DAY_MS}};
	struct kafka_watch *watch;

	assert_int_equal(kafka_watch_start(kafka_here(), topics, 1, &watch),
	                 ST_OK);
	return watch;
}

/* Waits for the next good answer, or until the reason is `why`. */
static struct kafka_watch_state wait_for(struct kafka_watch *watch,
                                         const char *why)
{
	uint64_t now_ms = clock_mono_ms(), until_ms = now_ms + WAIT_MS;
	struct kafka_watch_state state;

	do {
		kafka_watch_read(watch, &state);
		if (why ? !strcmp(state.why, why) : state.good_ms > now_ms)
			return state;
		usleep(20 * 1000);
	} while (clock_mono_ms() < until_ms);
	fail_msg("the watch says \"%s\"", state.why);
	return state;
}

static void wait_unfit(struct kafka_watch *watch, const char *unfit)
{
	uint64_t until_ms = clock_mono_ms() + WAIT_MS;
	struct kafka_watch_state state;

	do {
		kafka_watch_read(watch, &state);
		if (!strcmp(state.unfit, unfit))
			return;
		usleep(20 * 1000);
	} while (clock_mono_ms() < until_ms);
	fail_msg("the watch says \"%s\"", state.unfit);
}

/* All other settings of the topic get their defaults. */
static void set(const char *topic, const char *name, const char *value)
{
	struct kafka_sink sink;
	rd_kafka_t *handle CLEANUP(kafka_asking_handle_destroy) =
		kafka_asking_handle(kafka_here(), &sink);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
	rd_kafka_ConfigResource_t *change =
		rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
	rd_kafka_event_t *done;

	rd_kafka_ConfigResource_set_config(change, name, value);
	rd_kafka_AlterConfigs(handle, &change, 1, NULL, queue);
	done = rd_kafka_queue_poll(queue, WAIT_MS);
	assert_non_null(done);
	assert_int_equal(rd_kafka_event_error(done), 0);
	rd_kafka_event_destroy(done);
	rd_kafka_ConfigResource_destroy(change);
	rd_kafka_queue_destroy(queue);
}

static void a_good_topic_is_watched_without_a_reason(void **state)
{
	struct kafka_watch *watch = start(fresh_topic(PARTITIONS), true);
	struct kafka_watch_state seen = wait_for(watch, NULL);
	unsigned asked = seen.asked;

	(void)state;
	assert_string_equal(seen.why, "");
	assert_int_equal(seen.partitions, PARTITIONS);
	assert_int_equal(seen.failed, 0);
	seen = wait_for(watch, NULL);
	assert_true(seen.asked > asked);
	kafka_watch_stop(&watch);
	assert_null(watch);
}

static void too_few_replicas_in_sync_matter_to_a_writer(void **state)
{
	const char *topic = fresh_topic(1);
	struct kafka_watch *writer, *reader;
	char why[256];

	(void)state;
	set(topic, "min.insync.replicas", "2");
	writer = start(topic, true);
	reader = start(topic, false);
	snprintf(why, sizeof(why),
	         "topic %s: partition 0 has 1 of 1 replicas in sync, "
	         "min.insync.replicas is 2",
	         topic);
	(void)wait_for(writer, why);
	assert_string_equal(wait_for(reader, NULL).why, "");
	set(topic, "min.insync.replicas", "1");
	(void)wait_for(writer, "");
	kafka_watch_stop(&writer);
	kafka_watch_stop(&reader);
}

/* The topic can be used all the same. */
static void a_setting_that_breaks_a_promise_is_named(void **state)
{
	static const struct {
		const char *name, *value, *why;
	} cases[] = {
		{"cleanup.policy", "compact", "compact, must be delete"},
		{"cleanup.policy", "compact,delete",
	         "compact,delete, must be delete"},
		{"retention.ms", "1000",
	         "1000, must be -1 or at least 86400000"},
		{"retention.bytes", "1000000", "1000000, must be no bound, -1"},
		{"max.message.bytes", "10000",
	         "10000, must be at least 1000000"},
		{"min.insync.replicas", "2",
	         "2, must be at most the number of replicas, 1"},
	};
	const char *topic = fresh_topic(1);
	struct kafka_watch *watch = start(topic, false);
	char unfit[256];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		set(topic, cases[i].name, cases[i].value);
		snprintf(unfit, sizeof(unfit), "topic %s: %s is %s", topic,
		         cases[i].name, cases[i].why);
		wait_unfit(watch, unfit);
		assert_string_equal(wait_for(watch, NULL).why, "");
	}
	set(topic, "retention.ms", "86400000");
	wait_unfit(watch, "");
	kafka_watch_stop(&watch);
}

static void a_topic_that_is_missing_is_named(void **state)
{
	struct kafka_watch *watch = start("test_watch_missing", true);

	(void)state;
	(void)wait_for(watch, "topic test_watch_missing: Broker: Unknown topic "
	                      "or partition");
	kafka_watch_stop(&watch);
}

/* The port of tcpmux: nothing listens there. */
static void a_broker_that_refuses_is_named_with_the_cause(void **state)
{
	const struct kafka_watch_topic topics[] = {{"any", true, 0}};
	const struct kafka_options nobody = {.brokers = "127.0.0.1:1",
	                                     .client_id = "test_watch"};
	struct kafka_watch *watch;

	(void)state;
	assert_int_equal(kafka_watch_start(&nobody, topics, 1, &watch), ST_OK);
	(void)wait_for(watch, "no answer from 127.0.0.1:1: Connect to "
	                      "ipv4#127.0.0.1:1 failed: Connection refused");
	kafka_watch_stop(&watch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_topic_is_watched_without_a_reason),
		cmocka_unit_test(too_few_replicas_in_sync_matter_to_a_writer),
		cmocka_unit_test(a_setting_that_breaks_a_promise_is_named),
		cmocka_unit_test(a_topic_that_is_missing_is_named),
		cmocka_unit_test(a_broker_that_refuses_is_named_with_the_cause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
