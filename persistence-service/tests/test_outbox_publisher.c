/*
 * The outbox publisher with a real database and a real cluster: MYSQL_HOST, …
 * and KAFKA_BROKERS. The topic test_outbox_publisher_<pid> stays; its retention
 * is one hour.
 */
#include "common/base/clock.h"
#include "common/io/kafka/kafka.h"
#include "common/wire/save_record.h"
#include "persistence-service/outbox.h"
#include "persistence-service/outbox_publisher.h"
#include "persistence-service/tests/chat_fixture.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { PARTITIONS = 3, WAIT_MS = 60000, RETENTION_MS = 3600000 };

static struct sql *sql;
static struct sql *other; /* of a test */
static struct outbox_publisher *publisher;
static struct kafka_reader *events;
static char topic[64];

static const char *brokers(void)
{
	const char *value = getenv("KAFKA_BROKERS");

	if (value)
		return value;
	(void)fprintf(stderr, "test_outbox_publisher needs KAFKA_BROKERS\n");
	exit(111);
}

static void make_topic(void)
{
	struct kafka_options options = {.brokers = brokers(),
	                                .client_id = "test_outbox_publisher"};
	struct kafka_topic made = {topic, PARTITIONS, 1, RETENTION_MS};
	char why[256] = "";

	(void)snprintf(topic, sizeof(topic), "test_outbox_publisher_%ld",
	               (long)getpid());
	if (kafka_topics_create(&options, &made, 1, WAIT_MS, why,
	                        sizeof(why)) != ST_OK)
		fail_msg("%s: %s", topic, why);
}

static int start(void **state)
{
	(void)state;
	chat_start();
	sql = chat_connect();
	make_topic();
	chat_settings.kafka_brokers = brokers();
	chat_settings.kafka_partitions = PARTITIONS;
	chat_settings.topic_events = topic;
	chat_settings.topic_save = topic;
	return 0;
}

static int stop(void **state)
{
	(void)state;
	sql_destroy(&sql);
	chat_stop();
	return 0;
}

static int open_reader(void **state)
{
	struct kafka_reader_options options = {
		.common = {.brokers = brokers(),
	                   .client_id = "test_outbox_publisher"},
		.topic = topic,
		.partitions = PARTITIONS,
		.shards = 1,
	};

	(void)state;
	chat_execute("TRUNCATE TABLE outbox");
	assert_int_equal(kafka_reader_create(&options, WAIT_MS, &events),
	                 ST_OK);
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	sql_destroy(&other);
	outbox_publisher_stop(&publisher);
	kafka_reader_destroy(&events);
	return 0;
}

static void start_publisher(void)
{
	assert_int_equal(outbox_publisher_start(&chat_settings, &publisher),
	                 ST_OK);
}

static void put_of(uint64_t conversation, enum outbox_kind kind,
                   const char *target, const char *room, const char *body)
{
	struct outbox_row row = {.kind = kind,
	                         .conversation = conversation,
	                         .target = span_of(target),
	                         .room = span_of(room),
	                         .body = span_of(body)};

	assert_int_equal(outbox_put(sql, &row), ST_OK);
}

static void put(enum outbox_kind kind, const char *target, const char *room,
                const char *body)
{
	put_of(0, kind, target, room, body);
}

/* NULL: none came. */
static struct kafka_message *next_event(unsigned wait_ms)
{
	uint64_t until_ms = clock_mono_ms() + wait_ms;
	struct pollfd fd = {.fd = kafka_reader_fd(events), .events = POLLIN};
	struct kafka_message *message = NULL;

	while (clock_mono_ms() < until_ms) {
		(void)poll(&fd, 1, 10);
		if (kafka_reader_poll(events, &message) == ST_OK)
			return message;
	}
	return NULL;
}

static void assert_event(const char *key, const char *room, const char *body)
{
	struct kafka_message *message = next_event(WAIT_MS);

	assert_non_null(message);
	assert_true(span_equal(kafka_message_key(message), span_of(key)));
	assert_true(span_equal(kafka_message_value(message), span_of(body)));
	assert_true(span_equal(kafka_message_header(message, "room"),
	                       span_of(room)));
	kafka_message_destroy(&message);
}

static bool comes_within(unsigned wait_ms)
{
	struct kafka_message *message = next_event(wait_ms);
	bool came = message != NULL;

	kafka_message_destroy(&message);
	return came;
}

static bool empties(unsigned wait_ms)
{
	uint64_t until_ms = clock_mono_ms() + wait_ms;

	while (chat_number("SELECT COUNT(*) FROM outbox")) {
		if (clock_mono_ms() > until_ms)
			return false;
		(void)usleep(2000);
	}
	return true;
}

