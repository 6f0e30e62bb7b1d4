/*
 * A reader whose records Kafka deletes, on the real cluster of KAFKA_BROKERS:
 * it reports one loss for each partition, and then misses and doubles nothing.
 */
#define _GNU_SOURCE /* RUSAGE_THREAD */
#include "common/io/kafka/tests/broker_link.h"
#include "common/io/kafka/tests/kafka_fixture.h"

#include "common/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

/* --- what happens in the log ---------------------------------------------- */

static void on_delivery(rd_kafka_t *handle, const rd_kafka_message_t *record,
                        void *opaque)
{
	(void)handle;
	(void)opaque;
	assert_int_equal(record->err, 0);
}

/* A client of Kafka whose connection is never cut. */
static rd_kafka_t *open_other(void)
{
	char why[256];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_t *other;

	rd_kafka_conf_set(conf, "bootstrap.servers", kafka_here()->brokers, why,
	                  sizeof(why));
	rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
	other = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	assert_non_null(other);
	return other;
}

static void close_other(rd_kafka_t **other)
{
	rd_kafka_destroy(*other);
}

static void await(rd_kafka_queue_t *queue)
{
	rd_kafka_event_t *event = rd_kafka_queue_poll(queue, WAIT_MS);

	assert_non_null(event);
	assert_int_equal(rd_kafka_event_error(event), 0);
	rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(queue);
}

/* "<first>" to "<last>" to each partition. */
static void send_each(rd_kafka_t *other, const char *topic, unsigned first,
                      unsigned last)
{
	char text[16];

	for (unsigned i = first; i <= last; i++) {
		size_t len = (size_t)snprintf(text, sizeof(text), "%u", i);

		for (int p = 0; p < PARTITIONS; p++) {
			rd_kafka_resp_err_t error = rd_kafka_producev(
				other, RD_KAFKA_VTYPE_TOPIC, topic,
				RD_KAFKA_VTYPE_PARTITION, p,
				RD_KAFKA_VTYPE_VALUE, text, len,
				RD_KAFKA_VTYPE_MSGFLAGS, RD_KAFKA_MSG_F_COPY,
				RD_KAFKA_VTYPE_END);

			assert_int_equal(error, 0);
		}
	}
	assert_int_equal(rd_kafka_flush(other, WAIT_MS), 0);
}

/* Deletes everything that the topic holds, as its retention would. */
static void delete_records(rd_kafka_t *other, const char *topic)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(other);
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new(PARTITIONS);
	rd_kafka_DeleteRecords_t *order;

	for (int p = 0; p < PARTITIONS; p++)
		rd_kafka_topic_partition_list_add(list, topic, p)->offset =
			RD_KAFKA_OFFSET_END;
	order = rd_kafka_DeleteRecords_new(list);
	rd_kafka_DeleteRecords(other, &order, 1, NULL, queue);
	await(queue);
	rd_kafka_DeleteRecords_destroy(order);
	rd_kafka_topic_partition_list_destroy(list);
}

/* --- a reader that is behind -----------------------------------------------
 */

/* More than a reader keeps, so that it stays behind. */
static void send_blocks(const char *topic, unsigned count)
{
	static char block[512 * 1024];
	static struct answers answers;
	struct kafka_producer *producer CLEANUP(kafka_producer_destroy) =
		start_producer(&answers);
	struct kafka_record record = {.topic = topic,
	                              .value = {block, sizeof(block)}};

	answers.count = 0;
	for (unsigned i = 0; i < count; i++) {
		record.partition = (int32_t)(i % PARTITIONS);
		while (kafka_produce(producer, &record, i) == ST_BUSY)
			kafka_producer_flush(producer, 10);
	}
	kafka_producer_flush(producer, WAIT_MS);
	assert_int_equal(answers.count, count);
}

/* How often this thread has waited for something. */
static long waits(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_THREAD, &usage), 0);
	return usage.ru_nvcsw;
}

