/*
 * The pass of the changes alone, against a real server: edits, deletions and
 * reactions, in the order of their batch. test_change_refusals has what is
 * refused.
 */
#include "common/base/mem.h"
#include "persistence-service/save/change/tests/changes_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static uint64_t group_revision(void)
{
	return chat_number("SELECT revision FROM conversations WHERE id = 17");
}

static struct batch_entry *erase(uint64_t sender, uint64_t seq)
{
	return put_kind(SAVE_DELETE, sender, GROUP, seq);
}

static void a_batch_without_changes_runs_no_statement(void **state)
{
	(void)state;
	pass_save();
	assert_int_equal(pass_statements(), 0);
	say(1, GROUP, "hi");
	put_kind(SAVE_READ, 1, GROUP, 1);
	put(1, 2, NULL, "")->record.kind = SAVE_BLOCKED;
	edit(3, 2, "dead")->outcome = OUTCOME_DEAD;
	pass_save();
	assert_int_equal(pass_statements(), 0);
	assert_int_equal(batch_count_outcome(batch, OUTCOME_OPEN), 3);
	assert_int_equal(group_revision(), 0);
}

/* --- each kind ----------------------------------------------------------- */
static void an_author_edits(void **state)
{
	struct batch_entry *first, *again;

	(void)state;
	first = edit(3, 2, "the text");
	pass_save();
	assert_int_equal(first->outcome, OUTCOME_SAVED);
	assert_int_equal(first->change.revision, 1);
	assert_int_equal(first->roster->user_count, 3);
	again = edit(3, 2, "a later spelling");
	again->record.uuid = first->record.uuid;
	pass_save();
	assert_int_equal(again->outcome, OUTCOME_DUPLICATE);
	assert_int_equal(again->change.revision, 1);
	assert_int_equal(again->change.message.len, 0);
	assert_int_equal(
		chat_number("SELECT COUNT(*) FROM messages WHERE"
	                    " body = 'the text' AND edited_at IS NOT NULL"
	                    " AND revision = 1"),
		1);
	assert_int_equal(group_revision(), 1);
}

static void a_deletion_takes_text_and_reactions(void **state)
{
	static const struct {
		uint64_t sender, seq;
	} rows[] = {{3, 2}, {2, 3}, {1, 2}}; /* the author, and admins */

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct batch_entry *entry;

		(void)changes_fixture_begin(state);
		react(1, rows[i].seq, "+1", false);
		react(2, rows[i].seq, "a", false);
		entry = erase(rows[i].sender, rows[i].seq);
		edit(3, rows[i].seq, "too late");
		pass_save();
		assert_int_equal(entry->outcome, OUTCOME_SAVED);
		assert_int_equal(entry->change.revision, 3);
		assert_refused(&batch->entries[3], FRAME_UNKNOWN_MESSAGE);
		assert_int_equal(chat_number("SELECT COUNT(*) FROM reactions"),
		                 0);
		assert_int_equal(
			chat_number("SELECT COUNT(*) FROM messages WHERE"
		                    " conversation = 17 AND seq = %u AND"
		                    " body = '' AND deleted_at IS NOT NULL",
		                    (unsigned)rows[i].seq),
			1);
		assert_int_equal(group_revision(), 3);
	}
}

static void reactions_are_a_set_for_each_user(void **state)
{
	(void)state;
	react(1, 2, "+1", false);
	react(1, 2, "+1", false);
	react(2, 2, "+1", false);
	react(1, 2, "a", false);
	react(1, 2, "b", false);
	react(1, 2, "c", false); /* a fourth: three may be */
	react(3, 2, "b", false);
	react(2, 2, "b", true); /* not there */
	react(1, 2, "b", true);
	react(3, 2, "c", true); /* never there, nor too many */
	pass_save();
	assert_refused(&batch->entries[5], FRAME_TOO_MANY);
	assert_int_equal(batch_count_outcome(batch, OUTCOME_REFUSED), 1);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM reactions"), 4);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM revisions"), 9);
	assert_int_equal(group_revision(), 9);
}

