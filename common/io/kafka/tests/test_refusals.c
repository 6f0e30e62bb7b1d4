/*
 * Topics that refuse records, and settings that break a promise, against the
 * real cluster of KAFKA_BROKERS.
 */
#include "common/io/kafka/tests/kafka_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

enum { DAY_MS = 24 * 3600 * 1000 };

static struct answers answers;

static struct kafka_producer *fresh_producer(void)
{
	answers.count = 0;
	return start_producer(&answers);
}

/* The only setting of the topic from now on, beside the broker's defaults. */
static void set_topic(const char *topic, const char *name, const char *value)
{
	char why[256];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_ConfigResource_t *change =
		rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
	rd_kafka_queue_t *queue;
	rd_kafka_event_t *event;
	rd_kafka_t *handle;

	rd_kafka_conf_set(conf, "bootstrap.servers", kafka_here()->brokers, why,
	                  sizeof(why));
	handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	assert_non_null(handle);
	queue = rd_kafka_queue_new(handle);
	assert_int_equal(
		rd_kafka_ConfigResource_set_config(change, name, value), 0);
	rd_kafka_AlterConfigs(handle, &change, 1, NULL, queue);
	event = rd_kafka_queue_poll(queue, WAIT_MS);
	assert_non_null(event);
	assert_int_equal(rd_kafka_event_error(event), 0);
	rd_kafka_event_destroy(event);
	rd_kafka_ConfigResource_destroy(change);
	rd_kafka_queue_destroy(queue);
	rd_kafka_destroy(handle);
}

static enum status check(const char *topic, unsigned partitions, char *ret_why,
                         size_t why_size)
{
	const struct kafka_topic_needs needs = {topic, partitions, DAY_MS};
	const char *unchecked;
	enum status status =
		kafka_topics_check(kafka_here(), &needs, 1, WAIT_MS, &unchecked,
	                           ret_why, why_size);

	assert_null(unchecked);
	return status;
}

/* A broker gets a new setting a moment after it was acknowledged. */
static void wait_for_check(const char *topic, enum status wanted, char *ret_why,
                           size_t why_size)
{
	enum status status;

	do
		status = check(topic, 1, ret_why, why_size);
	while (status != wanted && status != ST_UNAVAILABLE);
	assert_int_equal(status, wanted);
}

static void a_topic_is_created_with_what_its_promises_need(void **state)
{
	static char name[80];
	struct kafka_topic topic = {name, 1, 1, 0};
	char why[512] = "";

	(void)state;
	snprintf(name, sizeof(name), "%s_promises", fresh_topic(1));
	assert_int_equal(kafka_topics_create(kafka_here(), &topic, 1, WAIT_MS,
	                                     why, sizeof(why)),
	                 ST_OK);
	assert_int_equal(check(name, 1, why, sizeof(why)), ST_OK);
}

static void a_setting_that_breaks_a_promise_is_found(void **state)
{
	static const struct {
		const char *name;
		const char *value;
	} rows[] = {
		{"max.message.bytes", "10000"}, {"min.insync.replicas", "2"},
		{"cleanup.policy", "compact"},  {"retention.ms", "1000"},
		{"retention.bytes", "1000"},
	};
	const char *topic = fresh_topic(1);
	char why[512], wanted[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		set_topic(topic, "retention.ms", "-1");
		wait_for_check(topic, ST_OK, why, sizeof(why));
		set_topic(topic, rows[i].name, rows[i].value);
		wait_for_check(topic, ST_CONFLICT, why, sizeof(why));
		snprintf(wanted, sizeof(wanted), "topic %s: %s is %s, must be ",
		         topic, rows[i].name, rows[i].value);
		assert_memory_equal(why, wanted, strlen(wanted));
	}
}

static void a_topic_that_is_not_there_is_named(void **state)
{
	const struct kafka_topic_needs needs = {"test_no_topic", 1, 0};
	struct kafka_options nowhere = {.brokers = "127.0.0.1:1",
	                                .client_id = "test_kafka"};
	const char *unchecked;
	char why[512];

	(void)state;
	assert_int_equal(check("test_no_topic", 1, why, sizeof(why)),
	                 ST_NOT_FOUND);
	assert_string_equal(why, "topic test_no_topic: not found");
	assert_int_equal(kafka_topics_check(&nowhere, &needs, 1, 300,
	                                    &unchecked, why, sizeof(why)),
	                 ST_UNAVAILABLE);
	assert_string_equal(why, "no answer from 127.0.0.1:1");
}

/* --- a topic that takes less than a record ------------------------------- */
enum { SMALL = 1000, LARGE = 20000, LIMIT = 10000 };