/* From the commit of an event until the publisher is done with it. */
static uint64_t woken_ms(void)
{
	uint64_t began_ms = clock_mono_ms();

	put(OUTBOX_EVENT, "17", "5:6:=", "one");
	outbox_publisher_wake(publisher);
	assert_event("17", "5:6:=", "one");
	assert_true(empties(WAIT_MS));
	return clock_mono_ms() - began_ms;
}

static void a_wake_sends_the_committed_rows(void **state)
{
	uint64_t fastest_ms = UINT64_MAX;

	(void)state;
	start_publisher();
	(void)usleep(300000);
	assert_int_equal(sql_begin(sql), ST_OK);
	put(OUTBOX_EVENT, "17", "5:6:=", "one");
	outbox_publisher_wake(publisher);
	assert_false(comes_within(200));
	assert_int_equal(sql_commit(sql), ST_OK);
	outbox_publisher_wake(publisher);
	assert_event("17", "5:6:=", "one");
	assert_true(empties(WAIT_MS));

	/*
	 * The publisher also reads one second after it has read. A round that
	 * is faster shows that it was woken; a busy machine has slow rounds,
	 * too, so one of ten is enough.
	 */
	for (unsigned i = 0; i < 10 && fastest_ms >= 700; i++) {
		uint64_t took_ms = woken_ms();

		if (took_ms < fastest_ms)
			fastest_ms = took_ms;
	}
	assert_true(fastest_ms < 700);
}

static void rows_of_a_dead_process_are_sent_in_order(void **state)
{
	char body[16];

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(body, sizeof(body), "%u", i);
		put(OUTBOX_EVENT, "17", "", body);
	}
	start_publisher();
	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(body, sizeof(body), "%u", i);
		assert_event("17", "", body);
	}
	assert_true(empties(WAIT_MS));
}

static void two_publishers_send_each_row_once(void **state)
{
	struct outbox_publisher *second;
	unsigned got = 0;

	(void)state;
	for (unsigned i = 0; i < 300; i++)
		put(OUTBOX_EVENT, "17", "", "x");
	start_publisher();
	assert_int_equal(outbox_publisher_start(&chat_settings, &second),
	                 ST_OK);
	assert_true(empties(WAIT_MS));
	for (; got < 300; got++)
		assert_event("17", "", "x");
	assert_false(comes_within(300));
	outbox_publisher_stop(&second);
}

static void a_row_that_another_process_sends_is_left_alone(void **state)
{
	(void)state;
	other = chat_connect();
	put(OUTBOX_EVENT, "17", "", "first");
	assert_int_equal(sql_begin(other), ST_OK);
	assert_int_equal(outbox_take(other), ST_OK);
	put(OUTBOX_EVENT, "17", "", "second");
	start_publisher();
	assert_event("17", "", "second");
	assert_false(comes_within(1500));
	assert_int_equal(chat_number("SELECT COUNT(*) FROM outbox"), 1);
	sql_rollback(other);
	assert_true(empties(WAIT_MS));
	assert_event("17", "", "first");
}

/* --- rows of conversations ----------------------------------------------- */
static struct announced {
	uint64_t conversation, row;
} next_announced(void)
{
	struct kafka_message *message = next_event(WAIT_MS);
	struct json *json = NULL;
	struct save_record record;
	const char *why = "";
	bool named;

	assert_non_null(message);
	if (save_record_decode(kafka_message_key(message),
	                       kafka_message_value(message), &json, &record,
	                       &named, &why) != ST_OK)
		fail_msg("%s", why);
	assert_int_equal(record.kind, SAVE_MEMBERSHIP);
	json_destroy(&json);
	kafka_message_destroy(&message);
	return (struct announced){record.conversation, record.row};
}

static void assert_announced(uint64_t conversation, uint64_t row)
{
	struct announced announced = next_announced();

	assert_int_equal(announced.conversation, conversation);
	assert_int_equal(announced.row, row);
}

static uint64_t row_of(uint64_t conversation)
{
	return chat_number("SELECT id FROM outbox WHERE conversation = %llu",
	                   (unsigned long long)conversation);
}

static void a_row_stays_until_its_owner_has_published_it(void **state)
{
	(void)state;
	start_publisher();
	put_of(5, OUTBOX_EVENT, "17", "5:6:=", "x");
	put_of(6, OUTBOX_EVENT, "17", "6:6:=", "x");
	outbox_publisher_announce(publisher, 5, 9);
	assert_announced(5, 9);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM outbox"), 2);
	assert_true(outbox_publisher_remove(publisher, row_of(5)));
	while (chat_number("SELECT COUNT(*) FROM outbox") > 1)
		(void)usleep(2000);
	assert_true(outbox_publisher_remove(publisher, row_of(6)));
	assert_true(empties(WAIT_MS));
}

