/*
 * The bound of the batches whose events Kafka has not confirmed, on a real
 * cluster (KAFKA_BROKERS) that the publisher reaches late.
 */
#include "persistence-service/save/publisher.h"

#include "common/base/clock.h"
#include "persistence-service/save/batch/attempt.h"
#include "persistence-service/save/batch/inflight_batch.h"
#include "persistence-service/save/tests/late_broker.h"
#include "persistence-service/tests/chat_fixture.h"
#include "persistence-service/tests/topic_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { RECORDS = INFLIGHT_BATCHES_MAX + 1, PARTITION = 1 };

static struct kafka_group *group;
static struct kafka_reader *events;
static struct publisher *publisher;
static struct batch *batch;

static int start(void **state)
{
	struct kafka_group_options options;

	(void)state;
	topic_fixture_make("test_publisher_bound");
	options = (struct kafka_group_options){
		.common = settings_kafka(&chat_settings),
		.topic = chat_settings.topic_save,
		.group = chat_settings.group,
		.instance = chat_settings.instance,
	};
	assert_int_equal(kafka_group_create(&options, &group), ST_OK);
	events = topic_fixture_read_events();
	batch = batch_create(1);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	publisher_destroy(&publisher);
	late_broker_close();
	batch_destroy(&batch);
	kafka_reader_destroy(&events);
	kafka_group_destroy(&group);
	return 0;
}

/* A batch of the next record, which is refused. */
static void send_batch(void)
{
	uint64_t until_ms = clock_mono_ms() + TOPIC_WAIT_MS;
	struct kafka_message *message;

	while (kafka_group_poll(group, 100, &message) != ST_OK)
		assert_true(clock_mono_ms() < until_ms);
	batch_clear(batch);
	batch_add(batch, &message);
	assert_int_equal(batch->entries[0].outcome, OUTCOME_OPEN);
	batch_entry_refuse(&batch->entries[0], FRAME_UNKNOWN_USER, "why");
	publisher_send(publisher, batch);
	assert_int_equal(publisher_poll(publisher), ST_OK);
}

static int64_t committed(void)
{
	int64_t offset = 0;
	enum status status =
		kafka_group_committed(group, PARTITION, TOPIC_WAIT_MS, &offset);

	assert_true(status == ST_OK || status == ST_NOT_FOUND);
	return offset;
}

static void put_records(void)
{
	struct topic_fixture_records *records = topic_fixture_begin();
	char value[256];

	for (unsigned i = 0; i < RECORDS; i++) {
		int len = snprintf(
			value, sizeof(value),
			"{\"kind\":\"message\",\"uuid\":\"01936f5e-8a2b-7c3d-"
			"9e4f-5a6b7c8d9e%02x\",\"sender\":1,\"user_to\":2,"
			"\"message\":\"hi\","
			"\"sent_at\":\"2026-11-21T10:00:00.000Z\"}",
			i);

		topic_fixture_put(records, PARTITION, SPAN("d:1:2"),
		                  span_make(value, (size_t)len));
	}
	topic_fixture_end(&records);
}

/* The saver asks publisher_full() before it saves the next batch. */
static void
the_next_batch_waits_for_the_confirmation_of_the_oldest(void **state)
{
	struct settings unreached = chat_settings;

	(void)state;
	unreached.kafka_brokers = late_broker_address();
	assert_int_equal(publisher_create(&unreached, group, NULL, &publisher),
	                 ST_OK);
	put_records();
	for (unsigned i = 0; i < INFLIGHT_BATCHES_MAX; i++) {
		assert_false(publisher_full(publisher));
		send_batch();
		assert_int_equal(publisher_in_flight(publisher), i + 1);
	}
	assert_true(publisher_full(publisher));
	assert_int_equal(publisher_wait(publisher, 0), ST_OK);
	assert_true(publisher_full(publisher));
	assert_int_equal(committed(), 0);
	late_broker_open(chat_settings.kafka_brokers);
	while (publisher_full(publisher))
		assert_int_equal(publisher_wait(publisher, 100), ST_OK);
	send_batch();
	while (!publisher_idle(publisher))
		assert_int_equal(publisher_wait(publisher, 100), ST_OK);
	for (unsigned i = 0; i < RECORDS; i++) {
		struct kafka_message *event CLEANUP(kafka_message_destroy) =
			topic_fixture_next(events);
		char uuid[64];

		(void)snprintf(uuid, sizeof(uuid), "5a6b7c8d9e%02x\"", i);
		assert_non_null(strstr(kafka_message_value(event).data, uuid));
	}
	while (committed() < RECORDS)
		assert_int_equal(publisher_poll(publisher), ST_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_next_batch_waits_for_the_confirmation_of_the_oldest),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
