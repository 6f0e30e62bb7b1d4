/*
 * The pass of the messages alone, against a real server: each reason to refuse
 * one. A refused message does not disturb the others of its batch, writes
 * nothing, and is no refusal when it was saved before the reason arose.
 */
#include "persistence-service/save/message/tests/messages_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The id of the pair of 1 and 2 is known later. */
enum { PAIR = 1000000 };

#define HEX_UUID "UNHEX('01020304050607080102030405060708')"
static const struct uuid uuid = {
	{1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8}};

/* What makes the message one to refuse. */
static void two_blocks_one(struct batch_entry *entry)
{
	(void)entry;
	chat_execute("INSERT INTO blocks VALUES (2, 1, NOW(3))");
}

static void one_blocks_two(struct batch_entry *entry)
{
	(void)entry;
	chat_execute("INSERT INTO blocks VALUES (1, 2, NOW(3))");
}

static void both_block(struct batch_entry *entry)
{
	two_blocks_one(entry);
	one_blocks_two(entry);
}

static void three_leaves(struct batch_entry *entry)
{
	(void)entry;
	remove_member(3);
}

static void the_group_ends(struct batch_entry *entry)
{
	(void)entry;
	remove_member(3);
	chat_execute("UPDATE conversations SET deleted_at = NOW(3)"
	             " WHERE id = 17");
}

/* As long as the row is cached, its last_seq is not touched. */
static void the_group_is_gone(struct batch_entry *entry)
{
	(void)entry;
	chat_execute("DELETE FROM conversations WHERE id = 17");
	chat_execute("DELETE FROM members WHERE conversation = 17");
	chat_execute("DELETE FROM messages WHERE conversation = 17");
}

static void three_sees_from_here(struct batch_entry *entry)
{
	(void)entry;
	chat_execute("UPDATE members SET from_seq = 2"
	             " WHERE conversation = 17 AND user = 3");
}

static void was_refused(struct batch_entry *entry)
{
	tell_refusal(entry, "unknown_user");
}

static void was_refused_by_another_version(struct batch_entry *entry)
{
	tell_refusal(entry, "of_the_future");
}

static void a_change_has_the_uuid(struct batch_entry *entry)
{
	(void)entry;
	chat_execute("INSERT INTO messages (conversation, seq, sender, uuid,"
	             " created_at, body, kind) VALUES (0, 7, 1, " HEX_UUID
	             ", NOW(3), '', 3)");
}

static void the_group_has_the_uuid(struct batch_entry *entry)
{
	(void)entry;
	chat_execute("UPDATE messages SET uuid = " HEX_UUID
	             " WHERE conversation = 17 AND seq = 1");
}

static const struct row {
	const char *what;
	void (*arise)(struct batch_entry *entry);
	uint64_t sender, user_to, conversation, reply_to;
	enum frame_code code;
	bool sender_only;
	bool saved_before; /* it may be, to where the row sends it */
} rows[] = {
	{"blocked", two_blocks_one, 1, 2, 0, 0, FRAME_UNKNOWN_USER, true, true},
	{"blocking", one_blocks_two, 1, 2, 0, 0, FRAME_NOT_ALLOWED, false,
         true},
	{"both block", both_block, 1, 2, 0, 0, FRAME_UNKNOWN_USER, true, true},
	{"a stranger in a group", NULL, STRANGER, 0, GROUP, 0,
         FRAME_UNKNOWN_CONVERSATION, false, false},
	{"a stranger in a channel", NULL, STRANGER, 0, CHANNEL, 0,
         FRAME_UNKNOWN_CONVERSATION, false, false},
	{"no such conversation", NULL, 1, 0, 99, 0, FRAME_UNKNOWN_CONVERSATION,
         false, false},
	{"removed", three_leaves, 3, 0, GROUP, 0, FRAME_UNKNOWN_CONVERSATION,
         false, true},
	{"a group that ended", the_group_ends, 1, 0, GROUP, 0,
         FRAME_UNKNOWN_CONVERSATION, false, true},
	{"a group without rows", the_group_is_gone, 1, 0, GROUP, 0,
         FRAME_UNKNOWN_CONVERSATION, false, false},
	{"a pair by its id", NULL, 2, 0, PAIR, 0, FRAME_UNAVAILABLE, false,
         false},
	{"another's pair by its id", NULL, STRANGER, 0, PAIR, 0,
         FRAME_UNAVAILABLE, false, false},
	{"a reply to an entry about members", NULL, 2, 0, GROUP, 1,
         FRAME_UNKNOWN_MESSAGE, false, false},
	{"a reply to what is to come", NULL, 2, 0, GROUP, 4,
         FRAME_UNKNOWN_MESSAGE, false, false},
	{"a reply to what came before", three_sees_from_here, 3, 0, GROUP, 2,
         FRAME_UNKNOWN_MESSAGE, false, true},
	{"a reply to a message elsewhere", NULL, 1, 2, 0, 2,
         FRAME_UNKNOWN_MESSAGE, false, false},
	{"refused before", was_refused, 1, 0, GROUP, 0, FRAME_UNKNOWN_USER,
         false, true},
	{"refused before by another version", was_refused_by_another_version, 1,
         0, GROUP, 0, FRAME_NOT_STORABLE, false, true},
	{"the uuid of a change", a_change_has_the_uuid, 1, 0, GROUP, 0,
         FRAME_BAD_UUID, false, false},
	{"the uuid of a change, in a pair", a_change_has_the_uuid, 1, 2, 0, 0,
         FRAME_BAD_UUID, false, false},
	{"the uuid of a group", the_group_has_the_uuid, 1, 2, 0, 0,
         FRAME_BAD_UUID, false, false},
};

