#include "common/io/kafka/tests/kafka_fixture.h"

#include "common/base/clock.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

const struct kafka_options *kafka_here(void)
{
	static struct kafka_options options = {.client_id = "test_kafka"};

	options.brokers = getenv("KAFKA_BROKERS");
	if (options.brokers && *options.brokers)
		return &options;
	(void)fprintf(stderr, "the Kafka tests need a cluster: set "
	                      "KAFKA_BROKERS\n");
	exit(111);
}

const char *fresh_topic(unsigned partitions)
{
	static char name[64];
	static unsigned count;
	struct kafka_topic topic = {name, partitions, 1, 3600 * 1000};
	char why[256];

	snprintf(name, sizeof(name), "test_kafka_%ld_%llu_%u", (long)getpid(),
	         (unsigned long long)clock_unix_ms(), count++);
	if (kafka_topics_create(kafka_here(), &topic, 1, WAIT_MS, why,
	                        sizeof(why)) != ST_OK)
		fail_msg("no topic: %s", why);
	return name;
}

void note_delivery(void *context, const struct kafka_report *report)
{
	struct answers *answers = context;

	assert_true(answers->count < ANSWERS_MAX);
	answers->tag[answers->count] = report->tag;
	answers->status[answers->count++] = report->status;
	answers->last = *report;
}

struct kafka_producer *start_producer(struct answers *answers)
{
	struct kafka_producer_options options = {
		.common = *kafka_here(),
		.queue_max_kib = 16384,
		.timeout_ms = WAIT_MS,
		.delivered = note_delivery,
		.context = answers,
	};
	struct kafka_producer *producer;

	assert_int_equal(kafka_producer_create(&options, &producer), ST_OK);
	return producer;
}

void send_text(struct kafka_producer *producer, const char *topic,
               int32_t partition, const char *text, uint64_t tag)
{
	struct kafka_record record = {
		.topic = topic,
		.partition = partition,
		.key = SPAN("key"),
		.value = span_of(text),
		.header = {"origin", SPAN("here")},
	};

	assert_int_equal(kafka_produce(producer, &record, tag), ST_OK);
}

void send_numbers(const char *topic, int32_t partition, unsigned first,
                  unsigned count)
{
	static struct answers answers;
	struct kafka_producer *producer CLEANUP(kafka_producer_destroy);
	char text[16];

	answers.count = 0;
	producer = start_producer(&answers);
	for (unsigned i = first; i < first + count; i++) {
		snprintf(text, sizeof(text), "%u", i);
		send_text(producer, topic, partition, text, i);
	}
	kafka_producer_flush(producer, WAIT_MS);
	assert_int_equal(answers.count, count);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(answers.status[i], ST_OK);
}

struct kafka_reader *start_reader(const char *topic)
{
	struct kafka_reader_options options = {
		.common = *kafka_here(),
		.topic = topic,
		.partitions = PARTITIONS,
		.shards = 1,
	};
	struct kafka_reader *reader;

	assert_int_equal(kafka_reader_create(&options, WAIT_MS, &reader),
	                 ST_OK);
	return reader;
}

bool readable(int fd, int wait_ms)
{
	struct pollfd one = {.fd = fd, .events = POLLIN};

	return poll(&one, 1, wait_ms) == 1;
}

struct kafka_message *next_message(struct kafka_reader *reader)
{
	uint64_t until_ms = clock_mono_ms() + WAIT_MS;
	struct kafka_message *message;

	while (clock_mono_ms() < until_ms) {
		if (kafka_reader_poll(reader, &message) == ST_OK)
			return message;
		(void)readable(kafka_reader_fd(reader), 1000);
	}
	fail_msg("nothing arrived");
	return NULL;
}
