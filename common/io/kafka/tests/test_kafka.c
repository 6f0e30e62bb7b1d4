/*
 * Producer, reader and topics against the real cluster of KAFKA_BROKERS. It
 * creates topics test_kafka_…, which expire after their retention of an hour.
 */
#include "common/io/kafka/tests/kafka_fixture.h"

#include "common/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct answers answers;

static struct kafka_producer *fresh_producer(void)
{
	answers.count = 0;
	return start_producer(&answers);
}

/* Kafka's Utils.murmur2() of "key", made positive. */
enum { MURMUR2_OF_KEY = 0x3fa176a9 };

static void a_topic_keeps_its_number_of_partitions(void **state)
{
	struct kafka_topic topic = {fresh_topic(PARTITIONS), PARTITIONS, 1, 0};
	unsigned partitions = 0;
	char why[256] = "";

	(void)state;
	assert_int_equal(kafka_topic_partitions(kafka_here(), topic.name,
	                                        WAIT_MS, &partitions),
	                 ST_OK);
	assert_int_equal(partitions, PARTITIONS);
	assert_int_equal(kafka_topics_create(kafka_here(), &topic, 1, WAIT_MS,
	                                     why, sizeof(why)),
	                 ST_OK);
	topic.partitions++;
	assert_int_equal(kafka_topics_create(kafka_here(), &topic, 1, WAIT_MS,
	                                     why, sizeof(why)),
	                 ST_CONFLICT);
	assert_non_null(strstr(why, topic.name));
}

static void a_topic_that_is_not_there_has_no_partitions(void **state)
{
	unsigned partitions;

	(void)state;
	assert_int_equal(kafka_topic_partitions(kafka_here(), "test_no_topic",
	                                        WAIT_MS, &partitions),
	                 ST_NOT_FOUND);
}

static void no_broker_is_unavailable(void **state)
{
	struct kafka_options nowhere = {.brokers = "127.0.0.1:1",
	                                .client_id = "test_kafka"};
	struct kafka_topic topic = {"test_kafka", 1, 1, 0};
	unsigned partitions;
	char why[256] = "";

	(void)state;
	assert_int_equal(
		kafka_topic_partitions(&nowhere, "t", 300, &partitions),
		ST_UNAVAILABLE);
	assert_int_equal(
		kafka_topics_create(&nowhere, &topic, 1, 300, why, sizeof(why)),
		ST_UNAVAILABLE);
	assert_string_not_equal(why, "");
}

static void too_few_brokers_are_unavailable(void **state)
{
	struct kafka_topic topic = {"test_kafka_three", 1, 3, 0};
	unsigned partitions;
	char why[256] = "";

	(void)state;
	assert_int_equal(kafka_topics_create(kafka_here(), &topic, 1, 1000, why,
	                                     sizeof(why)),
	                 ST_UNAVAILABLE);
	assert_non_null(strstr(why, "replication factor"));
	assert_int_equal(kafka_topic_partitions(kafka_here(), topic.name,
	                                        WAIT_MS, &partitions),
	                 ST_NOT_FOUND);
}

static void a_produced_record_is_read_unchanged(void **state)
{
	const char *topic = fresh_topic(PARTITIONS);
	struct kafka_reader *reader CLEANUP(kafka_reader_destroy) =
		start_reader(topic);
	struct kafka_producer *producer CLEANUP(kafka_producer_destroy) =
		fresh_producer();
	struct kafka_message *message CLEANUP(kafka_message_destroy) = NULL;

	(void)state;
	send_text(producer, topic, KAFKA_BY_KEY, "hello", 77);
	message = next_message(reader);
	assert_true(span_equal(kafka_message_value(message), SPAN("hello")));
	assert_true(span_equal(kafka_message_key(message), SPAN("key")));
	assert_true(span_equal(kafka_message_header(message, "origin"),
	                       SPAN("here")));
	assert_int_equal(kafka_message_header(message, "other").len, 0);
	assert_int_equal(kafka_message_partition(message),
	                 MURMUR2_OF_KEY % PARTITIONS);
	assert_int_equal(kafka_message_offset(message), 0);
	assert_int_equal(kafka_reader_lag(reader), 0);

	kafka_producer_flush(producer, WAIT_MS);
	assert_int_equal(answers.count, 1);
	assert_int_equal(answers.tag[0], 77);
	assert_int_equal(answers.status[0], ST_OK);
	assert_int_equal(kafka_producer_pending(producer), 0);
}

