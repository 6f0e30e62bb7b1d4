/*
 * The pass of the changes alone, against a real server: each reason to refuse
 * one. A refused change leaves the others of its batch alone, writes nothing,
 * and is no refusal when it was saved before the reason arose.
 */
#include "common/base/mem.h"
#include "persistence-service/save/change/tests/changes_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define HEX_UUID "UNHEX('01020304050607080102030405060708')"
static const struct uuid uuid = {
	{1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8}};

/* --- reasons ------------------------------------------------------------- */
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

static void three_sees_from_here(struct batch_entry *entry)
{
	(void)entry;
	chat_execute("UPDATE members SET from_seq = 2"
	             " WHERE conversation = 17 AND user = 3");
}

static void two_is_deleted(struct batch_entry *entry)
{
	(void)entry;
	chat_execute("UPDATE messages SET deleted_at = NOW(3), body = ''"
	             " WHERE conversation = 17 AND seq = 2");
}

static void two_has_three_reactions(struct batch_entry *entry)
{
	(void)entry;
	chat_execute("INSERT INTO reactions VALUES (17, 2, 'a', 1),"
	             " (17, 2, 'b', 1), (17, 2, 'c', 2)");
}

static void was_refused(struct batch_entry *entry)
{
	tell_refusal(entry, "unknown_conversation");
}

static void a_message_has_the_uuid(struct batch_entry *entry)
{
	(void)entry;
	chat_execute("UPDATE messages SET uuid = " HEX_UUID
	             " WHERE conversation = 17 AND seq = 3");
}

static void a_change_of_members_has_the_uuid(struct batch_entry *entry)
{
	(void)entry;
	chat_execute("UPDATE messages SET uuid = " HEX_UUID
	             ", sender = 3 WHERE conversation = 17 AND seq = 1");
}

static void insert_change(const char *values)
{
	chat_execute("INSERT INTO messages (conversation, seq, sender, uuid,"
	             " created_at, body, kind)"
	             " VALUES (0, 7, 3, " HEX_UUID ", NOW(3), '', 3)");
	chat_execute("INSERT INTO revisions (conversation, seq, revision, kind,"
	             " sender, uuid, created_at) VALUES (%s, 3, " HEX_UUID
	             ", NOW(3))",
	             values);
}

static void an_edit_of_another_message_has_the_uuid(struct batch_entry *entry)
{
	(void)entry;
	insert_change("17, 3, 0, 1");
}

static void an_edit_elsewhere_has_the_uuid(struct batch_entry *entry)
{
	(void)entry;
	insert_change("18, 2, 0, 1");
}

static void a_reaction_has_the_uuid(struct batch_entry *entry)
{
	(void)entry;
	insert_change("17, 2, 0, 3");
}

/* An older version inserts no row in messages. */
static void an_old_deletion_has_the_uuid(struct batch_entry *entry)
{
	(void)entry;
	insert_change("17, 2, 0, 2");
	chat_execute("DELETE FROM messages WHERE conversation = 0");
}

