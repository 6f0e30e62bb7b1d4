/*
 * The transaction with messages of direct conversations, against a real server.
 */
#include "common/base/mem.h"
#include "persistence-service/save/tests/transaction_fixture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_batch_gets_consecutive_seqs(void **state)
{
	(void)state;
	for (unsigned i = 0; i < BATCH_RECORDS_MAX; i++)
		put(1 + i % 2, 2 - i % 2, NULL, "hi");
	save();
	for (unsigned i = 0; i < BATCH_RECORDS_MAX; i++) {
		const struct batch_entry *entry = &batch->entries[i];

		assert_int_equal(entry->outcome, OUTCOME_SAVED);
		assert_int_equal(entry->saved.seq, i + 1);
		assert_int_equal(entry->saved.conversation,
		                 batch->entries[0].saved.conversation);
		if (i)
			assert_int_equal(entry->saved.id,
			                 entry[-1].saved.id + 1);
	}
	assert_int_equal(chat_number("SELECT COUNT(*) FROM members"), 2);
	assert_int_equal(
		chat_number("SELECT read_seq FROM members WHERE user = 1"),
		BATCH_RECORDS_MAX - 1);
	assert_int_equal(
		chat_number("SELECT read_seq FROM members WHERE user = 2"),
		BATCH_RECORDS_MAX);
	assert_consistent();
}

static void the_next_batch_continues_the_seqs(void **state)
{
	(void)state;
	put(1, 2, NULL, "one");
	put(1, 3, NULL, "one");
	save();
	batch_clear(batch);
	put(2, 1, NULL, "two");
	put(4, 1, NULL, "one");
	put(1, 2, NULL, "three");
	save();
	assert_int_equal(batch->entries[0].saved.seq, 2);
	assert_int_equal(batch->entries[1].saved.seq, 1);
	assert_int_equal(batch->entries[2].saved.seq, 3);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM conversations"), 3);
	assert_consistent();
}

static void a_batch_may_have_any_size(void **state)
{
	static const unsigned sizes[] = {1,  2,  3,  5,   7,   9,   31,
	                                 64, 65, 99, 255, 257, 499, 500};
	uint64_t sum = 0;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
		for (unsigned j = 0; j < sizes[i]; j++)
			put(1 + j, 1000 + j % (i + 1), NULL, "x");
		save();
		sum += batch_count_outcome(batch, OUTCOME_SAVED);
		batch_clear(batch);
	}
	assert_int_equal(chat_number("SELECT COUNT(*) FROM messages"), sum);
	assert_consistent();
}

static void a_conversation_with_oneself_has_one_member(void **state)
{
	(void)state;
	put(5, 5, NULL, "note");
	save();
	assert_int_equal(chat_number("SELECT COUNT(*) FROM members"), 1);
	assert_int_equal(chat_number("SELECT read_seq FROM members"), 1);
}

static void a_duplicate_gets_the_first_result(void **state)
{
	struct batch_entry *entry;
	struct saved_message first;
	struct uuid uuid;

	(void)state;
	uuid_make(&uuid);
	put(1, 2, &uuid, "as it was");
	save();
	first = batch->entries[0].saved;
	batch_clear(batch);
	put(1, 2, NULL, "new");
	entry = put(1, 2, &uuid, "another text");
	put(2, 1, &uuid, "another sender");
	save();
	assert_int_equal(entry->outcome, OUTCOME_DUPLICATE);
	assert_int_equal(entry->saved.id, first.id);
	assert_int_equal(entry->saved.seq, 1);
	assert_int_equal(entry->saved.conversation, first.conversation);
	assert_int_equal(entry->saved.created_at_ms, first.created_at_ms);
	assert_true(span_equal(entry->saved.message, SPAN("as it was")));
	assert_int_equal(batch->entries[0].saved.seq, 2);
	assert_int_equal(batch->entries[2].saved.seq, 3);
	assert_consistent();
}

/* Else the new recipient would read a message meant for the first one. */
static void a_duplicate_stays_with_its_first_recipient(void **state)
{
	struct batch_entry *entry;
	struct uuid uuid;

	(void)state;
	uuid_make(&uuid);
	put(1, 2, &uuid, "for two");
	save();
	batch_clear(batch);
	entry = put(1, 3, &uuid, "for three");
	put(1, 3, &uuid, "for three");
	save();
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(entry[i].outcome, OUTCOME_DUPLICATE);
		assert_int_equal(entry[i].saved.user_to, 2);
		assert_true(
			span_equal(entry[i].saved.message, SPAN("for two")));
	}
	assert_int_equal(chat_number("SELECT COUNT(*) FROM conversations"), 1);
}

