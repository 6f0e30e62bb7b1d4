/* Typing, with a fake clock, persistence and producer. */
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "tests/support/fake_clock.h"
#include "websocket-service/deliver/ephemeral_producer.h"
#include "websocket-service/deliver/typing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { PARTITIONS = 4, MAX = 3 };

static bool kafka_accepts;
static unsigned queries, sent;
static uint64_t last_number;
static struct buf users; /* recipients of the records */

static bool on_query(void *context, const struct typing_query *query)
{
	(void)context;
	assert_true(query->number > last_number);
	assert_int_equal(query->user_to, query->conversation == 18 ? 2 : 0);
	last_number = query->number;
	queries++;
	return kafka_accepts;
}

void ephemeral_producer_send(struct ephemeral_producer *ephemeral,
                             uint32_t partition, struct span key,
                             struct span frame)
{
	struct span left = key;
	uint64_t user;

	(void)ephemeral;
	assert_true(span_starts(frame, SPAN("{\"type\":\"typing\"")));
	while (event_key_next(&left, &user))
		assert_int_equal(event_partition(user, PARTITIONS), partition);
	assert_int_equal(left.len, 0);
	if (users.len)
		buf_byte(&users, ',');
	buf_append(&users, key);
	sent++;
}

static struct typing *typing;

static int start(void **state)
{
	(void)state;
	clock_ms = 1000000;
	kafka_accepts = true;
	queries = sent = 0;
	last_number = 0;
	users = BUF(256 * 1024);
	typing =
		typing_create(&(struct typing_options){.partitions = PARTITIONS,
	                                               .rosters_max = MAX,
	                                               .query = on_query});
	return 0;
}

static int stop(void **state)
{
	(void)state;
	typing_destroy(&typing);
	buf_free(&users);
	return typing != NULL;
}

static void answers_query(uint64_t number, uint64_t user, const char *text)
{
	struct event_roster roster;

	assert_true(event_roster_parse(span_of(text), &roster));
	typing_answered(typing, number, user, &roster);
}

static void answers(uint64_t user, const char *text)
{
	answers_query(last_number, user, text);
}

static void types_again(uint64_t user)
{
	clock_ms += TYPING_INTERVAL_MS;
	typing_started(typing, user, 17, 0);
}

/* --- tests --------------------------------------------------------------- */
static void the_first_one_queries_and_is_sent_with_the_answer(void **state)
{
	(void)state;
	typing_started(typing, 1, 17, 0);
	assert_int_equal(queries, 1);
	assert_int_equal(sent, 0);
	answers(1, "17:2");
	assert_int_equal(sent, 1);
	assert_string_equal(buf_text(&users), "2");
	types_again(1);
	assert_int_equal(queries, 1);
	assert_int_equal(sent, 2);
}

static void each_partition_of_recipients_gets_one_record(void **state)
{
	struct span left;
	uint64_t user;
	uint64_t sum = 0;

	(void)state;
	typing_started(typing, 1, 17, 0);
	answers(1, "17:2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20");
	assert_in_range(sent, 2, PARTITIONS);
	left = buf_span(&users);
	while (event_key_next(&left, &user))
		sum += user;
	assert_int_equal(sum, 20 * 21 / 2 - 1);
}

static void a_roster_has_a_bound_of_recipients(void **state)
{
	CLEANUP(buf_free) struct buf answer = BUF(256 * 1024);
	struct span left;
	uint64_t user;
	unsigned count = 0;

	(void)state;
	buf_append(&answer, SPAN("17:2"));
	for (unsigned i = 1; i <= TYPING_RECIPIENTS_MAX; i++)
		buf_format(&answer, ",%u", 2 + i);
	typing_started(typing, 1, 17, 0);
	answers(1, buf_text(&answer));
	left = buf_span(&users);
	while (event_key_next(&left, &user)) {
		assert_in_range(user, 2, TYPING_RECIPIENTS_MAX + 1);
		count++;
	}
	assert_int_equal(count, TYPING_RECIPIENTS_MAX);
	assert_int_equal(sent, PARTITIONS);
}

static void more_than_one_in_two_seconds_are_ignored(void **state)
{
	(void)state;
	typing_started(typing, 1, 17, 0);
	answers(1, "17:2");
	for (unsigned i = 0; i < 20; i++) {
		clock_ms += 100;
		typing_started(typing, 1, 17, 0);
	}
	assert_int_equal(sent, 2);
}

static void
a_roster_is_cached_for_a_minute_and_an_empty_one_for_less(void **state)
{
	(void)state;
	typing_started(typing, 1, 17, 0);
	answers(1, "17:2");
	clock_ms += TYPING_ROSTER_TTL_MS - 1;
	typing_started(typing, 1, 17, 0);
	assert_int_equal(queries, 1);
	types_again(1);
	assert_int_equal(queries, 2);
	answers(1, "17:");
	clock_ms += TYPING_EMPTY_ROSTER_TTL_MS - 1;
	typing_started(typing, 1, 17, 0);
	assert_int_equal(queries, 2);
	assert_int_equal(sent, 2);
	types_again(1);
	assert_int_equal(queries, 3);
}

