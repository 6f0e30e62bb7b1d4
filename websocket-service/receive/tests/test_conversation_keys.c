/* The keys of conversations, with a fake clock and a fake persistence. */
#include "common/base/mem.h"
#include "common/wire/event.h"
#include "common/wire/save_record.h"
#include "tests/support/fake_clock.h"
#include "websocket-service/receive/conversation_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct conversation_keys *keys;
static unsigned queries, answers, learned;
static uint64_t last_number, last_user;
static char last_list[SAVE_CONVERSATIONS_MAX * 21];

static void on_query(void *context, uint64_t number, uint64_t user,
                     struct span conversations)
{
	(void)context;
	assert_true(number > last_number);
	queries++;
	last_number = number;
	last_user = user;
	assert_true(conversations.len < sizeof(last_list));
	memcpy(last_list, conversations.data, conversations.len);
	last_list[conversations.len] = '\0';
}

static void on_key(void *context, uint64_t conversation)
{
	struct pair pair;

	(void)context;
	learned += conversation_keys_find(keys, conversation, 1, &pair);
}

static void on_answer(void *context)
{
	(void)context;
	answers++;
}

static int start(void **state)
{
	(void)state;
	clock_ms = 1000000;
	queries = answers = learned = 0;
	last_number = 0;
	keys = conversation_keys_create(&(struct conversation_keys_options){
		.keys_max = 4,
		.query = on_query,
		.learned = on_key,
		.answered = on_answer,
	});
	return 0;
}

static int stop(void **state)
{
	(void)state;
	conversation_keys_destroy(&keys);
	return keys != NULL;
}

static void assert_unknown(uint64_t conversation)
{
	struct pair pair;

	assert_false(conversation_keys_find(keys, conversation, 0, &pair));
}

static void assert_known(uint64_t conversation, uint64_t low, uint64_t high)
{
	struct pair pair = {9, 9};

	assert_true(conversation_keys_find(keys, conversation, 0, &pair));
	assert_int_equal(pair.low, low);
	assert_int_equal(pair.high, high);
}

/* Returns the query that can settle it. */
static uint64_t ask(uint64_t user, uint64_t conversation)
{
	uint64_t asked = conversation_keys_ask(keys, user, conversation);

	assert_true(asked);
	return asked;
}

/* --- tests --------------------------------------------------------------- */
static void an_answer_names_pairs_groups_and_nothing(void **state)
{
	(void)state;
	assert_unknown(17);
	(void)ask(2, 17);
	(void)ask(5, 19);
	(void)ask(5, 17);
	(void)ask(5, 21);
	conversation_keys_flush(keys);
	assert_int_equal(queries, 1);
	assert_int_equal(last_user, 2);
	assert_string_equal(last_list, "17,19,21");
	assert_unknown(17);
	conversation_keys_answered(keys, last_number,
	                           SPAN("17=d:2:5,19=c:19,21="));
	assert_int_equal(answers, 1);
	assert_int_equal(learned, 3);
	assert_known(17, 2, 5);
	assert_known(19, 0, 0);
	assert_unknown(21); /* it may exist by now */
	clock_ms += UINT64_C(1000) * 3600 * 24 * 365;
	assert_known(17, 2, 5);
	assert_known(19, 0, 0);
}

/* Query 1 is about 17, and query 2 also; then 17 is known to be a pair. */
static void a_late_answer_hides_no_conversation(void **state)
{
	(void)state;
	assert_int_equal(ask(1, 17), 1);
	conversation_keys_flush(keys);
	clock_ms += CONVERSATION_KEYS_WAIT_MS;
	conversation_keys_tick(keys);
	assert_int_equal(ask(1, 17), 2);
	conversation_keys_flush(keys);
	assert_int_equal(queries, 2);
	conversation_keys_answered(keys, 1, SPAN("17="));
	assert_unknown(17);
	conversation_keys_answered(keys, 2, SPAN("17=d:2:5"));
	for (uint64_t number = 1; number <= 2; number++) {
		conversation_keys_answered(keys, number, SPAN("17="));
		assert_known(17, 2, 5);
	}
}

static void an_answer_to_no_query_of_ours_settles_nothing(void **state)
{
	(void)state;
	(void)ask(1, 17);
	conversation_keys_flush(keys);
	conversation_keys_answered(keys, 2, SPAN("17="));
	assert_int_equal(learned, 0);
	conversation_keys_answered(keys, 1, SPAN("17="));
	assert_int_equal(learned, 1);
}

static uint64_t asked_before, asked_since;
static bool before_settled, since_settled;

static void on_answer_look(void *context)
{
	struct pair pair;

	(void)context;
	before_settled = conversation_keys_find(keys, 17, asked_before, &pair);
	since_settled = conversation_keys_find(keys, 17, asked_since, &pair);
}

