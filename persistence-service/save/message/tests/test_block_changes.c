/*
 * The pass of the changed block lists alone, against a real server.
 */
#include "persistence-service/save/message/block_changes.h"
#include "persistence-service/save/tests/pass_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct block_changes *blocks;

static enum status run(const struct attempt *attempt)
{
	return block_changes_read(blocks, attempt);
}

static const struct pass pass = {.run = run};

static int start(void **state)
{
	(void)state;
	pass_fixture_start(&pass);
	blocks = block_changes_create(sql);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	block_changes_destroy(&blocks);
	pass_fixture_stop();
	return 0;
}

static int begin(void **state)
{
	(void)state;
	pass_fixture_empty();
	chat_execute("INSERT INTO blocks VALUES (2, 1, NOW(3)),"
	             " (3, 1, NOW(3)), (2, 9, NOW(3)), (7, 8, NOW(3))");
	return 0;
}

static struct batch_entry *put_change(uint64_t user, uint64_t other)
{
	struct batch_entry *entry = put(user, other, NULL, "");

	entry->record.kind = SAVE_BLOCKED;
	return entry;
}

static void assert_answer(const struct batch_entry *entry, const char *wanted)
{
	assert_int_equal(entry->outcome, OUTCOME_NOTIFIED);
	if (!span_equal(entry->answer, span_of(wanted)))
		fail_msg("%.*s is not %s", (int)entry->answer.len,
		         entry->answer.data, wanted);
}

static void a_batch_without_block_changes_runs_no_statement(void **state)
{
	(void)state;
	pass_save();
	assert_int_equal(pass_statements(), 0);
	put(2, 1, NULL, "hi");
	put_kind(SAVE_READ, 1, GROUP, 1);
	edit(1, 2, "edited");
	pass_save();
	assert_int_equal(pass_statements(), 0);
	assert_int_equal(batch_count_outcome(batch, OUTCOME_OPEN), 3);
}

/* In any order, with repetitions: the state that the database has. */
static void each_change_is_answered_with_the_state(void **state)
{
	static const struct {
		uint64_t user, other;
		const char *answer;
	} rows[] = {
		{2, 1, "+2"},
		{1, 2, "-1"},
		{9, 2, "-9"},
		{2, 9, "+2"},
		{2, 1, "+2"},
		{3, 1, "+3"},
		{1, 3, "-1"},
		{7, 7, "-7"},
		{7, 8, "+7"},
		{1, 2, "-1"},
		{8, 7, "-8"},
		{50, 60, "-50"},
		{9007199254740991, 1, "-9007199254740991"},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
		put_change(rows[i].user, rows[i].other);
	pass_save();
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
		assert_answer(&batch->entries[i], rows[i].answer);
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) { /* each alone */
		batch_clear(batch);
		put_change(rows[i].user, rows[i].other);
		pass_save();
		assert_answer(&batch->entries[0], rows[i].answer);
	}
}

static void a_batch_may_be_full_of_block_changes(void **state)
{
	char wanted[16];

	(void)state;
	chat_execute("INSERT INTO blocks SELECT 1000 + seq, 1, NOW(3)"
	             " FROM " CHAT_NUMBERS_TO(500) " WHERE seq %% 2 = 0");
	for (unsigned i = BATCH_RECORDS_MAX; i > 0; i--)
		put_change(1000 + i, 1);
	pass_save();
	for (unsigned i = 0; i < BATCH_RECORDS_MAX; i++) {
		unsigned user = 1000 + BATCH_RECORDS_MAX - i;

		(void)snprintf(wanted, sizeof(wanted), "%c%u",
		               user % 2 ? '-' : '+', user);
		assert_answer(&batch->entries[i], wanted);
	}
}

/* The next attempt reads again. */
static void a_rolled_back_attempt_leaves_nothing(void **state)
{
	(void)state;
	put_change(2, 1);
	put_change(1, 2);
	pass_save_in_vain();
	assert_int_equal(batch_count_outcome(batch, OUTCOME_OPEN), 2);
	assert_int_equal(text_store_bytes(batch->texts), 0);
	chat_execute("DELETE FROM blocks WHERE user = 2");
	chat_execute("INSERT INTO blocks VALUES (1, 2, NOW(3))");
	pass_save();
	assert_answer(&batch->entries[0], "-2");
	assert_answer(&batch->entries[1], "+1");
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_batch_without_block_changes_runs_no_statement),
		TEST(each_change_is_answered_with_the_state),
		TEST(a_batch_may_be_full_of_block_changes),
		TEST(a_rolled_back_attempt_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