/* --- one row ------------------------------------------------------------- */
static struct batch_entry *put_row(const struct row *row, uint64_t pair)
{
	struct batch_entry *entry =
		put(row->sender, row->user_to, &uuid, "a message");

	entry->record.conversation =
		row->conversation == PAIR ? pair : row->conversation;
	entry->record.reply_to = row->reply_to;
	return entry;
}

/* The pair, the group and the channel have a message each, and are cached. */
static uint64_t begin(void **state)
{
	uint64_t pair;

	(void)messages_fixture_empty(state);
	put(1, 2, NULL, "before");
	say(1, GROUP, "before");
	say(1, CHANNEL, "before");
	pass_save();
	pair = batch->entries[0].saved.conversation;
	batch_clear(batch);
	return pair;
}

/* A cached block is evicted, as a changed block list does. */
static void arise(const struct row *row, struct batch_entry *entry, bool cached)
{
	if (row->arise)
		row->arise(entry);
	messages_evict_pair(messages, 1, 2);
	if (!cached)
		messages_fixture_evict();
}

static void check_refused(const struct row *row, const struct batch_entry *at)
{
	for (unsigned i = 1; i <= 2; i++) {
		if (at[i].outcome != OUTCOME_REFUSED || at[i].code != row->code)
			fail_msg("%s: outcome %d, code %d", row->what,
			         (int)at[i].outcome, (int)at[i].code);
		assert_non_null(at[i].why);
		assert_int_equal(at[i].sender_only, row->sender_only);
	}
}

static void a_refused_message_leaves_the_others_alone(void **state)
{
	for (unsigned i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i / 2];
		uint64_t pair = begin(state), before;
		const struct batch_entry *at = batch->entries;

		put(1, 3, NULL, "good");
		arise(row, put_row(row, pair), i % 2);
		put_row(row, pair);
		batch->entries[2].partition = batch->entries[1].partition;
		say(2, CHANNEL, "good");
		before = chat_number("SELECT COUNT(*) FROM messages");
		pass_save_in_vain();
		pass_save();
		check_refused(row, at);
		assert_int_equal(at[0].outcome, OUTCOME_SAVED);
		assert_int_equal(at[0].saved.seq, 1);
		assert_int_equal(at[3].outcome, OUTCOME_SAVED);
		assert_int_equal(at[3].saved.seq, 3);
		assert_int_equal(chat_number("SELECT COUNT(*) FROM messages"),
		                 before + 2);
		assert_int_equal(
			chat_number("SELECT COUNT(*) FROM conversations"
		                    " WHERE kind = 1"),
			2);
		assert_consistent();
	}
}

