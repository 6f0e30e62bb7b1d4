/*
 * The transaction and blocks, against a real server: every kind of record that
 * a block concerns, and a block list that changes while the pair is cached.
 */
#include "persistence-service/save/tests/transaction_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/*
 * Ann (1) and Bob (2) are the pair, and members of a group. Each row: who
 * blocks, what the blocked one gets for each kind of record that Ann sends.
 */
static void a_block_is_silence_in_the_pair_only(void **state)
{
	enum { SAVED = -1 };
	static const struct {
		const char *blocks;
		int message, edit, delete, react;
		bool receipt_heard;
	} rows[] = {
		{NULL, SAVED, SAVED, SAVED, SAVED, true},
		{"(2, 1, NOW(3))", FRAME_UNKNOWN_USER, FRAME_UNKNOWN_USER,
	         SAVED, FRAME_UNKNOWN_USER, false},
		{"(1, 2, NOW(3))", FRAME_NOT_ALLOWED, FRAME_NOT_ALLOWED, SAVED,
	         FRAME_NOT_ALLOWED, true},
		{"(1, 2, NOW(3)), (2, 1, NOW(3))", FRAME_UNKNOWN_USER,
	         FRAME_UNKNOWN_USER, SAVED, FRAME_UNKNOWN_USER, false},
		{"(3, 1, NOW(3)), (1, 3, NOW(3))", SAVED, SAVED, SAVED, SAVED,
	         true},
	};

	for (unsigned i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		bool in_group = i % 2, blocks = rows[i / 2].blocks && !in_group;
		uint64_t conversation = GROUP, user_to = in_group ? 0 : 2;
		const int wanted[] = {
			blocks ? rows[i / 2].message : SAVED,
			blocks ? rows[i / 2].edit : SAVED,
			blocks ? rows[i / 2].react : SAVED,
			blocks ? rows[i / 2].delete : SAVED,
		};

		(void)transaction_fixture_groups(state);
		put(1, 2, NULL, "before");
		say(1, GROUP, "before");
		save();
		if (!in_group)
			conversation = batch->entries[0].saved.conversation;
		batch_clear(batch);
		if (rows[i / 2].blocks)
			chat_execute("INSERT INTO blocks VALUES %s",
			             rows[i / 2].blocks);
		put(2, 1, NULL, "")->record.kind = SAVE_BLOCKED;
		if (in_group)
			say(1, GROUP, "hi");
		else
			put(1, 2, NULL, "hi");
		put_kind(SAVE_EDIT, 1, conversation, in_group ? 2 : 1)
			->record.message = SPAN("edited");
		put_kind(SAVE_REACT, 1, conversation, in_group ? 2 : 1)
			->record.reaction = SPAN("+1");
		put_kind(SAVE_DELETE, 1, conversation, in_group ? 2 : 1);
		put_kind(SAVE_READ, 1, conversation, 1);
		for (unsigned r = 2; r < batch->count; r++)
			batch->entries[r].record.user_to = user_to;
		save();
		for (unsigned r = 0; r < ARRAY_LEN(wanted); r++) {
			const struct batch_entry *entry =
				&batch->entries[r + 1];

			if (wanted[r] == SAVED)
				assert_int_equal(entry->outcome, OUTCOME_SAVED);
			else
				assert_refused(entry,
				               (enum frame_code)wanted[r]);
		}
		assert_int_equal(batch->entries[5].outcome, OUTCOME_NOTIFIED);
		assert_int_equal(batch->entries[5].sender_only,
		                 blocks && !rows[i / 2].receipt_heard);
		assert_consistent();
	}
}

/* Saved before the block; its answer was lost. */
static void a_duplicate_does_not_reach_a_user_who_blocks_meanwhile(void **state)
{
	const struct batch_entry *entry;
	struct uuid uuid;

	(void)state;
	uuid_make(&uuid);
	put(1, 2, &uuid, "hi");
	save();
	chat_execute("INSERT INTO blocks VALUES (2, 1, NOW(3))");
	for (unsigned round = 0; round < 2; round++) {
		batch_clear(batch);
		put(2, 1, NULL, "")->record.kind = SAVE_BLOCKED;
		entry = put(1, 2, &uuid, "hi");
		if (round == 1) { /* another duplicate is a conflict */
			put(1, 3, NULL, "new")->record.uuid = uuid;
			say(1, GROUP, "new");
		}
		save();
		assert_int_equal(entry->outcome, OUTCOME_DUPLICATE);
		assert_int_equal(entry->saved.seq, 1);
		assert_true(entry->sender_only);
	}
}

static void a_changed_block_list_evicts_the_pair(void **state)
{
	struct batch_entry *entry;

	(void)state;
	put(1, 2, NULL, "hi");
	save();
	batch_clear(batch);
	chat_execute("INSERT INTO blocks VALUES (2, 1, NOW(3))");
	put(2, 1, NULL, "")->record.kind = SAVE_BLOCKED;
	entry = put(1, 2, NULL, "hi");
	save();
	assert_refused(entry, FRAME_UNKNOWN_USER);
	batch_clear(batch);
	chat_execute("DELETE FROM blocks WHERE user = 2");
	put(2, 1, NULL, "")->record.kind = SAVE_BLOCKED;
	entry = put(1, 2, NULL, "hi");
	save();
	assert_int_equal(entry->saved.seq, 2);
	/* In a batch of its own, and by the other user. */
	batch_clear(batch);
	chat_execute("INSERT INTO blocks VALUES (1, 2, NOW(3))");
	put(1, 2, NULL, "")->record.kind = SAVE_BLOCKED;
	save();
	batch_clear(batch);
	entry = put(2, 1, NULL, "hi");
	save();
	assert_refused(entry, FRAME_UNKNOWN_USER);
	assert_consistent();
}

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
	chat_execute("DELETE FROM blocks");
}

#define TEST(name) cmocka_unit_test_setup(name, transaction_fixture_groups)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_block_is_silence_in_the_pair_only),
		TEST(a_duplicate_does_not_reach_a_user_who_blocks_meanwhile),
		TEST(a_changed_block_list_evicts_the_pair),
		TEST(a_block_in_a_batch_of_its_own_takes_effect),
	};

	return cmocka_run_group_tests(tests, transaction_fixture_start,
	                              transaction_fixture_stop);
}
