/* Receipts on their way, with a fake clock and a fake Kafka. */
#include "tests/support/fake_clock.h"
#include "websocket-service/receive/conversation_keys.h"
#include "websocket-service/receive/pending_receipts.h"
#include "websocket-service/receive/save_records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { MAX = 3 };

/* --- Kafka --------------------------------------------------------------- */
static enum status kafka_says;
static unsigned produced;
static struct save_record last;
static uint64_t last_tag;

enum status save_records_produce(struct save_records *records,
                                 struct save_record *record, struct span origin,
                                 uint64_t tag)
{
	(void)records;
	assert_int_equal(origin.len, 0);
	assert_int_equal(save_records_owner(tag), SAVE_RECORDS_OF_RECEIPTS);
	assert_true(record->seq > 0);
	if (kafka_says != ST_OK)
		return kafka_says;
	produced++;
	last = *record;
	last_tag = tag;
	return ST_OK;
}

/* --- the keys ------------------------------------------------------------ */
enum { GROUP = 17, PAIR = 18, OWN_USER = 7, OTHER_USER = 8 };

static bool keys_known;
static unsigned asked, found;
static uint64_t settled_query; /* and those before it */

bool conversation_keys_find(struct conversation_keys *keys,
                            uint64_t conversation, uint64_t of_query,
                            struct pair *ret_pair)
{
	(void)keys;
	found++;
	*ret_pair = (struct pair){0, 0};
	if (conversation == PAIR)
		*ret_pair = (struct pair){OWN_USER, OTHER_USER};
	return keys_known && of_query <= settled_query;
}

uint64_t conversation_keys_ask(struct conversation_keys *keys, uint64_t user,
                               uint64_t conversation)
{
	(void)keys;
	assert_true(user && conversation);
	asked++;
	return asked;
}

static struct pending_receipts *receipts;

static int start(void **state)
{
	(void)state;
	clock_ms = 1000000;
	kafka_says = ST_OK;
	produced = 0;
	keys_known = true;
	settled_query = UINT64_MAX;
	asked = 0;
	receipts = pending_receipts_create(NULL, NULL, MAX);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	pending_receipts_destroy(&receipts);
	return receipts != NULL;
}

static bool says_in(uint64_t conversation, enum client_frame_kind kind,
                    uint64_t user, uint64_t seq)
{
	return pending_receipts_take(
		receipts, user,
		&(struct client_frame){.kind = kind,
	                               .conversation = conversation,
	                               .seq = seq});
}

static bool says(enum client_frame_kind kind, uint64_t user, uint64_t seq)
{
	return says_in(GROUP, kind, user, seq);
}

static void kafka_answers(enum status status)
{
	pending_receipts_acknowledged(receipts, save_records_number(last_tag),
	                              status);
}

static void last_is(enum save_kind kind, uint64_t seq)
{
	assert_int_equal(last.kind, kind);
	assert_int_equal(last.seq, seq);
	assert_int_equal(last.conversation, GROUP);
}

/* --- tests --------------------------------------------------------------- */
static void one_is_sent_at_once_and_freed_when_it_is_in_the_log(void **s)
{
	(void)s;
	assert_true(says(CLIENT_READ, 2, 42));
	assert_int_equal(produced, 1);
	last_is(SAVE_READ, 42);
	assert_int_equal(last.sender, 2);
	assert_int_equal(pending_receipts_count(receipts), 1);
	kafka_answers(ST_OK);
	assert_int_equal(pending_receipts_count(receipts), 0);
	assert_int_equal(produced, 1);
}

static void receipts_during_a_record_are_coalesced(void **state)
{
	(void)state;
	for (uint64_t seq = 1; seq <= 1000; seq++)
		assert_true(says(CLIENT_READ, 2, seq));
	assert_int_equal(produced, 1);
	kafka_answers(ST_OK);
	assert_int_equal(produced, 2);
	last_is(SAVE_READ, 1000);
	kafka_answers(ST_OK);
	assert_int_equal(produced, 2);
	assert_int_equal(pending_receipts_count(receipts), 0);
}