static void a_reader_starts_at_the_end(void **state)
{
	const char *topic = fresh_topic(PARTITIONS);
	struct kafka_reader *reader CLEANUP(kafka_reader_destroy) = NULL;
	struct kafka_message *message CLEANUP(kafka_message_destroy) = NULL;

	(void)state;
	send_numbers(topic, 1, 0, 10);
	reader = start_reader(topic);
	send_numbers(topic, 1, 10, 1);
	message = next_message(reader);
	assert_true(span_equal(kafka_message_value(message), SPAN("10")));
}

static void a_reader_reads_only_its_shard(void **state)
{
	const char *topic = fresh_topic(PARTITIONS);
	struct kafka_reader_options options = {
		.common = *kafka_here(),
		.topic = topic,
		.partitions = PARTITIONS,
		.shard = 1,
		.shards = 2,
	};
	struct kafka_reader *reader CLEANUP(kafka_reader_destroy) = NULL;
	struct kafka_message *message CLEANUP(kafka_message_destroy) = NULL;

	(void)state;
	assert_int_equal(kafka_reader_create(&options, WAIT_MS, &reader),
	                 ST_OK);
	send_numbers(topic, 0, 0, 1);
	send_numbers(topic, 2, 2, 1);
	send_numbers(topic, 1, 1, 1);
	message = next_message(reader);
	assert_int_equal(kafka_message_partition(message), 1);
	kafka_message_destroy(&message);
	assert_int_equal(kafka_reader_poll(reader, &message), ST_NOT_FOUND);
}

static void a_reader_refuses_another_number_of_partitions(void **state)
{
	struct kafka_reader_options options = {
		.common = *kafka_here(),
		.topic = fresh_topic(PARTITIONS),
		.partitions = PARTITIONS + 1,
		.shards = 1,
	};
	struct kafka_reader *reader = NULL;

	(void)state;
	assert_int_equal(kafka_reader_create(&options, WAIT_MS, &reader),
	                 ST_BROKEN);
	assert_null(reader);
}

static void a_reader_without_brokers_is_unavailable(void **state)
{
	struct kafka_reader_options options = {
		.common = {.brokers = "127.0.0.1:1", .client_id = "test"},
		.topic = "t",
		.partitions = 1,
		.shards = 1,
	};
	struct kafka_reader *reader = NULL;

	(void)state;
	assert_int_equal(kafka_reader_create(&options, 300, &reader),
	                 ST_UNAVAILABLE);
}

/* The fd is all that a loop has to go by. */
static void the_fds_wake_for_every_burst(void **state)
{
	const char *topic = fresh_topic(PARTITIONS);
	struct kafka_reader *reader CLEANUP(kafka_reader_destroy) =
		start_reader(topic);
	struct kafka_producer *producer CLEANUP(kafka_producer_destroy) =
		fresh_producer();
	struct kafka_message *message;
	unsigned read = 0;

	(void)state;
	for (unsigned burst = 1; burst <= 50; burst++) {
		for (unsigned i = 0; i < burst; i++)
			send_text(producer, topic, (int32_t)(i % PARTITIONS),
			          "x", i);
		while (kafka_producer_pending(producer)) {
			assert_true(
				readable(kafka_producer_fd(producer), WAIT_MS));
			while (kafka_producer_poll(producer, 7) == 7)
				;
		}
		while (read < burst * (burst + 1) / 2) {
			assert_true(readable(kafka_reader_fd(reader), WAIT_MS));
			while (kafka_reader_poll(reader, &message) == ST_OK) {
				kafka_message_destroy(&message);
				read++;
			}
		}
	}
	assert_int_equal(read, 50 * 51 / 2);
}