/*
 * It may have been made after the query was answered. However many ask all the
 * time, each gets an answer after at most two queries.
 */
static void an_absence_counts_for_those_who_asked_before(void **state)
{
	(void)stop(state);
	keys = conversation_keys_create(&(struct conversation_keys_options){
		.keys_max = 4,
		.query = on_query,
		.learned = on_key,
		.answered = on_answer_look,
	});
	asked_before = ask(1, 17);
	conversation_keys_flush(keys);
	for (uint64_t round = 1; round <= 100; round++) {
		assert_int_equal(queries, round);
		assert_int_equal(asked_before, round);
		asked_since = ask(2, 17);
		conversation_keys_answered(keys, round, SPAN("17="));
		assert_true(before_settled);
		assert_false(since_settled);
		assert_unknown(17);
		conversation_keys_flush(keys);
		assert_string_equal(last_list, "17");
		asked_before = asked_since;
	}
	conversation_keys_answered(keys, 101, SPAN("17="));
	assert_true(since_settled);
	conversation_keys_flush(keys);
	assert_int_equal(queries, 101);
}

static void while_a_query_is_in_flight_others_gather(void **state)
{
	(void)state;
	(void)ask(1, 17);
	conversation_keys_flush(keys);
	conversation_keys_flush(keys);
	(void)ask(1, 18);
	(void)ask(1, 19);
	(void)ask(1, 17); /* already asked */
	conversation_keys_flush(keys);
	assert_int_equal(queries, 1);
	conversation_keys_answered(keys, last_number, SPAN("17=c:17"));
	conversation_keys_flush(keys);
	assert_int_equal(queries, 2);
	assert_string_equal(last_list, "18,19");
	(void)ask(1, 20);
	conversation_keys_tick(keys); /* not longer than a tick */
	assert_int_equal(queries, 3);
	assert_string_equal(last_list, "20");
}

static void a_lost_query_is_given_up_and_asked_again(void **state)
{
	(void)state;
	(void)ask(1, 17);
	conversation_keys_flush(keys);
	clock_ms += CONVERSATION_KEYS_WAIT_MS - 1;
	conversation_keys_tick(keys);
	(void)ask(1, 17);
	conversation_keys_flush(keys);
	assert_int_equal(queries, 1);
	clock_ms++;
	conversation_keys_tick(keys);
	(void)ask(1, 17);
	conversation_keys_flush(keys);
	assert_int_equal(queries, 2);
	/* The late answer to the first query is as true as the other. */
	conversation_keys_answered(keys, 1, SPAN("17=d:1:1"));
	assert_known(17, 1, 1);
}

static void one_query_names_no_more_than_a_record_takes(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= CONVERSATION_KEYS_ASKED_MAX; i++)
		(void)ask(1, i);
	assert_false(conversation_keys_ask(keys, 1,
	                                   CONVERSATION_KEYS_ASKED_MAX + 1));
	conversation_keys_flush(keys);
	assert_int_equal(queries, 1);
	conversation_keys_tick(keys);
	assert_int_equal(queries,
	                 CONVERSATION_KEYS_ASKED_MAX / SAVE_CONVERSATIONS_MAX);
	clock_ms += CONVERSATION_KEYS_WAIT_MS;
	conversation_keys_tick(keys);
	(void)ask(1, CONVERSATION_KEYS_ASKED_MAX + 1);
}

static void an_event_about_members_names_a_group(void **state)
{
	(void)state;
	(void)ask(1, 17);
	conversation_keys_learn_group(keys, 17);
	assert_known(17, 0, 0);
	conversation_keys_flush(keys);
	assert_int_equal(queries, 0);
}

static void the_least_recently_used_key_is_evicted(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= 4; i++)
		conversation_keys_learn_group(keys, i);
	assert_known(1, 0, 0);
	conversation_keys_learn_group(keys, 5);
	assert_known(1, 0, 0);
	assert_unknown(2);
	assert_known(5, 0, 0);
}

static void malformed_text_ends_an_answer(void **state)
{
	(void)state;
	(void)ask(1, 17);
	conversation_keys_flush(keys);
	conversation_keys_answered(keys, last_number, SPAN("17=c:17,,18=c:18"));
	assert_known(17, 0, 0);
	assert_unknown(18);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(an_answer_names_pairs_groups_and_nothing),
		TEST(a_late_answer_hides_no_conversation),
		TEST(an_answer_to_no_query_of_ours_settles_nothing),
		TEST(an_absence_counts_for_those_who_asked_before),
		TEST(while_a_query_is_in_flight_others_gather),
		TEST(a_lost_query_is_given_up_and_asked_again),
		TEST(one_query_names_no_more_than_a_record_takes),
		TEST(an_event_about_members_names_a_group),
		TEST(the_least_recently_used_key_is_evicted),
		TEST(malformed_text_ends_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