/*
 * Reads until the reader has reported that many losses. Returns the number of
 * records before the last one; adds the waits of the polls that reported.
 */
static unsigned read_losses(struct kafka_reader *reader, unsigned losses,
                            long *ret_waits)
{
	uint64_t until_ms = clock_mono_ms() + WAIT_MS;
	unsigned read = 0;

	*ret_waits = 0;
	while (losses && clock_mono_ms() < until_ms) {
		struct kafka_message *message = NULL;
		long before = waits();
		enum status status = kafka_reader_poll(reader, &message);

		if (status == ST_UNCERTAIN) {
			*ret_waits += waits() - before;
			losses--;
		} else if (status == ST_OK) {
			read++;
			kafka_message_destroy(&message);
		} else {
			(void)readable(kafka_reader_fd(reader), 1000);
		}
	}
	assert_int_equal(losses, 0);
	return read;
}

/*
 * One loss is reported for each partition, and no record that is sent after
 * it is missed. Returns the waits of the polls that reported.
 */
static long lose_records(void)
{
	enum { BLOCKS = 240 };
	const char *topic = fresh_topic(PARTITIONS);
	struct kafka_reader *reader CLEANUP(kafka_reader_destroy) =
		start_reader(topic);
	rd_kafka_t *other CLEANUP(close_other) = open_other();
	struct kafka_message *message;
	long waited;

	send_blocks(topic, BLOCKS);
	delete_records(other, topic);
	assert_true(read_losses(reader, PARTITIONS, &waited) < BLOCKS);
	for (unsigned p = 0; p < PARTITIONS; p++) {
		send_numbers(topic, (int32_t)p, 7, 1);
		message = next_message(reader);
		assert_int_equal(kafka_message_partition(message), p);
		assert_true(
			span_equal(kafka_message_value(message), SPAN("7")));
		kafka_message_destroy(&message);
	}
	assert_int_equal(kafka_reader_poll(reader, &message), ST_NOT_FOUND);
	return waited;
}

/*
 * A lock that librdkafka's thread holds may make a poll wait, and on a busy
 * machine several polls. A reader that waited for answers of Kafka would wait
 * for each loss, each time.
 */
static void a_reader_that_lost_records_reports_it_and_continues(void **state)
{
	enum { ROUNDS = 5 };
	long waited = PARTITIONS;

	(void)state;
	for (unsigned i = 0; i < ROUNDS && waited >= PARTITIONS; i++)
		waited = lose_records();
	assert_true(waited < PARTITIONS);
}

/* --- a reader that Kafka does not reach ------------------------------------
 */

/* The number of the first record that is sent after all losses. */
enum { AFTER = 1000 };

/* What a reader returned; the numbers of each partition must rise. */
struct seen {
	unsigned losses;
	unsigned after; /* records from AFTER on */
	int last[PARTITIONS];
};

static void note(struct seen *seen, struct kafka_message *message)
{
	int partition = kafka_message_partition(message), number;
	char text[16];

	snprintf(text, sizeof(text), "%.*s",
	         (int)kafka_message_value(message).len,
	         kafka_message_value(message).data);
	assert_int_equal(sscanf(text, "%d", &number), 1);
	assert_in_range(partition, 0, PARTITIONS - 1);
	assert_true(number > seen->last[partition]);
	seen->last[partition] = number;
	seen->after += number >= AFTER;
	kafka_message_destroy(&message);
}

static bool whole(const struct seen *seen, unsigned losses, int last)
{
	for (int p = 0; p < PARTITIONS; p++)
		if (last >= 0 && seen->last[p] != last)
			return false;
	return seen->losses >= losses;
}

/* Until that many losses, and `last` of each partition; -1: any record. */
static void read_until(struct kafka_reader *reader, struct seen *seen,
                       unsigned losses, int last)
{
	uint64_t until_ms = clock_mono_ms() + WAIT_MS;
	struct kafka_message *message;

	while (!whole(seen, losses, last)) {
		enum status status = kafka_reader_poll(reader, &message);

		assert_true(clock_mono_ms() < until_ms);
		if (status == ST_OK)
			note(seen, message);
		else if (status == ST_UNCERTAIN)
			seen->losses++;
		else
			(void)readable(kafka_reader_fd(reader), 1000);
	}
}

