/*
 * The pass of the receipts alone, against a real server.
 */
#include "persistence-service/save/receipt/receipts.h"
#include "persistence-service/save/tests/pass_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { PAIR = 19, LAST_SEQ = 5 };

static struct receipts *receipts;

static enum status run(const struct attempt *attempt)
{
	return receipts_save(receipts, attempt);
}

static const struct pass pass = {.run = run};

static int start(void **state)
{
	(void)state;
	pass_fixture_start(&pass);
	receipts = receipts_create(sql, rosters);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	receipts_destroy(&receipts);
	pass_fixture_stop();
	return 0;
}

/* The group has five entries; so has the pair of 1 and 2. */
static int begin(void **state)
{
	(void)state;
	pass_fixture_empty();
	make_group_and_channel();
	chat_execute("INSERT INTO conversations (id, kind, ckey, last_seq,"
	             " last_message_id, created_by, created_at, member_count)"
	             " VALUES (19,1,'d:1:2',5,0,1,NOW(3),0)");
	chat_execute("INSERT INTO members (user, conversation, role, joined_at)"
	             " VALUES (1,19,1,NOW(3)),(2,19,1,NOW(3))");
	chat_execute("UPDATE conversations SET last_seq = 5 WHERE id = 17");
	return 0;
}

/* The rows of the members: all that a receipt may write. */
static void assert_stored(uint64_t user, uint64_t conversation,
                          uint64_t delivered, uint64_t seen)
{
	assert_int_equal(
		chat_number("SELECT GREATEST(delivered_seq, read_seq) * 1000 +"
	                    " read_seq FROM members WHERE user = %u"
	                    " AND conversation = %u",
	                    (unsigned)user, (unsigned)conversation),
		delivered * 1000 + seen);
}

static uint64_t stored_sum(void)
{
	return chat_number("SELECT CAST(SUM(delivered_seq + read_seq) AS"
	                   " UNSIGNED) FROM members");
}

static void a_batch_without_receipts_runs_no_statement(void **state)
{
	(void)state;
	pass_save();
	assert_int_equal(pass_statements(), 0);
	say(1, GROUP, "hi");
	edit(1, 2, "edited");
	react(1, 2, "a", false);
	put_kind(SAVE_DELETE, 1, GROUP, 2);
	put(1, 2, NULL, "")->record.kind = SAVE_BLOCKED;
	put_kind(SAVE_READ, 1, GROUP, 2)->outcome = OUTCOME_DEAD;
	pass_save();
	assert_int_equal(pass_statements(), 0);
	assert_int_equal(batch_count_outcome(batch, OUTCOME_OPEN), 5);
	assert_int_equal(stored_sum(), 0);
}

/* --- one receipt --------------------------------------------------------- */
/* The two numbers of 2 in the group, after each receipt of a history. */
static void receipts_only_rise_up_to_the_last_seq(void **state)
{
	static const struct {
		enum save_kind kind;
		uint64_t seq, delivered, read;
	} rows[] = {
		{SAVE_DELIVERED, 2, 2, 0}, {SAVE_DELIVERED, 1, 2, 0},
		{SAVE_READ, 1, 2, 1},      {SAVE_READ, 3, 3, 3},
		{SAVE_DELIVERED, 3, 3, 3}, {SAVE_READ, 2, 3, 3},
		{SAVE_DELIVERED, 4, 4, 3}, {SAVE_READ, 1000, 5, 5},
		{SAVE_DELIVERED, 9, 5, 5}, {SAVE_READ, UINT32_MAX, 5, 5},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		const struct batch_entry *entry;

		batch_clear(batch);
		entry = put_kind(rows[i].kind, 2, GROUP, rows[i].seq);
		pass_save();
		assert_int_equal(entry->outcome, OUTCOME_NOTIFIED);
		assert_int_equal(entry->receipt.conversation, GROUP);
		assert_int_equal(entry->receipt.user, 2);
		assert_int_equal(entry->receipt.delivered, rows[i].delivered);
		assert_int_equal(entry->receipt.read, rows[i].read);
		assert_int_equal(entry->roster->user_count, 3);
		assert_stored(2, GROUP, rows[i].delivered, rows[i].read);
	}
	assert_int_equal(chat_number("SELECT COUNT(*) FROM members"), 7);
}

