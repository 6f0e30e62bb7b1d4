/*
 * The transaction with poison records, lost connections and competing
 * processes, against a real server. The passes have tests of their own, beside
 * their modules.
 */
#include "common/base/mem.h"
#include "persistence-service/save/tests/transaction_fixture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Else a migration would wait until the next new message. */
static void the_search_for_duplicates_leaves_no_lock(void **state)
{
	struct uuid uuid;

	(void)state;
	uuid_make(&uuid);
	for (unsigned round = 0; round < 2; round++) {
		batch_clear(batch);
		put(1, 2, &uuid, "x");
		save();
	}
	assert_int_equal(batch->entries[0].outcome, OUTCOME_DUPLICATE);
	chat_execute("SET SESSION lock_wait_timeout = 1");
	chat_execute("ALTER TABLE messages COMMENT = 'changed'");
}

static void a_poison_record_does_not_hold_up_the_others(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++)
		put(1 + i % 3, 4, NULL, i % 40 == 7 ? "poison" : "good");
	save();
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(batch->entries[i].outcome,
		                 i % 40 == 7 ? OUTCOME_DEAD : OUTCOME_SAVED);
	assert_non_null(batch->entries[7].why);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM messages"), 97);
	assert_consistent();
}

static void a_cached_conversation_may_be_gone(void **state)
{
	(void)state;
	put(1, 2, NULL, "x");
	save();
	(void)transaction_fixture_empty(state);
	put(1, 2, NULL, "x");
	save();
	assert_int_equal(batch->entries[0].saved.seq, 1);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM conversations"), 1);
	assert_consistent();
}

static void a_batch_can_be_retried_after_a_lost_connection(void **state)
{
	(void)state;
	put(1, 2, NULL, "x");
	chat_kill_others();
	assert_int_equal(transaction_save(transaction, batch), ST_UNAVAILABLE);
	assert_int_equal(batch->entries[0].outcome, OUTCOME_OPEN);
	assert_int_equal(sql_connect(sql), ST_OK);
	save();
	assert_int_equal(chat_number("SELECT COUNT(*) FROM messages"), 1);
}

/* As after a failover to a server that lacks the last message. */
static void a_new_connection_has_empty_caches(void **state)
{
	(void)state;
	put(1, 2, NULL, "one");
	put(1, 2, NULL, "two");
	save();
	chat_kill_others();
	chat_execute("DELETE FROM messages WHERE seq = 2");
	chat_execute("UPDATE conversations SET last_seq = 1");
	batch_clear(batch);
	put(1, 2, NULL, "three");
	assert_int_equal(transaction_save(transaction, batch), ST_UNAVAILABLE);
	assert_int_equal(sql_connect(sql), ST_OK);
	save();
	assert_int_equal(batch->entries[0].saved.seq, 2);
	assert_consistent();
}

static void a_transaction_sees_the_commits_of_another_process(void **state)
{
	struct sql *second_sql = chat_connect();
	struct transaction *second =
		transaction_create(second_sql, &transaction_options);

	(void)state;
	for (unsigned round = 0; round < 4; round++) {
		batch_clear(batch);
		put(3, 4, NULL, "known to one process only");
		put(1, 2, NULL, "x");
		put(2, 1, NULL, "x");
		if (round % 2)
			save_with(second, second_sql);
		else
			save();
		assert_int_equal(batch->entries[0].saved.seq, round + 1);
		assert_int_equal(batch->entries[1].saved.seq, 2 * round + 1);
		assert_int_equal(batch->entries[2].saved.seq, 2 * round + 2);
	}
	assert_consistent();
	transaction_destroy(&second);
	sql_destroy(&second_sql);
}

enum { ROUNDS = 40, CONVERSATIONS = 12 };

/* One of two processes that both believe that they own the partitions. */
struct rival {
	unsigned step; /* through the conversations, no common order */
	uint64_t saved;
	enum status last;
};

static void *compete(void *context)
{
	struct rival *rival = context;
	struct sql *own_sql = chat_connect();
	struct transaction *own =
		transaction_create(own_sql, &transaction_options);
	struct batch *mine = batch_create(BATCH_RECORDS_MAX);

	sql_thread_start();
	for (unsigned round = 0; round < ROUNDS; round++) {
		batch_clear(mine);
		for (unsigned i = 0; i < CONVERSATIONS; i++)
			put_into(mine, 1, 2 + (i * rival->step) % CONVERSATIONS,
			         NULL, "x");
		do {
			rival->last = transaction_save(own, mine);
		} while (rival->last == ST_UNAVAILABLE);
		rival->saved += batch_count_outcome(mine, OUTCOME_SAVED);
	}
	batch_destroy(&mine);
	transaction_destroy(&own);
	sql_destroy(&own_sql);
	sql_thread_stop();
	return NULL;
}

static void competing_processes_lose_and_duplicate_nothing(void **state)
{
	struct rival rivals[] = {{.step = 1}, {.step = 5}, {.step = 7}};
	pthread_t threads[ARRAY_LEN(rivals)];
	uint64_t saved = 0;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(rivals); i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, compete, &rivals[i]),
			0);
	for (unsigned i = 0; i < ARRAY_LEN(rivals); i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(rivals[i].last, ST_OK);
		saved += rivals[i].saved;
	}
	assert_int_equal(saved, ARRAY_LEN(rivals) * ROUNDS * CONVERSATIONS);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM messages"), saved);
	assert_consistent();
}

#define TEST(name) cmocka_unit_test_setup(name, transaction_fixture_empty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_search_for_duplicates_leaves_no_lock),
		TEST(a_poison_record_does_not_hold_up_the_others),
		TEST(a_cached_conversation_may_be_gone),
		TEST(a_batch_can_be_retried_after_a_lost_connection),
		TEST(a_new_connection_has_empty_caches),
		TEST(a_transaction_sees_the_commits_of_another_process),
		TEST(competing_processes_lose_and_duplicate_nothing),
	};

	return cmocka_run_group_tests(tests, transaction_fixture_start,
	                              transaction_fixture_stop);
}