static const struct row {
	const char *what;
	void (*arise)(struct batch_entry *entry);
	enum save_kind kind;
	uint64_t sender, user_to, conversation, seq;
	enum frame_code code;
	bool saved_before; /* it may be, before the reason arises */
} rows[] = {
	{"no member", NULL, SAVE_EDIT, STRANGER, 0, GROUP, 2,
         FRAME_UNKNOWN_CONVERSATION, false},
	{"no member, deletes", NULL, SAVE_DELETE, STRANGER, 0, GROUP, 2,
         FRAME_UNKNOWN_CONVERSATION, false},
	{"no member of a channel", NULL, SAVE_REACT, STRANGER, 0, CHANNEL, 2,
         FRAME_UNKNOWN_CONVERSATION, false},
	{"no conversation", NULL, SAVE_REACT, 1, 0, 99, 1,
         FRAME_UNKNOWN_CONVERSATION, false},
	{"removed, edits", three_leaves, SAVE_EDIT, 3, 0, GROUP, 2,
         FRAME_UNKNOWN_CONVERSATION, true},
	{"removed, deletes", three_leaves, SAVE_DELETE, 3, 0, GROUP, 2,
         FRAME_UNKNOWN_CONVERSATION, true},
	{"removed, reacts", three_leaves, SAVE_REACT, 3, 0, GROUP, 2,
         FRAME_UNKNOWN_CONVERSATION, true},
	{"a group that ended", the_group_ends, SAVE_REACT, 1, 0, GROUP, 4,
         FRAME_UNKNOWN_CONVERSATION, true},
	{"a pair by its id", NULL, SAVE_EDIT, 1, 0, PAIR, 1, FRAME_UNAVAILABLE,
         false},
	{"a pair by another user", NULL, SAVE_EDIT, 1, 3, PAIR, 1,
         FRAME_UNKNOWN_CONVERSATION, false},
	{"a group by a user", NULL, SAVE_EDIT, 3, 1, GROUP, 2,
         FRAME_UNKNOWN_CONVERSATION, false},
	{"blocked, edits", two_blocks_one, SAVE_EDIT, 1, 2, PAIR, 1,
         FRAME_UNKNOWN_USER, true},
	{"blocked, reacts", two_blocks_one, SAVE_REACT, 1, 2, PAIR, 1,
         FRAME_UNKNOWN_USER, true},
	{"blocking, edits", one_blocks_two, SAVE_EDIT, 1, 2, PAIR, 1,
         FRAME_NOT_ALLOWED, true},
	{"blocking, reacts", one_blocks_two, SAVE_REACT, 1, 2, PAIR, 1,
         FRAME_NOT_ALLOWED, true},
	{"both block, edits", both_block, SAVE_EDIT, 1, 2, PAIR, 1,
         FRAME_UNKNOWN_USER, true},
	{"both block, reacts", both_block, SAVE_REACT, 1, 2, PAIR, 1,
         FRAME_UNKNOWN_USER, true},
	{"no message", NULL, SAVE_DELETE, 3, 0, GROUP, 77,
         FRAME_UNKNOWN_MESSAGE, false},
	{"an entry about members, edited", NULL, SAVE_EDIT, 1, 0, GROUP, 1,
         FRAME_UNKNOWN_MESSAGE, false},
	{"an entry about members, deleted", NULL, SAVE_DELETE, 1, 0, GROUP, 1,
         FRAME_UNKNOWN_MESSAGE, false},
	{"an entry about members, reacted to", NULL, SAVE_REACT, 2, 0, GROUP, 1,
         FRAME_UNKNOWN_MESSAGE, false},
	{"from before the member joined", three_sees_from_here, SAVE_REACT, 3,
         0, GROUP, 2, FRAME_UNKNOWN_MESSAGE, true},
	{"deleted, edited", two_is_deleted, SAVE_EDIT, 3, 0, GROUP, 2,
         FRAME_UNKNOWN_MESSAGE, true},
	{"deleted, deleted", two_is_deleted, SAVE_DELETE, 3, 0, GROUP, 2,
         FRAME_UNKNOWN_MESSAGE, true},
	{"deleted, reacted to", two_is_deleted, SAVE_REACT, 1, 0, GROUP, 2,
         FRAME_UNKNOWN_MESSAGE, true},
	{"an admin edits another's", NULL, SAVE_EDIT, 2, 0, GROUP, 2,
         FRAME_NOT_ALLOWED, false},
	{"a member deletes another's", NULL, SAVE_DELETE, 3, 0, GROUP, 4,
         FRAME_NOT_ALLOWED, false},
	{"the other user of a pair deletes", NULL, SAVE_DELETE, 2, 1, PAIR, 1,
         FRAME_NOT_ALLOWED, false},
	{"the other user of a pair edits", NULL, SAVE_EDIT, 2, 1, PAIR, 1,
         FRAME_NOT_ALLOWED, false},
	{"one reaction too many", two_has_three_reactions, SAVE_REACT, 3, 0,
         GROUP, 2, FRAME_TOO_MANY, false},
	{"refused before, edits", was_refused, SAVE_EDIT, 3, 0, GROUP, 2,
         FRAME_UNKNOWN_CONVERSATION, true},
	{"refused before, deletes", was_refused, SAVE_DELETE, 3, 0, GROUP, 2,
         FRAME_UNKNOWN_CONVERSATION, true},
	{"refused before, reacts", was_refused, SAVE_REACT, 1, 0, GROUP, 2,
         FRAME_UNKNOWN_CONVERSATION, true},
	{"the uuid of a message", a_message_has_the_uuid, SAVE_EDIT, 3, 0,
         GROUP, 2, FRAME_BAD_UUID, false},
	{"the uuid of the message itself", a_message_has_the_uuid, SAVE_DELETE,
         3, 0, GROUP, 3, FRAME_BAD_UUID, false},
	{"the uuid of a change of members", a_change_of_members_has_the_uuid,
         SAVE_REACT, 3, 0, GROUP, 2, FRAME_BAD_UUID, false},
	{"the uuid of another edit", an_edit_of_another_message_has_the_uuid,
         SAVE_EDIT, 3, 0, GROUP, 2, FRAME_BAD_UUID, false},
	{"the uuid of an edit elsewhere", an_edit_elsewhere_has_the_uuid,
         SAVE_EDIT, 3, 0, GROUP, 2, FRAME_BAD_UUID, false},
	{"the uuid of a reaction", a_reaction_has_the_uuid, SAVE_DELETE, 3, 0,
         GROUP, 2, FRAME_BAD_UUID, false},
	{"the uuid of an old deletion", an_old_deletion_has_the_uuid, SAVE_EDIT,
         3, 0, GROUP, 2, FRAME_BAD_UUID, false},
	{"refused, with a used uuid", a_message_has_the_uuid, SAVE_EDIT, 3, 0,
         GROUP, 77, FRAME_BAD_UUID, false},
};