/* What a new handle has to say may be there before anybody watches for it. */
static void a_broker_that_refuses_at_once_wakes_the_fd(void **state)
{
	const struct kafka_producer_options options = {
		.common = {.brokers = "127.0.0.1:1", .client_id = "test_kafka"},
		.queue_max_kib = 64,
		.delivered = note_delivery,
		.context = &answers,
	};

	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		struct kafka_producer *producer CLEANUP(kafka_producer_destroy);

		assert_int_equal(kafka_producer_create(&options, &producer),
		                 ST_OK);
		assert_true(readable(kafka_producer_fd(producer), WAIT_MS));
	}
}

static void a_poll_answers_no_more_than_its_budget(void **state)
{
	const char *topic = fresh_topic(1);
	struct kafka_producer *producer CLEANUP(kafka_producer_destroy) =
		fresh_producer();
	unsigned sum = 0, got;

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		send_text(producer, topic, 0, "x", i);
	while (sum < 1000) {
		assert_true(readable(kafka_producer_fd(producer), WAIT_MS));
		do {
			got = kafka_producer_poll(producer, 9);
			assert_true(got <= 9);
			sum += got;
		} while (got == 9);
	}
	assert_int_equal(kafka_producer_pending(producer), 0);
}

static void a_full_queue_is_busy(void **state)
{
	struct kafka_producer_options options = {
		.common = {.brokers = "127.0.0.1:1", .client_id = "test"},
		.queue_max_kib = 64,
		.timeout_ms = 500,
		.delivered = note_delivery,
		.context = &answers,
	};
	struct kafka_producer *producer CLEANUP(kafka_producer_destroy) = NULL;
	static char block[10 * 1024];
	struct kafka_record record = {.topic = "t",
	                              .value = {block, sizeof(block)}};
	unsigned taken = 0;

	(void)state;
	answers.count = 0;
	assert_int_equal(kafka_producer_create(&options, &producer), ST_OK);
	while (kafka_produce(producer, &record, taken) == ST_OK)
		taken++;
	assert_in_range(taken, 5, 7);
	assert_int_equal(kafka_produce(producer, &record, 0), ST_BUSY);

	/* No broker in time: nothing was done, all of them can be retried. */
	kafka_producer_flush(producer, WAIT_MS);
	assert_int_equal(answers.count, taken);
	for (unsigned i = 0; i < taken; i++)
		assert_int_equal(answers.status[i], ST_UNAVAILABLE);
	assert_int_equal(kafka_produce(producer, &record, 0), ST_OK);
}

static void a_record_over_the_limit_is_too_large(void **state)
{
	const char *topic = fresh_topic(1);
	struct kafka_producer *producer CLEANUP(kafka_producer_destroy) =
		fresh_producer();
	static char block[2 * 1024 * 1024];
	struct kafka_record record = {.topic = topic,
	                              .value = {block, sizeof(block)}};

	(void)state;
	assert_int_equal(kafka_produce(producer, &record, 1), ST_TOO_LARGE);
	assert_int_equal(kafka_producer_pending(producer), 0);
}

static void a_topic_or_partition_that_is_not_there_is_not_found(void **state)
{
	const char *topic = fresh_topic(1);
	struct kafka_producer *producer CLEANUP(kafka_producer_destroy) =
		fresh_producer();
	struct kafka_record record = {
		.topic = topic,
		.partition = 5,
		.value = SPAN("x"),
		.header = {"origin", SPAN("here")},
	};

	(void)state;
	send_text(producer, topic, 0, "x", 1);
	kafka_producer_flush(producer, WAIT_MS);
	assert_int_equal(kafka_produce(producer, &record, 2), ST_NOT_FOUND);

	record.topic = "test_no_topic";
	if (kafka_produce(producer, &record, 3) == ST_OK) {
		kafka_producer_flush(producer, WAIT_MS);
		assert_int_equal(answers.count, 2);
		assert_int_equal(answers.status[1], ST_NOT_FOUND);
	}
}

