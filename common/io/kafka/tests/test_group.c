/*
 * Consumer groups against the real cluster of KAFKA_BROKERS.
 */
#include "common/io/kafka/tests/kafka_fixture.h"

#include "common/base/clock.h"

#include <dirent.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

enum { JOIN_MS = 15000, QUIET_MS = 400 };

/* The topic's name serves as the group's. */
static struct kafka_group *join(const char *topic, const char *instance)
{
	struct kafka_group_options options = {
		.common = *kafka_here(),
		.topic = topic,
		.group = topic,
		.instance = instance,
	};
	struct kafka_group *group;

	assert_int_equal(kafka_group_create(&options, &group), ST_OK);
	return group;
}

static unsigned number_of(const struct kafka_message *message)
{
	struct span value = kafka_message_value(message);
	uint64_t number = 0;

	assert_true(span_to_u64(value, 1000000, &number));
	return (unsigned)number;
}

static struct kafka_message *next_of(struct kafka_group *group)
{
	uint64_t until_ms = clock_mono_ms() + JOIN_MS;
	struct kafka_message *message;
	enum status status;

	while (clock_mono_ms() < until_ms) {
		status = kafka_group_poll(group, 100, &message);
		if (status == ST_OK)
			return message;
		assert_int_equal(status, ST_NOT_FOUND);
	}
	fail_msg("nothing arrived");
	return NULL;
}

/* Takes `count` records in order from `first` and marks all but `open`. */
static void take_numbers(struct kafka_group *group, unsigned first,
                         unsigned count, unsigned open)
{
	for (unsigned i = 0; i < count; i++) {
		struct kafka_message *message = next_of(group);

		assert_int_equal(number_of(message), first + i);
		if (i + open < count)
			kafka_group_store_offset(
				group, kafka_message_partition(message),
				kafka_message_offset(message));
		kafka_message_destroy(&message);
	}
}

static void expect_quiet(struct kafka_group *group)
{
	uint64_t until_ms = clock_mono_ms() + QUIET_MS;
	struct kafka_message *message;

	while (clock_mono_ms() < until_ms)
		assert_int_equal(kafka_group_poll(group, 50, &message),
		                 ST_NOT_FOUND);
}

static void records_without_a_stored_offset_arrive_again(void **state)
{
	const char *topic = fresh_topic(1);
	struct kafka_group *group CLEANUP(kafka_group_destroy) = NULL;

	(void)state;
	send_numbers(topic, 0, 0, 100);
	group = join(topic, "one");
	take_numbers(group, 0, 100, 30);
	assert_int_equal(kafka_group_lag(group), 0);
	assert_true(kafka_group_owns(group, 0));
	assert_false(kafka_group_owns(group, 1));
	assert_int_equal(kafka_group_partitions(group), 1);
	kafka_group_destroy(&group);

	group = join(topic, "one");
	take_numbers(group, 70, 30, 0);
	kafka_group_destroy(&group);

	group = join(topic, "one");
	expect_quiet(group);
}

static void holding_takes_no_record_and_loses_none(void **state)
{
	const char *topic = fresh_topic(1);
	struct kafka_group *group CLEANUP(kafka_group_destroy) =
		join(topic, "one");
	uint64_t until_ms = clock_mono_ms() + JOIN_MS;

	(void)state;
	send_numbers(topic, 0, 0, 10);
	while (kafka_group_partitions(group) == 0 && clock_mono_ms() < until_ms)
		assert_int_equal(kafka_group_pause(group, 50), ST_OK);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(kafka_group_pause(group, 50), ST_OK);
	take_numbers(group, 0, 5, 0);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(kafka_group_pause(group, 50), ST_OK);
	send_numbers(topic, 0, 10, 10);
	take_numbers(group, 5, 15, 0);
	expect_quiet(group);
}

static void lag_counts_the_records_not_polled(void **state)
{
	const char *topic = fresh_topic(1);
	struct kafka_group *group CLEANUP(kafka_group_destroy) = NULL;

	(void)state;
	send_numbers(topic, 0, 0, 50);
	group = join(topic, "one");
	assert_int_equal(kafka_group_lag(group), -1);
	take_numbers(group, 0, 20, 0);
	assert_int_equal(kafka_group_lag(group), 30);
}