static void a_change_of_a_pair_is_for_both_users(void **state)
{
	struct batch_entry *entries[2];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		entries[i] = react(1 + i, 1, "+1", false);
		entries[i]->record.conversation = PAIR;
		entries[i]->record.user_to = 2 - i;
	}
	pass_save();
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(entries[i]->outcome, OUTCOME_SAVED);
		assert_int_equal(entries[i]->change.revision, i + 1);
		assert_int_equal(entries[i]->roster->user_count, 2);
	}
}

static void a_change_in_a_large_channel_is_for_the_room(void **state)
{
	struct batch_entry *entry = react(2, 2, "+1", false);

	(void)state;
	entry->record.conversation = CHANNEL;
	pass_save();
	assert_int_equal(entry->outcome, OUTCOME_SAVED);
	assert_true(entry->roster->large);
	assert_int_equal(entry->roster->target_count, PARTITIONS);
}

/* --- order --------------------------------------------------------------- */
/* What a change finds depends on those before it in the batch. */
static void changes_take_effect_in_their_order(void **state)
{
	(void)state;
	edit(3, 2, "first");  /* revision 1 */
	edit(1, 4, "other");  /* 2 */
	edit(3, 2, "second"); /* 3 */
	erase(3, 3);          /* 4 */
	react(1, 3, "a", false);
	react(1, 2, "a", false); /* 5 */
	pass_save();
	assert_refused(&batch->entries[4], FRAME_UNKNOWN_MESSAGE);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(batch->entries[i].change.revision, i + 1);
	assert_int_equal(batch->entries[5].change.revision, 5);
	assert_string_equal(chat_text("SELECT body FROM messages WHERE"
	                              " conversation = 17 AND seq = 2"),
	                    "second");
	assert_string_equal(chat_text("SELECT GROUP_CONCAT(seq ORDER BY"
	                              " revision) FROM revisions"),
	                    "2,4,2,3,2");
}

static void a_batch_may_be_full_of_changes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < BATCH_RECORDS_MAX; i++)
		react(1 + i % 3, 2, i % 2 ? "a" : "b", i % 5 == 0);
	pass_save();
	assert_int_equal(batch_count_outcome(batch, OUTCOME_SAVED),
	                 BATCH_RECORDS_MAX);
	for (unsigned i = 0; i < BATCH_RECORDS_MAX; i++)
		assert_int_equal(batch->entries[i].change.revision, i + 1);
	assert_int_equal(group_revision(), BATCH_RECORDS_MAX);
}

/* --- duplicates ---------------------------------------------------------- */
static struct batch_entry *put_kind_of_change(enum save_kind kind)
{
	struct batch_entry *entry = put_kind(kind, 3, GROUP, 2);

	if (kind == SAVE_EDIT)
		entry->record.message = SPAN("edited");
	if (kind == SAVE_REACT)
		entry->record.reaction = SPAN("z");
	return entry;
}

static const enum save_kind kinds[] = {SAVE_EDIT, SAVE_DELETE, SAVE_REACT};

static void a_duplicate_gets_the_first_result(void **state)
{
	for (unsigned i = 0; i < 2 * ARRAY_LEN(kinds); i++) {
		bool one_batch = i % 2;
		struct batch_entry *first, *second;
		struct saved_change saved;
		char *before, *after;
		struct uuid uuid;

		(void)changes_fixture_begin(state);
		first = put_kind_of_change(kinds[i / 2]);
		uuid = first->record.uuid;
		if (!one_batch)
			pass_save();
		saved = first->change;
		before = read_written();
		if (!one_batch)
			batch_clear(batch);
		react(1, 4, "a", false);
		second = put_kind_of_change(kinds[i / 2]);
		second->record.uuid = uuid;
		pass_save();
		if (one_batch)
			saved = first->change;
		assert_int_equal(second->outcome, OUTCOME_DUPLICATE);
		assert_int_equal(second->change.kind, saved.kind);
		assert_int_equal(second->change.revision, saved.revision);
		assert_int_equal(second->change.revision, 1);
		assert_int_equal(second->change.user, 3);
		assert_int_equal(second->change.conversation, GROUP);
		assert_int_equal(second->change.seq, 2);
		assert_int_equal(second->change.created_at_ms,
		                 saved.created_at_ms);
		assert_true(span_equal(second->change.message, saved.message));
		assert_true(
			span_equal(second->change.reaction, saved.reaction));
		assert_int_equal(group_revision(), 2);
		after = read_written();
		assert_string_not_equal(after, before);
		mem_free(&before);
		mem_free(&after);
	}
}