static void duplicates_within_a_batch_are_saved_once(void **state)
{
	struct batch_entry *first, *second;
	struct uuid uuid;

	(void)state;
	uuid_make(&uuid);
	first = put(1, 2, &uuid, "first");
	put(1, 2, NULL, "between");
	second = put(1, 2, &uuid, "second");
	save();
	assert_int_equal(first->outcome, OUTCOME_SAVED);
	assert_int_equal(second->outcome, OUTCOME_DUPLICATE);
	assert_int_equal(second->saved.id, first->saved.id);
	assert_true(span_equal(second->saved.message, SPAN("first")));
	assert_int_equal(chat_number("SELECT COUNT(*) FROM messages"), 2);
	assert_consistent();
}

static void a_repeated_batch_changes_nothing(void **state)
{
	struct uuid uuid[BATCH_RECORDS_MAX];

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		batch_clear(batch);
		for (unsigned i = 0; i < BATCH_RECORDS_MAX; i++) {
			if (round == 0)
				uuid_make(&uuid[i]);
			put(1 + i % 7, 8 + i % 5, &uuid[i], "x");
		}
		save();
		assert_int_equal(
			batch_count_outcome(batch, round ? OUTCOME_DUPLICATE
		                                         : OUTCOME_SAVED),
			BATCH_RECORDS_MAX);
	}
	assert_int_equal(chat_number("SELECT COUNT(*) FROM messages"),
	                 BATCH_RECORDS_MAX);
	assert_consistent();
}

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
	chat_execute("SET SESSION"
	             " lock_wait_timeout = 1");
	chat_execute("ALTER TABLE"
	             " messages COMMENT = 'changed'");
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

static void every_text_is_stored_unchanged(void **state)
{
	static char longest[MESSAGE_TEXT_MAX + 1];
	static const char *const texts[] = {
		"x",
		"''; DROP TABLE messages; --",
		"\xF0\x9F\x90\xB3 \xC3\xA9",
		" blanks at the end  ",
		"\x01\x1f\x7f",
		longest,
	};
	struct uuid uuid[ARRAY_LEN(texts)];

	(void)state;
	memset(longest, 'y', MESSAGE_TEXT_MAX);
	for (unsigned round = 0; round < 2; round++) {
		batch_clear(batch);
		for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
			if (round == 0)
				uuid_make(&uuid[i]);
			put(1, 2, &uuid[i], texts[i]);
		}
		save();
	}
	for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(batch->entries[i].outcome, OUTCOME_DUPLICATE);
		assert_true(span_equal(batch->entries[i].saved.message,
		                       span_of(texts[i])));
	}
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
	chat_execute("DELETE FROM"
	             " messages WHERE seq = 2");
	chat_execute("UPDATE"
	             " conversations SET last_seq = 1");
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

static void a_block_in_a_batch_of_its_own_takes_effect(void **state)
{
	(void)state;
	put(1, 2, NULL, "before");
	save();
	assert_int_equal(batch->entries[0].outcome, OUTCOME_SAVED);
	batch_clear(batch);
	chat_execute("INSERT INTO blocks (user, blocked, created_at)"
	             " VALUES (2, 1, NOW())");
	put(2, 1, NULL, "")->record.kind = SAVE_BLOCKED;
	save();
	batch_clear(batch);
	put(1, 2, NULL, "after");
	save();
	assert_int_equal(batch->entries[0].outcome, OUTCOME_REFUSED);
	chat_execute("DELETE FROM"
	             " blocks");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_batch_gets_consecutive_seqs),
		TEST(the_next_batch_continues_the_seqs),
		TEST(a_batch_may_have_any_size),
		TEST(a_conversation_with_oneself_has_one_member),
		TEST(a_duplicate_gets_the_first_result),
		TEST(a_duplicate_stays_with_its_first_recipient),
		TEST(duplicates_within_a_batch_are_saved_once),
		TEST(a_repeated_batch_changes_nothing),
		TEST(the_search_for_duplicates_leaves_no_lock),
		TEST(a_poison_record_does_not_hold_up_the_others),
		TEST(a_cached_conversation_may_be_gone),
		TEST(every_text_is_stored_unchanged),
		TEST(a_batch_can_be_retried_after_a_lost_connection),
		TEST(a_new_connection_has_empty_caches),
		TEST(a_block_in_a_batch_of_its_own_takes_effect),
		TEST(a_transaction_sees_the_commits_of_another_process),
		TEST(competing_processes_lose_and_duplicate_nothing),
	};

	return cmocka_run_group_tests(tests, transaction_fixture_start,
	                              transaction_fixture_stop);
}