static void
a_change_of_members_evicts_the_rosters_of_the_conversation(void **state)
{
	(void)state;
	typing_started(typing, 1, 17, 0);
	answers(1, "17:2,3");
	typing_started(typing, 2, 17, 0);
	answers(2, "17:1,3");
	typing_started(typing, 1, 18, 2);
	answers(1, "18:2");
	sent = 0;
	typing_evict(typing, 17);
	typing_evict(typing, 99);
	types_again(1);
	types_again(2);
	typing_started(typing, 1, 18, 2);
	assert_int_equal(queries, 5);
	assert_int_equal(sent, 1);
}

static void a_block_evicts_the_rosters_of_the_user(void **state)
{
	(void)state;
	typing_started(typing, 1, 17, 0);
	answers(1, "17:2,3");
	typing_started(typing, 2, 17, 0);
	answers(2, "17:1");
	typing_started(typing, 1, 18, 2);
	answers(1, "18:2");
	sent = 0;
	typing_evict_user(typing, 1);
	typing_evict_user(typing, 1);
	typing_evict_user(typing, 99);
	types_again(2);
	assert_int_equal(queries, 3);
	assert_int_equal(sent, 1);
	types_again(1);
	typing_started(typing, 1, 18, 2);
	assert_int_equal(queries, 5);
	assert_int_equal(sent, 1);
	/* What is asked again is evicted again. */
	answers(1, "18:2");
	assert_int_equal(sent, 2);
	typing_evict(typing, 18);
	clock_ms += TYPING_INTERVAL_MS;
	typing_started(typing, 1, 18, 2);
	assert_int_equal(queries, 6);
}

static void a_late_answer_is_cached_but_nothing_is_sent(void **state)
{
	(void)state;
	typing_started(typing, 1, 17, 0);
	clock_ms += TYPING_ANSWER_WAIT_MS;
	answers(1, "17:2");
	assert_int_equal(sent, 0);
	typing_started(typing, 1, 17, 0);
	assert_int_equal(sent, 1);
	assert_int_equal(queries, 1);
}

/* The process that answers may have been stopped: users have left since. */
static void only_the_answer_to_the_latest_query_counts(void **state)
{
	uint64_t first;

	(void)state;
	answers_query(0, 1, "17:2");
	answers_query(1, 1, "17:2");
	assert_int_equal(typing_rosters(typing), 0);
	typing_started(typing, 1, 17, 0);
	first = last_number;
	answers_query(0, 1, "17:2,3");
	assert_int_equal(sent, 0);
	types_again(1);
	answers_query(first, 1, "17:2,3");
	assert_int_equal(sent, 0);
	answers(1, "17:2");
	answers(1, "17:2,3");
	answers_query(first, 1, "17:2,3");
	assert_int_equal(sent, 1);
	assert_string_equal(buf_text(&users), "2");
}

static void a_query_that_kafka_refuses_is_repeated_by_the_next_one(void **state)
{
	(void)state;
	kafka_accepts = false;
	typing_started(typing, 1, 17, 0);
	kafka_accepts = true;
	answers(1, "17:2");
	assert_int_equal(sent, 0);
	types_again(1);
	assert_int_equal(queries, 2);
	answers(1, "17:2");
	assert_int_equal(sent, 1);
}

static void the_least_recently_used_roster_is_evicted(void **state)
{
	(void)state;
	for (uint64_t user = 1; user <= MAX + 1; user++) {
		typing_started(typing, user, 17, 0);
		answers(user, "17:99");
	}
	assert_int_equal(typing_rosters(typing), MAX);
	sent = queries = 0;
	types_again(MAX + 1);
	assert_int_equal(queries, 0);
	types_again(1);
	assert_int_equal(queries, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(the_first_one_queries_and_is_sent_with_the_answer),
		TEST(each_partition_of_recipients_gets_one_record),
		TEST(a_roster_has_a_bound_of_recipients),
		TEST(more_than_one_in_two_seconds_are_ignored),
		TEST(a_roster_is_cached_for_a_minute_and_an_empty_one_for_less),
		TEST(a_change_of_members_evicts_the_rosters_of_the_conversation),
		TEST(a_block_evicts_the_rosters_of_the_user),
		TEST(a_late_answer_is_cached_but_nothing_is_sent),
		TEST(only_the_answer_to_the_latest_query_counts),
		TEST(a_query_that_kafka_refuses_is_repeated_by_the_next_one),
		TEST(the_least_recently_used_roster_is_evicted),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