/* --- what is left of an edit --------------------------------------------- */
static void nothing_follows(void)
{
}

static void another_user_reacts(void)
{
	react(1, 2, "a", false);
}

static void the_author_reacts_and_takes_it_back(void)
{
	react(3, 2, "a", false);
	react(3, 2, "a", true);
}

static void another_message_is_edited(void)
{
	edit(3, 3, "second");
}

static void a_later_edit_follows(void)
{
	edit(3, 2, "second");
}

static void a_later_edit_and_a_reaction_follow(void)
{
	edit(3, 2, "second");
	react(1, 2, "a", false);
}

static void a_deletion_follows(void)
{
	erase(3, 2);
}

/*
 * Persistence may die between the commit and the events: the record is then a
 * duplicate, and its event must bring the text unless another replaced it.
 */
static void a_duplicate_edit_has_its_text_until_it_is_replaced(void **state)
{
	static const struct {
		const char *what;
		void (*follow)(void);
		const char *again; /* the text of the duplicate */
		bool has_text;
	} rows[] = {
		{"nothing follows", nothing_follows, "first", true},
		{"a reaction follows", another_user_reacts, "first", true},
		{"its author reacts", the_author_reacts_and_takes_it_back,
	         "first", true},
		{"another message is edited", another_message_is_edited,
	         "first", true},
		{"an edit follows", a_later_edit_follows, "first", false},
		{"an edit and a reaction follow",
	         a_later_edit_and_a_reaction_follow, "first", false},
		{"a deletion follows", a_deletion_follows, "first", false},
		{"the duplicate has another text", nothing_follows, "other",
	         false},
		{"the duplicate has the text of a later edit",
	         another_message_is_edited, "second", false},
	};

	for (unsigned i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		bool one_batch = i % 2;
		struct batch_entry *again;
		struct uuid uuid;

		(void)changes_fixture_begin(state);
		uuid = edit(3, 2, "first")->record.uuid;
		if (!one_batch) {
			pass_save();
			batch_clear(batch);
		}
		rows[i / 2].follow();
		pass_save();
		batch_clear(batch);
		again = edit(3, 2, rows[i / 2].again);
		again->record.uuid = uuid;
		pass_save();
		assert_int_equal(again->outcome, OUTCOME_DUPLICATE);
		assert_int_equal(again->change.revision, 1);
		if (!span_equal(again->change.message, rows[i / 2].has_text
		                                               ? SPAN("first")
		                                               : SPAN_NONE))
			fail_msg("%s: text %.*s", rows[i / 2].what,
			         (int)again->change.message.len,
			         again->change.message.data);
	}
}

/* One uuid for two kinds of changes: the second names something else. */
static void a_uuid_names_one_kind_of_change(void **state)
{
	for (unsigned i = 0; i < 2 * 9; i++) {
		enum save_kind first = kinds[i / 2 / 3];
		enum save_kind second = kinds[i / 2 % 3];
		struct batch_entry *entry;
		struct uuid uuid;

		if (first == second)
			continue;
		(void)changes_fixture_begin(state);
		uuid = put_kind_of_change(first)->record.uuid;
		if (i % 2) {
			pass_save();
			batch_clear(batch);
		}
		entry = put_kind_of_change(second);
		entry->record.uuid = uuid;
		react(1, 4, "a", false);
		pass_save();
		assert_refused(entry, FRAME_BAD_UUID);
		assert_int_equal(batch->entries[batch->count - 1].outcome,
		                 OUTCOME_SAVED);
		assert_int_equal(group_revision(), 2);
	}
}

/* Another user may have the same uuid. */
static void a_uuid_belongs_to_its_sender(void **state)
{
	struct uuid uuid;

	(void)state;
	uuid = edit(3, 2, "edited")->record.uuid;
	react(1, 2, "a", false)->record.uuid = uuid;
	react(2, 2, "a", false)->record.uuid = uuid;
	pass_save();
	assert_int_equal(batch_count_outcome(batch, OUTCOME_SAVED), 3);
}