/* --- one row ------------------------------------------------------------- */
static struct batch_entry *put_row(const struct row *row)
{
	struct batch_entry *entry =
		put_kind(row->kind, row->sender, row->conversation, row->seq);

	entry->record.uuid = uuid;
	entry->record.user_to = row->user_to;
	if (row->kind == SAVE_EDIT)
		entry->record.message = SPAN("edited");
	if (row->kind == SAVE_REACT)
		entry->record.reaction = SPAN("z");
	return entry;
}

/* In the channel, which no reason is about. */
static const struct batch_entry *put_good(const char *text)
{
	struct batch_entry *entry = edit(1, 2, text);

	entry->record.conversation = CHANNEL;
	return entry;
}

static void check_refused(const struct row *row,
                          const struct batch_entry *entry)
{
	if (entry->outcome != OUTCOME_REFUSED || entry->code != row->code)
		fail_msg("%s: outcome %d, code %d", row->what,
		         (int)entry->outcome, (int)entry->code);
	assert_non_null(entry->why);
	assert_null(entry->roster);
}

static void a_refused_change_leaves_the_others_alone(void **state)
{
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		const struct batch_entry *at = batch->entries;

		(void)changes_fixture_begin(state);
		put_good("before");
		put_row(&rows[i]);
		put_row(&rows[i]);
		if (rows[i].arise)
			rows[i].arise(&batch->entries[1]);
		batch->entries[2].partition = at[1].partition;
		batch->entries[2].offset = at[1].offset;
		put_good("after");
		pass_save_in_vain();
		assert_int_equal(batch_count_outcome(batch, OUTCOME_OPEN), 4);
		pass_save();
		check_refused(&rows[i], &at[1]);
		check_refused(&rows[i], &at[2]);
		assert_int_equal(at[0].outcome, OUTCOME_SAVED);
		assert_int_equal(at[3].outcome, OUTCOME_SAVED);
		assert_int_equal(at[3].change.revision,
		                 at[0].change.revision + 1);
		assert_string_equal(chat_text("SELECT body FROM messages WHERE"
		                              " conversation = 18 AND seq = 2"),
		                    "after");
	}
}

static void a_refused_change_alone_writes_nothing(void **state)
{
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct batch_entry *entry;
		char *before, *after;

		(void)changes_fixture_begin(state);
		entry = put_row(&rows[i]);
		if (rows[i].arise)
			rows[i].arise(entry);
		before = read_written();
		pass_save();
		check_refused(&rows[i], entry);
		after = read_written();
		assert_string_equal(after, before);
		mem_free(&before);
		mem_free(&after);
	}
}

static void a_change_that_was_saved_before_is_a_duplicate(void **state)
{
	unsigned checked = 0;

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct batch_entry *entry;
		struct saved_change first;
		char *before, *after;

		if (!rows[i].saved_before)
			continue;
		checked++;
		(void)changes_fixture_begin(state);
		(void)put_row(&rows[i]);
		pass_save();
		first = batch->entries[0].change;
		assert_int_equal(batch->entries[0].outcome, OUTCOME_SAVED);
		batch_clear(batch);
		entry = put_row(&rows[i]);
		rows[i].arise(entry);
		before = read_written();
		pass_save();
		if (entry->outcome != OUTCOME_DUPLICATE)
			fail_msg("%s: outcome %d", rows[i].what,
			         (int)entry->outcome);
		assert_int_equal(entry->change.kind, first.kind);
		assert_int_equal(entry->change.revision, first.revision);
		assert_int_equal(entry->change.seq, first.seq);
		assert_int_equal(entry->change.created_at_ms,
		                 first.created_at_ms);
		after = read_written();
		assert_string_equal(after, before);
		mem_free(&before);
		mem_free(&after);
	}
	assert_true(checked > 0);
}

/* What a block does not stop: the sender takes back what they wrote. */
static void a_blocked_user_may_delete(void **state)
{
	void (*const blocks[])(struct batch_entry * entry) = {
		two_blocks_one, one_blocks_two, both_block};

	for (unsigned i = 0; i < ARRAY_LEN(blocks); i++) {
		struct batch_entry *entry;

		(void)changes_fixture_begin(state);
		blocks[i](NULL);
		entry = put_kind(SAVE_DELETE, 1, PAIR, 1);
		entry->record.user_to = 2;
		pass_save();
		assert_int_equal(entry->outcome, OUTCOME_SAVED);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, changes_fixture_begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_refused_change_leaves_the_others_alone),
		TEST(a_refused_change_alone_writes_nothing),
		TEST(a_change_that_was_saved_before_is_a_duplicate),
		TEST(a_blocked_user_may_delete),
	};

	return cmocka_run_group_tests(tests, changes_fixture_start,
	                              changes_fixture_stop);
}