static void a_receipt_is_for_all_members(void **state)
{
	static const struct {
		uint64_t conversation;
		unsigned users, targets;
	} rows[] = {{GROUP, 3, 0}, {PAIR, 2, 0}, {CHANNEL, 0, PARTITIONS}};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
		put_kind(SAVE_READ, 2, rows[i].conversation, 1);
	pass_save();
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		const struct batch_entry *entry = &batch->entries[i];

		assert_int_equal(entry->outcome, OUTCOME_NOTIFIED);
		assert_int_equal(entry->roster->user_count, rows[i].users);
		if (rows[i].targets)
			assert_int_equal(entry->roster->target_count,
			                 rows[i].targets);
	}
}

/* A user who blocks the sender of a receipt does not hear of it. */
static void a_block_hides_receipts_in_the_pair(void **state)
{
	static const struct {
		const char *blocks;
		uint64_t conversation;
		bool sender_only;
	} rows[] = {
		{NULL, PAIR, false},
		{"(2, 1, NOW(3))", PAIR, true},
		{"(1, 2, NOW(3))", PAIR, false},
		{"(1, 2, NOW(3)), (2, 1, NOW(3))", PAIR, true},
		{"(3, 1, NOW(3))", PAIR, false},
		{"(2, 1, NOW(3)), (3, 1, NOW(3))", GROUP, false},
		{"(2, 1, NOW(3))", CHANNEL, false},
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		const struct batch_entry *entry;

		(void)begin(state);
		if (rows[i].blocks)
			chat_execute("INSERT INTO blocks VALUES %s",
			             rows[i].blocks);
		entry = put_kind(SAVE_READ, 1, rows[i].conversation, 1);
		pass_save();
		assert_int_equal(entry->outcome, OUTCOME_NOTIFIED);
		assert_int_equal(entry->receipt.read, 1);
		assert_int_equal(entry->sender_only, rows[i].sender_only);
	}
}

/* --- refusals ------------------------------------------------------------ */
static void a_refused_receipt_leaves_the_others_alone(void **state)
{
	static const struct {
		const char *arise; /* SQL that makes it one to refuse */
		uint64_t sender, conversation;
	} rows[] = {
		{NULL, STRANGER, GROUP},
		{NULL, STRANGER, CHANNEL},
		{NULL, STRANGER, PAIR},
		{NULL, 1, 99},
		{"DELETE FROM members WHERE conversation = 17 AND user = 3", 3,
	         GROUP},
		{"UPDATE conversations SET deleted_at = NOW(3) WHERE id = 17",
	         1, GROUP},
		{"DELETE FROM conversations WHERE id = 17", 1, GROUP},
	};

	for (unsigned i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		enum save_kind kind = i % 2 ? SAVE_READ : SAVE_DELIVERED;
		const struct batch_entry *at = batch->entries;

		(void)begin(state);
		if (rows[i / 2].arise)
			chat_execute("%s", rows[i / 2].arise);
		put_kind(SAVE_READ, 2, PAIR, 2);
		put_kind(kind, rows[i / 2].sender, rows[i / 2].conversation, 1);
		put_kind(SAVE_DELIVERED, 2, CHANNEL, 1);
		pass_save();
		assert_refused(&at[1], FRAME_UNKNOWN_CONVERSATION);
		assert_null(at[1].roster);
		assert_int_equal(at[0].outcome, OUTCOME_NOTIFIED);
		assert_int_equal(at[0].receipt.read, 2);
		assert_int_equal(at[2].outcome, OUTCOME_NOTIFIED);
		assert_int_equal(at[2].receipt.delivered, 1);
		assert_int_equal(stored_sum(), 2 + 2 + 1);
		assert_int_equal(chat_number("SELECT COUNT(*) FROM members"
		                             " WHERE user = 9"),
		                 0);
	}
}