/* --- attempts that fail -------------------------------------------------- */
static void put_many_kinds(void)
{
	struct uuid uuid = edit(3, 2, "edited")->record.uuid;

	react(1, 2, "a", false);
	edit(3, 2, "again")->record.uuid = uuid;
	erase(3, 3);
	edit(2, 2, "not mine");
	react(2, 2, "a", true);
}

static void a_rolled_back_attempt_leaves_nothing(void **state)
{
	char *before, *after;

	(void)state;
	put_many_kinds();
	before = read_written();
	for (unsigned i = 0; i < 2; i++) {
		pass_save_in_vain();
		assert_int_equal(batch_count_outcome(batch, OUTCOME_OPEN),
		                 batch->count);
		assert_int_equal(text_store_bytes(batch->texts), 0);
		for (unsigned j = 0; j < batch->count; j++)
			assert_null(batch->entries[j].roster);
	}
	after = read_written();
	assert_string_equal(after, before);
	pass_save();
	assert_int_equal(batch->entries[0].change.revision, 1);
	assert_int_equal(batch->entries[1].change.revision, 2);
	assert_int_equal(batch->entries[2].outcome, OUTCOME_DUPLICATE);
	assert_int_equal(batch->entries[2].change.revision, 1);
	assert_int_equal(batch->entries[3].change.revision, 3);
	assert_refused(&batch->entries[4], FRAME_NOT_ALLOWED);
	assert_int_equal(batch->entries[5].change.revision, 4);
	assert_int_equal(group_revision(), 4);
	mem_free(&before);
	mem_free(&after);
}

static void an_abandoned_attempt_leaves_no_gap(void **state)
{
	(void)state;
	put_many_kinds();
	pass_save_in_vain();
	batch_clear(batch);
	react(1, 2, "b", false);
	pass_save();
	assert_int_equal(batch->entries[0].change.revision, 1);
	assert_int_equal(batch->entries[0].roster->user_count, 3);
	assert_int_equal(group_revision(), 1);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM messages WHERE"
	                             " conversation = 0"),
	                 1);
}

/* The first attempt meets a used uuid; the next one looks for it first. */
static void a_used_uuid_is_a_conflict_once(void **state)
{
	struct batch_entry *entry;
	struct uuid uuid;

	(void)state;
	uuid = edit(3, 2, "edited")->record.uuid;
	pass_save();
	batch_clear(batch);
	react(1, 2, "a", false);
	entry = edit(3, 2, "edited");
	entry->record.uuid = uuid;
	assert_int_equal(pass_try(false), ST_CONFLICT);
	assert_int_equal(batch_count_outcome(batch, OUTCOME_OPEN), 2);
	assert_int_equal(group_revision(), 1);
	assert_int_equal(pass_try(true), ST_OK);
	assert_int_equal(batch->entries[0].change.revision, 2);
	assert_int_equal(entry->outcome, OUTCOME_DUPLICATE);
	assert_int_equal(group_revision(), 2);
}

#define TEST(name) cmocka_unit_test_setup(name, changes_fixture_begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_batch_without_changes_runs_no_statement),
		TEST(an_author_edits),
		TEST(a_deletion_takes_text_and_reactions),
		TEST(reactions_are_a_set_for_each_user),
		TEST(a_change_of_a_pair_is_for_both_users),
		TEST(a_change_in_a_large_channel_is_for_the_room),
		TEST(changes_take_effect_in_their_order),
		TEST(a_batch_may_be_full_of_changes),
		TEST(a_duplicate_gets_the_first_result),
		TEST(a_duplicate_edit_has_its_text_until_it_is_replaced),
		TEST(a_uuid_names_one_kind_of_change),
		TEST(a_uuid_belongs_to_its_sender),
		TEST(a_rolled_back_attempt_leaves_nothing),
		TEST(an_abandoned_attempt_leaves_no_gap),
		TEST(a_used_uuid_is_a_conflict_once),
	};

	return cmocka_run_group_tests(tests, changes_fixture_start,
	                              changes_fixture_stop);
}