/* Alone, there is nothing to write. */
static void a_refused_message_alone_writes_nothing(void **state)
{
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t pair = begin(state), before;
		struct batch_entry *entry = put_row(&rows[i], pair);

		arise(&rows[i], entry, true);
		before = chat_number("SELECT COUNT(*) FROM messages");
		pass_save();
		if (entry->outcome != OUTCOME_REFUSED ||
		    entry->code != rows[i].code)
			fail_msg("%s: outcome %d, code %d", rows[i].what,
			         (int)entry->outcome, (int)entry->code);
		assert_int_equal(chat_number("SELECT COUNT(*) FROM messages"),
		                 before);
		assert_consistent();
	}
}

static void a_message_that_was_saved_before_is_a_duplicate(void **state)
{
	unsigned checked = 0;

	for (unsigned i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i / 2];
		struct batch_entry *entry;
		struct saved_message first;
		uint64_t pair;

		if (!row->saved_before)
			continue;
		checked++;
		pair = begin(state);
		(void)put_row(row, pair);
		pass_save();
		first = batch->entries[0].saved;
		assert_int_equal(batch->entries[0].outcome, OUTCOME_SAVED);
		batch_clear(batch);
		entry = put_row(row, pair);
		entry->record.message = SPAN("another text");
		arise(row, entry, i % 2);
		say(2, CHANNEL, "good");
		pass_save();
		if (entry->outcome != OUTCOME_DUPLICATE)
			fail_msg("%s: outcome %d", row->what,
			         (int)entry->outcome);
		assert_int_equal(entry->sender_only, row->sender_only);
		assert_int_equal(entry->saved.id, first.id);
		assert_int_equal(entry->saved.seq, first.seq);
		assert_true(
			span_equal(entry->saved.message, SPAN("a message")));
		assert_int_equal(batch->entries[1].saved.seq, 3);
		assert_consistent();
	}
	assert_true(checked > 0);
}

/* --- more ---------------------------------------------------------------- */
static void a_non_member_gets_the_error_of_a_missing_conversation(void **state)
{
	const struct batch_entry *stranger = say(STRANGER, GROUP, "hi");
	const struct batch_entry *absent = say(1, 99, "hi");
	const struct batch_entry *member = say(1, GROUP, "hi");

	(void)state;
	pass_save();
	assert_refused(stranger, FRAME_UNKNOWN_CONVERSATION);
	assert_refused(absent, FRAME_UNKNOWN_CONVERSATION);
	assert_string_equal(stranger->why, absent->why);
	assert_int_equal(member->saved.seq, 2);
}

static void a_blocked_message_makes_no_conversation(void **state)
{
	const struct batch_entry *entry;

	(void)state;
	two_blocks_one(NULL);
	entry = put(1, 2, NULL, "hi");
	put(3, 2, NULL, "hi");
	pass_save();
	assert_refused(entry, FRAME_UNKNOWN_USER);
	assert_string_equal(entry->why, "there is no such user");
	assert_int_equal(chat_number("SELECT COUNT(*) FROM conversations WHERE"
	                             " kind = 1"),
	                 1);
	assert_consistent();
}

static void a_block_that_ends_lets_the_next_message_through(void **state)
{
	struct batch_entry *entry;

	(void)begin(state);
	two_blocks_one(NULL);
	messages_evict_pair(messages, 2, 1);
	entry = put(1, 2, NULL, "hi");
	pass_save();
	assert_refused(entry, FRAME_UNKNOWN_USER);
	batch_clear(batch);
	chat_execute("DELETE FROM blocks WHERE user = 2");
	messages_evict_pair(messages, 2, 1);
	entry = put(1, 2, NULL, "hi");
	pass_save();
	assert_int_equal(entry->outcome, OUTCOME_SAVED);
	assert_int_equal(entry->saved.seq, 2);
}

#define TEST(name) cmocka_unit_test_setup(name, messages_fixture_empty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_refused_message_leaves_the_others_alone),
		TEST(a_refused_message_alone_writes_nothing),
		TEST(a_message_that_was_saved_before_is_a_duplicate),
		TEST(a_non_member_gets_the_error_of_a_missing_conversation),
		TEST(a_blocked_message_makes_no_conversation),
		TEST(a_block_that_ends_lets_the_next_message_through),
	};

	return cmocka_run_group_tests(tests, messages_fixture_start,
	                              messages_fixture_stop);
}