/*
 * Records that are sent from now on arrive, each once, and no other loss is
 * reported. The second round shows what the end of the first one brought.
 */
static void assert_whole_from_now(struct kafka_reader *reader,
                                  rd_kafka_t *other, const char *topic,
                                  struct seen *seen)
{
	enum { COUNT = 10, ROUNDS = 2 };
	unsigned losses = seen->losses;

	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned first = AFTER + round * COUNT,
			 last = first + COUNT - 1;

		send_each(other, topic, first, last);
		read_until(reader, seen, losses, (int)last);
		assert_int_equal(seen->after, (last + 1 - AFTER) * PARTITIONS);
		assert_int_equal(seen->losses, losses);
	}
}

static void wait_for_silence(void)
{
	uint64_t until_ms = clock_mono_ms() + WAIT_MS;

	while (!broker_link_holds_back()) {
		assert_true(clock_mono_ms() < until_ms);
		usleep(1000);
	}
}

static void wait_for_a_new_connection(void)
{
	uint64_t until_ms = clock_mono_ms() + WAIT_MS;
	unsigned before = broker_link_opened();

	while (broker_link_opened() == before) {
		assert_true(clock_mono_ms() < until_ms);
		usleep(20 * 1000);
	}
}

/* What the network does while Kafka deletes the records. */
struct outage {
	enum link_state state;
	bool at_question; /* the reader has noticed the loss */
	bool outlasted;   /* the reader gives its connection up */
};

static void lose_records_in(const struct outage *outage)
{
	const char *topic = fresh_topic(PARTITIONS);
	rd_kafka_t *other CLEANUP(close_other) = open_other();
	struct kafka_reader *reader CLEANUP(kafka_reader_destroy) = NULL;
	struct seen seen = {.last = {-1, -1, -1}};

	send_each(other, topic, 0, 0);
	delete_records(other, topic);
	broker_link_start(kafka_here()->brokers);
	reader = start_reader(topic);
	send_each(other, topic, 1, 9);
	read_until(reader, &seen, 0, 9);

	broker_link_set(outage->state);
	if (outage->state == LINK_SILENT) /* with no record in an answer */
		wait_for_silence();
	send_each(other, topic, 10, 19);
	delete_records(other, topic);
	send_each(other, topic, 20, 29);
	if (outage->at_question) {
		broker_link_set(LINK_SILENT_AT_QUESTION);
		wait_for_silence();
		send_each(other, topic, 30, 39);
	}
	if (outage->outlasted)
		wait_for_a_new_connection();
	broker_link_set(LINK_WHOLE);
	read_until(reader, &seen, PARTITIONS, -1);
	assert_int_equal(seen.losses, PARTITIONS);
	assert_whole_from_now(reader, other, topic, &seen);
}

static int stop_link(void **state)
{
	(void)state;
	broker_link_stop();
	return 0;
}

static void a_loss_while_the_connection_is_cut_is_reported(void **state)
{
	(void)state;
	lose_records_in(&(struct outage){.state = LINK_CUT, .outlasted = true});
}

static void a_loss_in_a_short_silence_is_reported(void **state)
{
	(void)state;
	lose_records_in(&(struct outage){.state = LINK_SILENT});
}

/* The answer is the new position: without it nothing is reported. */
static void a_silence_before_the_new_end_is_known(void **state)
{
	(void)state;
	lose_records_in(
		&(struct outage){.state = LINK_SILENT, .at_question = true});
	broker_link_stop();
	lose_records_in(&(struct outage){
		.state = LINK_SILENT, .at_question = true, .outlasted = true});
}

/* --- a topic that changes under a reader -----------------------------------
 */