/* --- many in a batch ----------------------------------------------------- */
/* The last receipt of a user in a conversation has the highest numbers. */
static void receipts_of_one_member_merge(void **state)
{
	static const struct {
		struct {
			enum save_kind kind;
			uint64_t seq;
		} sent[3];
		uint64_t delivered, read;
	} rows[] = {
		{{{SAVE_READ, 2}, {SAVE_DELIVERED, 4}, {SAVE_READ, 3}}, 4, 3},
		{{{SAVE_READ, 3}, {SAVE_READ, 2}, {SAVE_READ, 1}}, 3, 3},
		{{{SAVE_READ, 4}, {SAVE_DELIVERED, 1}, {SAVE_DELIVERED, 2}},
	         4,
	         4},
		{{{SAVE_DELIVERED, 1}, {SAVE_DELIVERED, 1}, {SAVE_READ, 1}},
	         1,
	         1},
		{{{SAVE_DELIVERED, 3},
	          {SAVE_DELIVERED, 2},
	          {SAVE_DELIVERED, 1}},
	         3,
	         0},
		{{{SAVE_READ, 900}, {SAVE_READ, 1}, {SAVE_DELIVERED, 2}},
	         LAST_SEQ,
	         LAST_SEQ},
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		const struct batch_entry *at = batch->entries;

		(void)begin(state);
		for (unsigned j = 0; j < 3; j++) {
			put_kind(rows[i].sent[j].kind, 2, GROUP,
			         rows[i].sent[j].seq);
			put_kind(SAVE_READ, 3, GROUP, 1); /* another member */
			put_kind(SAVE_READ, 2, PAIR, 1);
		}
		pass_save();
		assert_int_equal(batch_count_outcome(batch, OUTCOME_DONE), 6);
		assert_int_equal(batch_count_outcome(batch, OUTCOME_NOTIFIED),
		                 3);
		assert_int_equal(at[6].outcome, OUTCOME_NOTIFIED);
		assert_int_equal(at[6].receipt.delivered, rows[i].delivered);
		assert_int_equal(at[6].receipt.read, rows[i].read);
		assert_int_equal(at[7].outcome, OUTCOME_NOTIFIED);
		assert_int_equal(at[8].outcome, OUTCOME_NOTIFIED);
		assert_stored(2, GROUP, rows[i].delivered, rows[i].read);
		assert_stored(3, GROUP, 1, 1);
		assert_stored(2, PAIR, 1, 1);
	}
}

static void a_batch_may_be_full_of_receipts(void **state)
{
	enum { FIRST = 1000 };

	(void)state;
	chat_execute(
		"INSERT INTO members (user, conversation, joined_at) SELECT"
		" 999 + seq, 17, NOW(3) FROM " CHAT_NUMBERS_TO(500));
	for (unsigned i = 0; i < BATCH_RECORDS_MAX; i++)
		put_kind(i % 2 ? SAVE_READ : SAVE_DELIVERED,
		         FIRST + BATCH_RECORDS_MAX - 1 - i, GROUP, 1 + i % 5);
	pass_save();
	assert_int_equal(batch_count_outcome(batch, OUTCOME_NOTIFIED),
	                 BATCH_RECORDS_MAX);
	for (unsigned i = 0; i < BATCH_RECORDS_MAX; i++) {
		const struct receipt *receipt = &batch->entries[i].receipt;

		assert_int_equal(receipt->user,
		                 FIRST + BATCH_RECORDS_MAX - 1 - i);
		assert_int_equal(receipt->delivered, 1 + i % 5);
		assert_int_equal(receipt->read, i % 2 ? 1 + i % 5 : 0);
	}
}

