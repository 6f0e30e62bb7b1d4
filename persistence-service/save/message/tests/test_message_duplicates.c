/*
 * The pass of the messages alone, against a real server: a message that comes
 * again is answered with its first result.
 */
#include "persistence-service/save/message/tests/messages_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_duplicate_gets_the_first_result(void **state)
{
	struct batch_entry *entry;
	struct saved_message first;
	struct uuid uuid;

	(void)state;
	uuid_make(&uuid);
	put(1, 2, &uuid, "as it was");
	pass_save();
	first = batch->entries[0].saved;
	batch_clear(batch);
	put(1, 2, NULL, "new");
	entry = put(1, 2, &uuid, "another text");
	put(2, 1, &uuid, "another sender");
	pass_save();
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
	pass_save();
	batch_clear(batch);
	entry = put(1, 3, &uuid, "for three");
	put(1, 3, &uuid, "for three");
	pass_save();
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(entry[i].outcome, OUTCOME_DUPLICATE);
		assert_int_equal(entry[i].saved.user_to, 2);
		assert_true(
			span_equal(entry[i].saved.message, SPAN("for two")));
	}
	assert_int_equal(chat_number("SELECT COUNT(*) FROM conversations WHERE"
	                             " kind = 1"),
	                 1);
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
	pass_save();
	assert_int_equal(first->outcome, OUTCOME_SAVED);
	assert_int_equal(second->outcome, OUTCOME_DUPLICATE);
	assert_int_equal(second->saved.id, first->saved.id);
	assert_true(span_equal(second->saved.message, SPAN("first")));
	assert_int_equal(
		chat_number("SELECT COUNT(*) FROM messages WHERE kind = 1"), 2);
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
		pass_save();
		assert_int_equal(
			batch_count_outcome(batch, round ? OUTCOME_DUPLICATE
		                                         : OUTCOME_SAVED),
			BATCH_RECORDS_MAX);
	}
	assert_int_equal(
		chat_number("SELECT COUNT(*) FROM messages WHERE kind = 1"),
		BATCH_RECORDS_MAX);
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
		pass_save();
	}
	for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(batch->entries[i].outcome, OUTCOME_DUPLICATE);
		assert_true(span_equal(batch->entries[i].saved.message,
		                       span_of(texts[i])));
	}
}

/* What happened to the message since is a part of the answer. */
static void a_duplicate_shows_edits_and_the_deletion(void **state)
{
	static const struct {
		const char *since;
		const char *text;
		uint64_t revision;
		bool deleted;
	} rows[] = {
		{"SET revision = 4, body = 'edited', edited_at = NOW(3)",
	         "edited", 4, false},
		{"SET revision = 5, body = '', deleted_at = NOW(3)", "", 5,
	         true},
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct batch_entry *entry;
		struct uuid uuid;

		(void)messages_fixture_empty(state);
		uuid_make(&uuid);
		put(1, 2, &uuid, "as it was");
		pass_save();
		batch_clear(batch);
		chat_execute("UPDATE messages %s WHERE kind = 1",
		             rows[i].since);
		entry = put(1, 2, &uuid, "as it was");
		pass_save();
		assert_int_equal(entry->outcome, OUTCOME_DUPLICATE);
		assert_int_equal(entry->saved.revision, rows[i].revision);
		assert_int_equal(entry->saved.deleted_at_ms > 0,
		                 rows[i].deleted);
		assert_true(span_equal(entry->saved.message,
		                       span_of(rows[i].text)));
	}
}

/* The first attempt meets a used uuid: nothing of it is left in the second. */
static void a_used_uuid_is_a_conflict_once(void **state)
{
	struct batch_entry *entry;
	struct uuid uuid;

	(void)state;
	uuid_make(&uuid);
	put(1, 2, &uuid, "as it was");
	pass_save();
	batch_clear(batch);
	say(2, GROUP, "new");
	entry = put(1, 2, &uuid, "again");
	put(3, 4, NULL, "to a new pair");
	assert_int_equal(pass_try(false), ST_CONFLICT);
	assert_int_equal(batch_count_outcome(batch, OUTCOME_OPEN), 3);
	assert_int_equal(text_store_bytes(batch->texts), 0);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM conversations WHERE"
	                             " kind = 1"),
	                 1);
	assert_int_equal(pass_try(true), ST_OK);
	assert_int_equal(batch->entries[0].saved.seq, 2);
	assert_int_equal(entry->outcome, OUTCOME_DUPLICATE);
	assert_int_equal(batch->entries[2].saved.seq, 1);
	assert_consistent();
}

#define TEST(name) cmocka_unit_test_setup(name, messages_fixture_empty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_duplicate_gets_the_first_result),
		TEST(a_duplicate_stays_with_its_first_recipient),
		TEST(duplicates_within_a_batch_are_saved_once),
		TEST(a_repeated_batch_changes_nothing),
		TEST(every_text_is_stored_unchanged),
		TEST(a_duplicate_shows_edits_and_the_deletion),
		TEST(a_used_uuid_is_a_conflict_once),
	};

	return cmocka_run_group_tests(tests, messages_fixture_start,
	                              messages_fixture_stop);
}