static void send_bytes(struct kafka_producer *producer, const char *topic,
                       unsigned bytes, unsigned number)
{
	static char value[LARGE + 1];

	memset(value, 'x', bytes);
	snprintf(value, sizeof(value), "%u", number);
	value[strlen(value)] = 'x';
	assert_int_equal(
		kafka_produce(producer,
	                      &(struct kafka_record){.topic = topic,
	                                             .partition = 0,
	                                             .key = SPAN("key"),
	                                             .value = {value, bytes}},
	                      number),
		ST_OK);
}

/* The numbers from 0 to `last` but for `missing`, in order. */
static void read_others(struct kafka_reader *reader, unsigned last,
                        unsigned missing)
{
	unsigned next = 0, number;
	char text[16];

	while (next <= last) {
		struct kafka_message *message CLEANUP(kafka_message_destroy) =
			next_message(reader);

		memcpy(text, kafka_message_value(message).data, sizeof(text));
		assert_int_equal(sscanf(text, "%ux", &number), 1);
		next += next == missing;
		/* A request under way when the handle was replaced repeats. */
		assert_true(number <= next && number != missing);
		next = number == next ? next + 1 : next;
	}
}

/* The broker shows a setting before its log obeys it. */
static void wait_until_large_is(enum status wanted, const char *topic)
{
	struct kafka_producer *producer CLEANUP(kafka_producer_destroy) =
		fresh_producer();

	do {
		answers.count = 0;
		send_bytes(producer, topic, LARGE, 0);
		kafka_producer_flush(producer, WAIT_MS);
		assert_int_equal(answers.count, 1);
	} while (answers.status[0] != wanted);
}

static void only_the_record_that_is_too_large_is_refused(void **state)
{
	enum { COUNT = 300, BAD = 150, MORE = 6000 };
	const char *topic = fresh_topic(1);
	struct kafka_reader_options options = {.common = *kafka_here(),
	                                       .topic = topic,
	                                       .partitions = 1,
	                                       .shards = 1};
	struct kafka_reader *reader CLEANUP(kafka_reader_destroy) = NULL;
	struct kafka_producer *producer CLEANUP(kafka_producer_destroy) = NULL;
	char why[512], limit[16];

	(void)state;
	snprintf(limit, sizeof(limit), "%d", LIMIT);
	set_topic(topic, "max.message.bytes", limit);
	wait_for_check(topic, ST_CONFLICT, why, sizeof(why));
	wait_until_large_is(ST_TOO_LARGE, topic);
	answers.count = 0;
	assert_int_equal(kafka_reader_create(&options, WAIT_MS, &reader),
	                 ST_OK);
	producer = fresh_producer();
	for (unsigned i = 0; i < COUNT; i++)
		send_bytes(producer, topic, i == BAD ? LARGE : SMALL, i);
	kafka_producer_flush(producer, WAIT_MS);
	assert_int_equal(answers.count, COUNT);
	for (unsigned i = 0; i < COUNT; i++)
		assert_int_equal(answers.status[i],
		                 answers.tag[i] == BAD ? ST_TOO_LARGE : ST_OK);
	read_others(reader, COUNT - 1, BAD);
	assert_int_equal(kafka_producer_rebuilt(producer), 1);

	/* The topic takes all: after many records they go together again. */
	set_topic(topic, "max.message.bytes", "1048588");
	wait_for_check(topic, ST_OK, why, sizeof(why));
	wait_until_large_is(ST_OK, topic);
	answers.count = 0;
	for (unsigned i = 0; i < MORE; i++)
		send_bytes(producer, topic, i % 100 ? 10 : LARGE, i);
	kafka_producer_flush(producer, WAIT_MS);
	assert_int_equal(answers.count, MORE);
	for (unsigned i = 0; i < MORE; i++)
		assert_int_equal(answers.status[i], ST_OK);
	assert_int_equal(kafka_producer_rebuilt(producer), 2);
}

static void a_report_names_topic_and_size(void **state)
{
	const char *topic = fresh_topic(1);
	struct kafka_producer *producer CLEANUP(kafka_producer_destroy) =
		fresh_producer();

	(void)state;
	send_text(producer, topic, 0, "text", 7);
	kafka_producer_flush(producer, WAIT_MS);
	assert_int_equal(answers.count, 1);
	assert_string_equal(answers.last.topic, topic);
	/* key, text, and the header origin: here */
	assert_int_equal(answers.last.bytes, 3 + 4 + 6 + 4);
	assert_int_equal(answers.last.tag, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_topic_is_created_with_what_its_promises_need),
		cmocka_unit_test(a_setting_that_breaks_a_promise_is_found),
		cmocka_unit_test(a_topic_that_is_not_there_is_named),
		cmocka_unit_test(only_the_record_that_is_too_large_is_refused),
		cmocka_unit_test(a_report_names_topic_and_size),
	};

	(void)kafka_here();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