static void a_repeated_batch_changes_nothing(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		batch_clear(batch);
		put_kind(SAVE_DELIVERED, 1, GROUP, 4);
		put_kind(SAVE_READ, 1, GROUP, 2);
		put_kind(SAVE_READ, 2, PAIR, 3);
		put_kind(SAVE_READ, STRANGER, PAIR, 3);
		pass_save();
		assert_int_equal(batch->entries[0].outcome, OUTCOME_DONE);
		assert_int_equal(batch->entries[1].receipt.delivered, 4);
		assert_int_equal(batch->entries[1].receipt.read, 2);
		assert_int_equal(batch->entries[2].receipt.read, 3);
		assert_refused(&batch->entries[3], FRAME_UNKNOWN_CONVERSATION);
		assert_int_equal(stored_sum(), 4 + 2 + 3 + 3);
	}
}

/* A receipt has no uuid that could name something else. */
static void a_uuid_of_a_receipt_means_nothing(void **state)
{
	struct batch_entry *entry;

	(void)state;
	chat_execute("UPDATE messages SET uuid ="
	             " UNHEX('01020304050607080102030405060708')"
	             " WHERE conversation = 17 AND seq = 1");
	entry = put_kind(SAVE_READ, 1, GROUP, 1);
	entry->record.uuid =
		(struct uuid){{1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8}};
	pass_save();
	assert_int_equal(entry->outcome, OUTCOME_NOTIFIED);
}

/* --- attempts that fail -------------------------------------------------- */
static void a_rolled_back_attempt_leaves_nothing(void **state)
{
	(void)state;
	chat_execute("INSERT INTO blocks VALUES (2, 1, NOW(3))");
	put_kind(SAVE_READ, 1, PAIR, 5);
	put_kind(SAVE_DELIVERED, 2, GROUP, 3);
	put_kind(SAVE_READ, 2, GROUP, 1);
	put_kind(SAVE_READ, STRANGER, GROUP, 1);
	for (unsigned i = 0; i < 2; i++) {
		pass_save_in_vain();
		assert_int_equal(batch_count_outcome(batch, OUTCOME_OPEN), 4);
		assert_int_equal(stored_sum(), 0);
		for (unsigned j = 0; j < batch->count; j++) {
			assert_null(batch->entries[j].roster);
			assert_false(batch->entries[j].sender_only);
		}
	}
	chat_execute("DELETE FROM blocks WHERE user = 2");
	remove_member(3);
	pass_save();
	assert_int_equal(batch->entries[0].receipt.read, 5);
	assert_false(batch->entries[0].sender_only);
	assert_int_equal(batch->entries[1].outcome, OUTCOME_DONE);
	assert_int_equal(batch->entries[2].receipt.delivered, 3);
	assert_int_equal(batch->entries[2].receipt.read, 1);
	assert_int_equal(batch->entries[2].roster->user_count, 2);
	assert_refused(&batch->entries[3], FRAME_UNKNOWN_CONVERSATION);
}

static void an_abandoned_attempt_leaves_nothing(void **state)
{
	const struct batch_entry *entry;

	(void)state;
	put_kind(SAVE_READ, 2, GROUP, 5);
	pass_save_in_vain();
	batch_clear(batch);
	entry = put_kind(SAVE_DELIVERED, 2, GROUP, 1);
	pass_save();
	assert_int_equal(entry->receipt.delivered, 1);
	assert_int_equal(entry->receipt.read, 0);
	assert_stored(2, GROUP, 1, 0);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_batch_without_receipts_runs_no_statement),
		TEST(receipts_only_rise_up_to_the_last_seq),
		TEST(a_receipt_is_for_all_members),
		TEST(a_block_hides_receipts_in_the_pair),
		TEST(a_refused_receipt_leaves_the_others_alone),
		TEST(receipts_of_one_member_merge),
		TEST(a_batch_may_be_full_of_receipts),
		TEST(a_repeated_batch_changes_nothing),
		TEST(a_uuid_of_a_receipt_means_nothing),
		TEST(a_rolled_back_attempt_leaves_nothing),
		TEST(an_abandoned_attempt_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