static void add_a_partition(rd_kafka_t *other, const char *topic)
{
	char why[256];
	rd_kafka_queue_t *queue = rd_kafka_queue_new(other);
	rd_kafka_NewPartitions_t *order = rd_kafka_NewPartitions_new(
		topic, PARTITIONS + 1, why, sizeof(why));

	rd_kafka_CreatePartitions(other, &order, 1, NULL, queue);
	await(queue);
	rd_kafka_NewPartitions_destroy(order);
}

static void wait_for_partitions(const char *topic, enum status wanted,
                                unsigned count)
{
	uint64_t until_ms = clock_mono_ms() + WAIT_MS;
	enum status status;
	unsigned found = 0;

	do {
		assert_true(clock_mono_ms() < until_ms);
		status = kafka_topic_partitions(kafka_here(), topic, WAIT_MS,
		                                &found);
	} while (status != wanted || (status == ST_OK && found != count));
}

/* No service writes to it: KAFKA_PARTITIONS is as before. */
static void a_partition_that_is_added_is_not_read(void **state)
{
	const char *topic = fresh_topic(PARTITIONS);
	rd_kafka_t *other CLEANUP(close_other) = open_other();
	struct kafka_reader *reader CLEANUP(kafka_reader_destroy) =
		start_reader(topic);
	struct seen seen = {.last = {-1, -1, -1}};

	(void)state;
	send_each(other, topic, 0, 9);
	read_until(reader, &seen, 0, 9);
	add_a_partition(other, topic);
	wait_for_partitions(topic, ST_OK, PARTITIONS + 1);
	send_numbers(topic, PARTITIONS, 10, 10);
	assert_whole_from_now(reader, other, topic, &seen);
	assert_int_equal(seen.losses, 0);
}

static void delete_topic(rd_kafka_t *other, const char *topic)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(other);
	rd_kafka_DeleteTopic_t *order = rd_kafka_DeleteTopic_new(topic);

	rd_kafka_DeleteTopics(other, &order, 1, NULL, queue);
	await(queue);
	rd_kafka_DeleteTopic_destroy(order);
	wait_for_partitions(topic, ST_NOT_FOUND, 0);
}

static void make_topic_anew(const char *name)
{
	struct kafka_topic topic = {name, PARTITIONS, 1, 3600 * 1000};
	char why[256];

	assert_int_equal(kafka_topics_create(kafka_here(), &topic, 1, WAIT_MS,
	                                     why, sizeof(why)),
	                 ST_OK);
	wait_for_partitions(name, ST_OK, PARTITIONS);
}

/* The offsets go back, as after an unclean election of a leader. */
static void a_topic_that_is_made_anew_is_a_loss(void **state)
{
	const char *topic = fresh_topic(PARTITIONS);
	rd_kafka_t *before CLEANUP(close_other) = open_other();
	rd_kafka_t *after CLEANUP(close_other) = open_other();
	struct kafka_reader *reader CLEANUP(kafka_reader_destroy) =
		start_reader(topic);
	struct seen seen = {.last = {-1, -1, -1}};

	(void)state;
	send_each(before, topic, 0, 9);
	read_until(reader, &seen, 0, 9);
	delete_topic(before, topic);
	make_topic_anew(topic);
	send_each(after, topic, 10, 14);
	read_until(reader, &seen, PARTITIONS, -1);
	assert_whole_from_now(reader, after, topic, &seen);
	assert_int_equal(seen.losses, PARTITIONS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_reader_that_lost_records_reports_it_and_continues),
		cmocka_unit_test_teardown(
			a_loss_while_the_connection_is_cut_is_reported,
			stop_link),
		cmocka_unit_test_teardown(a_loss_in_a_short_silence_is_reported,
	                                  stop_link),
		cmocka_unit_test_teardown(a_silence_before_the_new_end_is_known,
	                                  stop_link),
		cmocka_unit_test(a_partition_that_is_added_is_not_read),
		cmocka_unit_test(a_topic_that_is_made_anew_is_a_loss),
	};

	(void)kafka_here();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