static void
delivered_and_read_are_two_records_and_delivered_goes_first(void **state)
{
	(void)state;
	assert_true(says(CLIENT_READ, 2, 5));
	assert_true(says(CLIENT_READ, 2, 6));
	assert_true(says(CLIENT_DELIVERED, 2, 9));
	kafka_answers(ST_OK);
	last_is(SAVE_DELIVERED, 9);
	kafka_answers(ST_OK);
	last_is(SAVE_READ, 6);
	kafka_answers(ST_OK);
	assert_int_equal(pending_receipts_count(receipts), 0);
}

static void a_lower_seq_is_ignored(void **state)
{
	(void)state;
	assert_true(says(CLIENT_READ, 2, 42));
	assert_true(says(CLIENT_READ, 2, 42));
	assert_true(says(CLIENT_READ, 2, 7));
	kafka_answers(ST_OK);
	assert_int_equal(produced, 1);
	assert_int_equal(pending_receipts_count(receipts), 0);
}

static void a_record_that_kafka_refuses_is_retried(void **state)
{
	(void)state;
	kafka_says = ST_BUSY;
	assert_true(says(CLIENT_READ, 2, 42));
	assert_int_equal(produced, 0);
	pending_receipts_tick(receipts);
	clock_ms += PENDING_RECEIPTS_RETRY_MS;
	pending_receipts_tick(receipts);
	assert_int_equal(pending_receipts_count(receipts), 1);
	kafka_says = ST_OK;
	pending_receipts_tick(receipts);
	assert_int_equal(produced, 0);
	clock_ms += PENDING_RECEIPTS_RETRY_MS;
	pending_receipts_tick(receipts);
	assert_int_equal(produced, 1);
	last_is(SAVE_READ, 42);
}

static void a_record_that_is_not_acknowledged_is_put_back(void **state)
{
	(void)state;
	assert_true(says(CLIENT_READ, 2, 42));
	assert_true(says(CLIENT_DELIVERED, 2, 43));
	kafka_answers(ST_UNAVAILABLE);
	assert_int_equal(produced, 1);
	assert_true(says(CLIENT_READ, 2, 44));
	clock_ms += PENDING_RECEIPTS_RETRY_MS;
	pending_receipts_tick(receipts);
	last_is(SAVE_DELIVERED, 43);
	kafka_answers(ST_OK);
	last_is(SAVE_READ, 44);
	kafka_answers(ST_UNCERTAIN);
	clock_ms += PENDING_RECEIPTS_RETRY_MS;
	pending_receipts_tick(receipts);
	last_is(SAVE_READ, 44);
	kafka_answers(ST_OK);
	assert_int_equal(pending_receipts_count(receipts), 0);
}

static void too_many_pairs_are_refused_and_the_others_go_on(void **state)
{
	(void)state;
	for (uint64_t user = 1; user <= MAX; user++)
		assert_true(says(CLIENT_READ, user, 5));
	assert_false(says(CLIENT_READ, MAX + 1, 5));
	assert_true(says(CLIENT_READ, 1, 6));
	kafka_answers(ST_OK); /* of the last user */
	assert_true(says(CLIENT_READ, MAX + 1, 5));
}

static void an_acknowledgement_for_an_earlier_pair_is_ignored(void **state)
{
	uint64_t number;

	(void)state;
	assert_true(says(CLIENT_READ, 2, 42));
	number = save_records_number(last_tag);
	kafka_answers(ST_OK);
	assert_true(says(CLIENT_READ, 2, 43));
	pending_receipts_acknowledged(receipts, number, ST_OK);
	assert_int_equal(pending_receipts_count(receipts), 1);
	kafka_answers(ST_OK);
	assert_int_equal(pending_receipts_count(receipts), 0);
}