/* Polls both until each has what it shall have. */
static void settle(struct kafka_group *a, struct kafka_group *b,
                   unsigned a_count, unsigned b_count)
{
	uint64_t until_ms = clock_mono_ms() + JOIN_MS;
	struct kafka_message *message;

	while (clock_mono_ms() < until_ms) {
		if (kafka_group_poll(a, 20, &message) == ST_OK)
			kafka_message_destroy(&message);
		if (b && kafka_group_poll(b, 20, &message) == ST_OK)
			kafka_message_destroy(&message);
		if (kafka_group_partitions(a) == a_count &&
		    (!b || kafka_group_partitions(b) == b_count))
			return;
	}
	fail_msg("the group did not settle");
}

static void two_members_share_the_partitions(void **state)
{
	const char *topic = fresh_topic(2);
	struct kafka_group *a CLEANUP(kafka_group_destroy) = join(topic, "a");
	struct kafka_group *b CLEANUP(kafka_group_destroy) = NULL;
	unsigned generation;

	(void)state;
	settle(a, NULL, 2, 0);
	generation = kafka_group_generation(a);
	b = join(topic, "b");
	settle(a, b, 1, 1);
	assert_int_not_equal(kafka_group_generation(a), generation);
	assert_int_not_equal(kafka_group_owns(a, 0), kafka_group_owns(b, 0));
	assert_int_not_equal(kafka_group_owns(a, 1), kafka_group_owns(b, 1));
}

static void a_static_member_returns_to_its_partitions(void **state)
{
	const char *topic = fresh_topic(2);
	struct kafka_group *a CLEANUP(kafka_group_destroy) = join(topic, "a");
	struct kafka_group *b CLEANUP(kafka_group_destroy) = NULL;
	unsigned generation;

	(void)state;
	settle(a, NULL, 2, 0);
	b = join(topic, "b");
	settle(a, b, 1, 1);
	generation = kafka_group_generation(a);
	kafka_group_destroy(&b);
	b = join(topic, "b");
	settle(a, b, 1, 1);
	assert_int_equal(kafka_group_generation(a), generation);
}

/* Held until the rebalance has taken its partitions, and no longer. */
static void a_pause_ends_also_for_records_taken_meanwhile(void **state)
{
	const char *topic = fresh_topic(2);
	struct kafka_group *a CLEANUP(kafka_group_destroy) = join(topic, "a");
	struct kafka_group *b CLEANUP(kafka_group_destroy) = NULL;
	uint64_t until_ms = clock_mono_ms() + JOIN_MS;
	struct kafka_message *message;

	(void)state;
	settle(a, NULL, 2, 0);
	assert_int_equal(kafka_group_pause(a, 1), ST_OK);
	b = join(topic, "b");
	while (kafka_group_partitions(a) && clock_mono_ms() < until_ms) {
		assert_int_equal(kafka_group_poll(b, 1, &message),
		                 ST_NOT_FOUND);
		assert_int_equal(kafka_group_pause(a, 1), ST_OK);
	}
	assert_int_equal(kafka_group_partitions(a), 0);
	settle(a, b, 1, 1);
	send_numbers(topic, kafka_group_owns(a, 0) ? 0 : 1, 0, 10);
	take_numbers(a, 0, 10, 0);
}

static unsigned count_threads(void)
{
	DIR *folder = opendir("/proc/self/task");
	unsigned count = 0;

	assert_non_null(folder);
	while (readdir(folder))
		count++;
	(void)closedir(folder);
	return count;
}