/* Reads until `last`; numbers must come in order, some perhaps twice. */
static void read_numbers(struct kafka_reader *reader, unsigned last)
{
	struct kafka_message *message;
	unsigned next = 0, number;
	char text[16];

	while (next <= last) {
		message = next_message(reader);
		snprintf(text, sizeof(text), "%.*s",
		         (int)kafka_message_value(message).len,
		         kafka_message_value(message).data);
		assert_int_equal(sscanf(text, "%u", &number), 1);
		/* Records sent before the handle died may arrive again. */
		assert_true(number <= next);
		next = number + 1;
		assert_true(span_equal(kafka_message_header(message, "origin"),
		                       SPAN("here")));
		kafka_message_destroy(&message);
	}
}

static void a_fatal_producer_is_rebuilt_and_loses_nothing(void **state)
{
	enum { COUNT = 5000, EACH = 500 };
	const char *topic = fresh_topic(PARTITIONS);
	struct kafka_reader *reader CLEANUP(kafka_reader_destroy) =
		start_reader(topic);
	struct kafka_producer *producer CLEANUP(kafka_producer_destroy) =
		fresh_producer();
	static bool answered[COUNT];
	char text[16];

	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(text, sizeof(text), "%u", i);
		send_text(producer, topic, 2, text, i);
		if (i % EACH == EACH / 2)
			kafka_producer_fail(producer);
		if (i % 100 == 0)
			(void)kafka_producer_poll(producer, 50);
	}
	kafka_producer_fail(producer);
	kafka_producer_flush(producer, WAIT_MS);
	assert_int_equal(kafka_producer_rebuilt(producer), COUNT / EACH + 1);
	assert_int_equal(answers.count, COUNT);
	for (unsigned i = 0; i < COUNT; i++) {
		assert_int_equal(answers.status[i], ST_OK);
		assert_false(answered[answers.tag[i]]);
		answered[answers.tag[i]] = true;
	}
	read_numbers(reader, COUNT - 1);
}

static void a_fatal_idle_producer_works_again(void **state)
{
	const char *topic = fresh_topic(1);
	struct kafka_producer *producer CLEANUP(kafka_producer_destroy) =
		fresh_producer();

	(void)state;
	kafka_producer_fail(producer);
	assert_true(readable(kafka_producer_fd(producer), WAIT_MS));
	assert_int_equal(kafka_producer_poll(producer, 10), 0);
	assert_int_equal(kafka_producer_rebuilt(producer), 1);
	send_text(producer, topic, 0, "x", 5);
	kafka_producer_flush(producer, WAIT_MS);
	assert_int_equal(answers.count, 1);
	assert_int_equal(answers.status[0], ST_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_topic_keeps_its_number_of_partitions),
		cmocka_unit_test(a_topic_that_is_not_there_has_no_partitions),
		cmocka_unit_test(no_broker_is_unavailable),
		cmocka_unit_test(too_few_brokers_are_unavailable),
		cmocka_unit_test(a_produced_record_is_read_unchanged),
		cmocka_unit_test(a_reader_starts_at_the_end),
		cmocka_unit_test(a_reader_reads_only_its_shard),
		cmocka_unit_test(a_reader_refuses_another_number_of_partitions),
		cmocka_unit_test(a_reader_without_brokers_is_unavailable),
		cmocka_unit_test(the_fds_wake_for_every_burst),
		cmocka_unit_test(a_broker_that_refuses_at_once_wakes_the_fd),
		cmocka_unit_test(a_poll_answers_no_more_than_its_budget),
		cmocka_unit_test(a_full_queue_is_busy),
		cmocka_unit_test(a_record_over_the_limit_is_too_large),
		cmocka_unit_test(
			a_topic_or_partition_that_is_not_there_is_not_found),
		cmocka_unit_test(a_fatal_producer_is_rebuilt_and_loses_nothing),
		cmocka_unit_test(a_fatal_idle_producer_works_again),
	};

	(void)kafka_here();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