static void receipts_wait_for_the_key_of_their_conversation(void **state)
{
	(void)state;
	keys_known = false;
	for (unsigned seq = 1; seq <= 500; seq++) {
		assert_true(says_in(PAIR, CLIENT_DELIVERED, OWN_USER, seq));
		assert_true(says_in(PAIR, CLIENT_READ, OWN_USER, seq));
	}
	assert_int_equal(asked, 1);
	for (unsigned i = 0; i < 3; i++) {
		clock_ms += PENDING_RECEIPTS_ASK_MS;
		pending_receipts_tick(receipts);
		assert_int_equal(asked, i + 2);
	}
	pending_receipts_key_known(receipts, PAIR); /* not yet */
	keys_known = true;
	pending_receipts_key_known(receipts, GROUP);
	assert_int_equal(produced, 0);
	pending_receipts_key_known(receipts, PAIR);
	assert_int_equal(produced, 1);
	assert_int_equal(last.kind, SAVE_DELIVERED);
	assert_int_equal(last.seq, 500);
	assert_int_equal(last.user_to, OTHER_USER);
	kafka_answers(ST_OK);
	assert_int_equal(last.kind, SAVE_READ);
	assert_int_equal(last.seq, 500);
	assert_int_equal(last.user_to, OTHER_USER);
	kafka_answers(ST_OK);
	assert_int_equal(produced, 2);
	assert_int_equal(pending_receipts_count(receipts), 0);
}

/* An answer costs what it names, not all receipts that wait. */
static void a_key_is_looked_up_for_those_that_wait_for_it(void **state)
{
	enum { WAITING = 10000 };

	(void)state;
	pending_receipts_destroy(&receipts);
	receipts = pending_receipts_create(NULL, NULL, WAITING);
	keys_known = false;
	for (uint64_t i = 0; i < WAITING; i++)
		assert_true(says_in(i % 2 ? GROUP : 1000 + i, CLIENT_READ,
		                    100 + i, 5));
	keys_known = true;
	found = 0;
	pending_receipts_key_known(receipts, GROUP);
	assert_int_equal(found, WAITING / 2);
	assert_int_equal(produced, WAITING / 2);
	for (uint64_t i = 0; i < WAITING; i += 2)
		pending_receipts_key_known(receipts, 1000 + i);
	assert_int_equal(found, WAITING);
	assert_int_equal(produced, WAITING);
	pending_receipts_key_known(receipts, GROUP);
	assert_int_equal(found, WAITING);
}

/* The absence of a conversation settles only what was asked before. */
static void an_answer_sends_the_receipts_that_it_settles(void **state)
{
	enum { MEMBERS = 6 };

	(void)state;
	pending_receipts_destroy(&receipts);
	receipts = pending_receipts_create(NULL, NULL, MEMBERS);
	keys_known = false;
	for (uint64_t i = 0; i < MEMBERS; i++)
		assert_true(says_in(GROUP, CLIENT_READ, 100 + i, 5));
	keys_known = true;
	for (unsigned settled = 0; settled <= MEMBERS; settled++) {
		settled_query = settled;
		pending_receipts_key_known(receipts, GROUP);
		assert_int_equal(produced, settled);
	}
	pending_receipts_key_known(receipts, GROUP);
	assert_int_equal(produced, MEMBERS);
	clock_ms += PENDING_RECEIPTS_ASK_MS;
	pending_receipts_tick(receipts);
	assert_int_equal(asked, MEMBERS);
}

static void persistence_answers_a_stranger_to_the_pair(void **state)
{
	(void)state;
	for (unsigned known = 0; known < 2; known++) {
		keys_known = known;
		assert_true(says_in(PAIR, CLIENT_READ, OTHER_USER + 1, 5));
		keys_known = true;
		pending_receipts_key_known(receipts, PAIR);
		assert_int_equal(produced, known + 1);
		assert_int_equal(last.conversation, PAIR);
		assert_int_equal(last.user_to, 0);
		kafka_answers(ST_OK);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(one_is_sent_at_once_and_freed_when_it_is_in_the_log),
		TEST(receipts_during_a_record_are_coalesced),
		TEST(delivered_and_read_are_two_records_and_delivered_goes_first),
		TEST(a_lower_seq_is_ignored),
		TEST(a_record_that_kafka_refuses_is_retried),
		TEST(a_record_that_is_not_acknowledged_is_put_back),
		TEST(too_many_pairs_are_refused_and_the_others_go_on),
		TEST(an_acknowledgement_for_an_earlier_pair_is_ignored),
		TEST(receipts_wait_for_the_key_of_their_conversation),
		TEST(a_key_is_looked_up_for_those_that_wait_for_it),
		TEST(an_answer_sends_the_receipts_that_it_settles),
		TEST(persistence_answers_a_stranger_to_the_pair),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