/* The fenced member leaves no thread behind: the process may join again. */
static void the_older_of_two_with_one_name_is_fenced(void **state)
{
	const char *topic = fresh_topic(1);
	struct kafka_group *older CLEANUP(kafka_group_destroy) =
		join(topic, "same");
	struct kafka_group *newer CLEANUP(kafka_group_destroy) = NULL;
	uint64_t until_ms = clock_mono_ms() + JOIN_MS;
	struct kafka_message *message;
	enum status status = ST_NOT_FOUND;
	unsigned threads;

	(void)state;
	settle(older, NULL, 1, 0);
	newer = join(topic, "same");
	while (status == ST_NOT_FOUND && clock_mono_ms() < until_ms) {
		assert_int_equal(kafka_group_poll(newer, 20, &message),
		                 ST_NOT_FOUND);
		status = kafka_group_poll(older, 20, &message);
	}
	assert_int_equal(status, ST_BROKEN);
	threads = count_threads();
	kafka_group_destroy(&older);
	assert_true(count_threads() < threads);
}

/* --- records fetched ahead ------------------------------------------------ */
enum {
	AHEAD_MAX = 16 * 1024 * 1024, /* queued.max.messages.kbytes */
	/* One fetch more, of 1 MiB, when the queue is nearly full. Each ends
	 * within a batch, which is fetched again. */
	FETCH_MAX = 4 * 1024 * 1024,
	AGAIN_PART = 8,
	TOGETHER = 10, /* records of a batch, at most */
	LONG = 10000,
	LONG_RECORDS = 3 * AHEAD_MAX / LONG,
};

static void send_long_records(const char *topic)
{
	static struct answers answers;
	static char text[LONG];
	struct kafka_producer *producer CLEANUP(kafka_producer_destroy);
	struct kafka_record record = {.topic = topic,
	                              .key = SPAN("key"),
	                              .value = span_make(text, LONG)};

	answers.count = 0;
	producer = start_producer(&answers);
	for (unsigned i = 0; i < LONG_RECORDS; i++) {
		assert_int_equal(kafka_produce(producer, &record, i), ST_OK);
		if (i % TOGETHER == 0)
			kafka_producer_flush(producer, WAIT_MS);
	}
	kafka_producer_flush(producer, WAIT_MS);
	assert_int_equal(answers.count, LONG_RECORDS);
}

/* By all sockets of this process. */
static uint64_t received_bytes(void)
{
	uint64_t sum = 0;

	for (int fd = 3; fd < 256; fd++) {
		struct tcp_info info = {0};
		socklen_t len = sizeof(info);

		if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0)
			sum += info.tcpi_bytes_received;
	}
	return sum;
}

/* What is not fetched stays in Kafka until records were polled. */
static void records_fetched_ahead_are_bounded(void **state)
{
	const char *topic = fresh_topic(1);
	struct kafka_group *group CLEANUP(kafka_group_destroy) = NULL;
	uint64_t before, polled = 0, until_ms = clock_mono_ms() + WAIT_MS;

	(void)state;
	send_long_records(topic);
	before = received_bytes();
	group = join(topic, "ahead");
	for (unsigned i = 0; i < LONG_RECORDS; i++) {
		struct kafka_message *message CLEANUP(kafka_message_destroy) =
			next_of(group);

		polled += kafka_message_value(message).len;
		while (i == 0 && received_bytes() - before < AHEAD_MAX) {
			assert_true(clock_mono_ms() < until_ms);
			(void)sched_yield();
		}
		assert_true(received_bytes() - before <
		            polled + polled / AGAIN_PART + AHEAD_MAX +
		                    FETCH_MAX);
	}
	assert_int_equal(polled, (uint64_t)LONG_RECORDS * LONG);
	assert_true(received_bytes() - before > polled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_without_a_stored_offset_arrive_again),
		cmocka_unit_test(holding_takes_no_record_and_loses_none),
		cmocka_unit_test(lag_counts_the_records_not_polled),
		cmocka_unit_test(two_members_share_the_partitions),
		cmocka_unit_test(a_static_member_returns_to_its_partitions),
		cmocka_unit_test(a_pause_ends_also_for_records_taken_meanwhile),
		cmocka_unit_test(the_older_of_two_with_one_name_is_fenced),
		cmocka_unit_test(records_fetched_ahead_are_bounded),
	};

	(void)kafka_here();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