/* Its process died before it announced it, or the owner before it read it. */
static void a_row_that_stays_is_announced_again(void **state)
{
	uint64_t row;

	(void)state;
	put_of(5, OUTBOX_EVENT, "17", "5:6:=", "x");
	put_of(5, OUTBOX_EVENT, "17", "5:7:=", "x");
	row = chat_number("SELECT MAX(id) FROM outbox");
	start_publisher();
	assert_announced(5, row);
	assert_announced(5, row);
}

static void each_conversation_with_an_old_row_is_announced(void **state)
{
	enum { CONVERSATIONS = 2 * OUTBOX_STALE_MAX + 5 };
	bool *seen = calloc(CONVERSATIONS + 1, sizeof(*seen));
	unsigned missing = CONVERSATIONS;

	(void)state;
	chat_execute("INSERT INTO outbox (kind, conversation, target, room,"
	             " body) SELECT 1, seq, '1', '', '{}' FROM numbers"
	             " WHERE seq <= %d",
	             (int)CONVERSATIONS);
	start_publisher();
	while (missing) {
		uint64_t conversation = next_announced().conversation;

		assert_in_range(conversation, 1, CONVERSATIONS);
		missing -= !seen[conversation];
		seen[conversation] = true;
	}
	free(seen);
}

static void a_stop_announces_and_removes_first(void **state)
{
	uint64_t row;

	(void)state;
	start_publisher();
	put_of(6, OUTBOX_EVENT, "17", "6:6:=", "x");
	row = row_of(6);
	outbox_publisher_announce(publisher, 5, 9);
	assert_true(outbox_publisher_remove(publisher, row));
	outbox_publisher_stop(&publisher);
	assert_announced(5, 9);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM outbox"), 0);
}

/* While the database is away; the caller tries again. */
static void only_so_many_removals_wait(void **state)
{
	uint16_t port = (uint16_t)chat_settings.mysql_port;
	unsigned taken = 0;

	(void)state;
	chat_settings.mysql_port = 1;
	start_publisher();
	while (taken <= 2 * OUTBOX_TASKS_MAX &&
	       outbox_publisher_remove(publisher, 1))
		taken++;
	chat_settings.mysql_port = port;
	assert_in_range(taken, OUTBOX_TASKS_MAX, 2 * OUTBOX_TASKS_MAX);
}

static void a_poison_row_does_not_hold_up_the_others(void **state)
{
	(void)state;
	put(OUTBOX_EVENT, "nobody", "", "x");
	chat_execute("INSERT INTO outbox (kind, target, room, body)"
	             " VALUES (1, '17', '', REPEAT('x', 3000000))");
	put(OUTBOX_SAVE, "17", "", "y");
	start_publisher();
	assert_event("17", "", "y");
	assert_true(empties(WAIT_MS));
}

static void a_lost_connection_loses_nothing(void **state)
{
	(void)state;
	start_publisher();
	(void)usleep(300000);
	for (unsigned i = 0; i < 3; i++) {
		chat_kill_others();
		assert_int_equal(sql_connect(sql), ST_OK);
		put(OUTBOX_EVENT, "17", "", "still");
		assert_event("17", "", "still");
		assert_true(empties(WAIT_MS));
	}
}

static void a_stop_sends_the_remaining_rows(void **state)
{
	(void)state;
	start_publisher();
	(void)usleep(300000);
	for (unsigned i = 0; i < 200; i++)
		put(OUTBOX_EVENT, "17", "", "x");
	outbox_publisher_stop(&publisher);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM outbox"), 0);
}

static void without_kafka_the_publisher_waits_and_stops_in_time(void **state)
{
	uint64_t began_ms;

	(void)state;
	chat_settings.kafka_brokers = "127.0.0.1:1";
	put(OUTBOX_EVENT, "17", "", "x");
	start_publisher();
	(void)usleep(500000);
	began_ms = clock_mono_ms();
	outbox_publisher_stop(&publisher);
	assert_true(clock_mono_ms() - began_ms < WAIT_MS);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM outbox"), 1);
	chat_settings.kafka_brokers = brokers();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_reader, close_all)
	const struct CMUnitTest tests[] = {
		TEST(a_wake_sends_the_committed_rows),
		TEST(rows_of_a_dead_process_are_sent_in_order),
		TEST(two_publishers_send_each_row_once),
		TEST(a_row_that_another_process_sends_is_left_alone),
		TEST(a_row_stays_until_its_owner_has_published_it),
		TEST(a_row_that_stays_is_announced_again),
		TEST(each_conversation_with_an_old_row_is_announced),
		TEST(a_stop_announces_and_removes_first),
		TEST(only_so_many_removals_wait),
		TEST(a_poison_row_does_not_hold_up_the_others),
		TEST(a_lost_connection_loses_nothing),
		TEST(a_stop_sends_the_remaining_rows),
		TEST(without_kafka_the_publisher_waits_and_stops_in_time),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
