#include "persistence-service/tests/topic_fixture.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/wire/save_record.h"
#include "persistence-service/tests/chat_fixture.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { QUEUE_MAX_KIB = 64 * 1024 };

static char save[64], events[64], letters[64];

static const char *brokers(void)
{
	const char *value = getenv("KAFKA_BROKERS");

	if (value)
		return value;
	(void)fprintf(stderr, "this test needs a cluster: set KAFKA_BROKERS\n");
	exit(111);
}

static void name_topic(char ret_topic[64], const char *name, const char *kind)
{
	(void)snprintf(ret_topic, 64, "%s_%s_%ld", name, kind, (long)getpid());
}

void topic_fixture_make(const char *name)
{
	struct kafka_topic topics[] = {
		{save, TOPIC_PARTITIONS, 1, SAVE_RETENTION_MIN_MS},
		{events, TOPIC_PARTITIONS, 1, SAVE_RETENTION_MIN_MS},
		{letters, TOPIC_PARTITIONS, 1, SAVE_RETENTION_MIN_MS},
	};
	struct kafka_options options = {.client_id = name};
	char why[256] = "";

	name_topic(save, name, "save");
	name_topic(events, name, "events");
	name_topic(letters, name, "dlq");
	chat_settings.kafka_brokers = options.brokers = brokers();
	chat_settings.kafka_partitions = TOPIC_PARTITIONS;
	chat_settings.topic_save = save;
	chat_settings.topic_events = events;
	chat_settings.topic_dlq = letters;
	chat_settings.group = save;
	chat_settings.instance = save;
	if (kafka_topics_create(&options, topics, 3, TOPIC_WAIT_MS, why,
	                        sizeof(why)) != ST_OK)
		fail_msg("%s: %s", name, why);
}

/* --- records to save ----------------------------------------------------- */
struct topic_fixture_records {
	struct kafka_producer *producer;
	unsigned unconfirmed;
};

static void on_delivered(void *context, const struct kafka_report *report)
{
	struct topic_fixture_records *records = context;

	assert_int_equal(report->status, ST_OK);
	records->unconfirmed--;
}

struct topic_fixture_records *topic_fixture_begin(void)
{
	struct topic_fixture_records *records = mem_new(sizeof(*records));
	struct kafka_producer_options options = {
		.common = settings_kafka(&chat_settings),
		.queue_max_kib = QUEUE_MAX_KIB,
		.delivered = on_delivered,
		.context = records,
	};

	assert_int_equal(kafka_producer_create(&options, &records->producer),
	                 ST_OK);
	return records;
}

void topic_fixture_put(struct topic_fixture_records *records, int32_t partition,
                       struct span key, struct span value)
{
	struct kafka_record record = {.topic = save,
	                              .partition = partition,
	                              .key = key,
	                              .value = value};

	assert_int_equal(kafka_produce(records->producer, &record, 0), ST_OK);
	records->unconfirmed++;
}

void topic_fixture_end(struct topic_fixture_records **records)
{
	kafka_producer_flush((*records)->producer, TOPIC_WAIT_MS);
	assert_int_equal((*records)->unconfirmed, 0);
	kafka_producer_destroy(&(*records)->producer);
	mem_free(records);
}

/* --- events -------------------------------------------------------------- */
struct kafka_reader *topic_fixture_read_events(void)
{
	struct kafka_reader_options options = {
		.common = settings_kafka(&chat_settings),
		.topic = events,
		.partitions = TOPIC_PARTITIONS,
		.shards = 1,
	};
	struct kafka_reader *reader;

	assert_int_equal(kafka_reader_create(&options, TOPIC_WAIT_MS, &reader),
	                 ST_OK);
	return reader;
}

struct kafka_message *topic_fixture_next(struct kafka_reader *reader)
{
	uint64_t until_ms = clock_mono_ms() + TOPIC_WAIT_MS;
	struct pollfd fd = {.fd = kafka_reader_fd(reader), .events = POLLIN};
	struct kafka_message *message;

	while (clock_mono_ms() < until_ms) {
		if (kafka_reader_poll(reader, &message) == ST_OK)
			return message;
		(void)poll(&fd, 1, 100);
	}
	fail_msg("no event came");
	return NULL;
}
