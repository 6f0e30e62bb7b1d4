/*
 * The transaction with several kinds of records in one batch, against a real
 * server.
 */
#include "persistence-service/save/tests/transaction_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* --- uuids --------------------------------------------------------------- */
enum use { MESSAGE, OTHER_MESSAGE, EDIT, OTHER_EDIT, DELETE, REACT, USES };

static bool is_message(enum use use)
{
	return use == MESSAGE || use == OTHER_MESSAGE;
}

/* Ann's messages 2 and 3 of the group exist. */
static struct batch_entry *use_uuid(enum use use, const struct uuid *uuid)
{
	struct batch_entry *entry;

	if (is_message(use))
		entry = say(1, use == MESSAGE ? GROUP : CHANNEL, "text");
	else if (use == EDIT || use == OTHER_EDIT)
		entry = edit(1, use == EDIT ? 2 : 3, "edited");
	else if (use == DELETE)
		entry = put_kind(SAVE_DELETE, 1, GROUP, 2);
	else
		entry = react(1, 2, "+1", false);
	entry->record.uuid = *uuid;
	return entry;
}

/* A message may be sent again to another conversation: the first result. */
static bool same_thing(enum use first, enum use second)
{
	return first == second || (is_message(first) && is_message(second));
}

/* Messages are saved before changes, whatever their order in the batch. */
static void a_uuid_names_one_thing(void **state)
{
	for (unsigned i = 0; i < 2 * USES * USES; i++) {
		enum use first = (enum use)(i / 2 / USES);
		enum use second = (enum use)(i / 2 % USES);
		bool one_batch = i % 2;
		struct batch_entry *early;
		struct batch_entry *late;
		struct uuid uuid;

		(void)transaction_fixture_groups(state);
		uuid_make(&uuid);
		say(1, GROUP, "two");
		say(1, GROUP, "three");
		save();
		batch_clear(batch);
		early = use_uuid(first, &uuid);
		if (!one_batch) {
			save();
			assert_int_equal(early->outcome, OUTCOME_SAVED);
			batch_clear(batch);
		}
		late = use_uuid(second, &uuid);
		say(1, GROUP, "a good one");
		save();
		if (one_batch && !is_message(first) && is_message(second)) {
			struct batch_entry *message = late;

			late = early;
			early = message;
		}
		if (one_batch)
			assert_int_equal(early->outcome, OUTCOME_SAVED);
		if (same_thing(first, second))
			assert_int_equal(late->outcome, OUTCOME_DUPLICATE);
		else
			assert_refused(late, FRAME_BAD_UUID);
		assert_int_equal(batch->entries[batch->count - 1].outcome,
		                 OUTCOME_SAVED);
		assert_consistent();
	}
}

/* Of the entry that made the group, and of a change that an old version made.
 */
static void a_uuid_of_something_else_is_refused(void **state)
{
	static const struct {
		const char *statement;
		bool held; /* by a row of messages, so no message may use it */
	} owners[] = {
		{"UPDATE messages SET uuid ="
	         " UNHEX('01020304050607080102030405060708')"
	         " WHERE conversation = 17 AND seq = 1",
	         true},
		{"INSERT INTO revisions (conversation, revision, seq, kind,"
	         " sender, uuid, created_at) VALUES (18, 1, 1, 1, 1,"
	         " UNHEX('01020304050607080102030405060708'), NOW(3))",
	         false},
	};
	static const struct uuid uuid = {
		{1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8}};

	for (unsigned i = 0; i < USES * ARRAY_LEN(owners); i++) {
		enum use use = (enum use)(i % USES);
		struct batch_entry *entry;

		(void)transaction_fixture_groups(state);
		say(1, GROUP, "two");
		say(1, GROUP, "three");
		save();
		batch_clear(batch);
		chat_execute("%s", owners[i / USES].statement);
		entry = use_uuid(use, &uuid);
		save();
		if (is_message(use) && !owners[i / USES].held)
			assert_int_equal(entry->outcome, OUTCOME_SAVED);
		else
			assert_refused(entry, FRAME_BAD_UUID);
		assert_consistent();
	}
}

/*
 * Its record belongs to another owner: the gateway did not know the pair yet.
 * The client sends it again.
 */
static void a_pair_named_by_its_conversation_is_retryable(void **state)
{
	uint64_t id;

	(void)state;
	put(1, 2, NULL, "hi");
	save();
	id = batch->entries[0].saved.conversation;
	for (unsigned round = 0; round < 2; round++) {
		batch_clear(batch);
		if (round == 1)
			transaction_evict_caches(transaction);
		say(2, id, "by id");
		say(STRANGER, id, "hi");
		put_kind(SAVE_EDIT, 1, id, 1)->record.message = SPAN("by id");
		put(1, 2, NULL, "by user");
		save();
		assert_refused(&batch->entries[0], FRAME_UNAVAILABLE);
		assert_refused(&batch->entries[1], FRAME_UNAVAILABLE);
		assert_refused(&batch->entries[2], FRAME_UNAVAILABLE);
		assert_int_equal(batch->entries[3].saved.seq, 2 + round);
	}
	assert_consistent();
}

/* --- all kinds, repeated -------------------------------------------------- */
static void a_repeated_batch_of_all_kinds_changes_nothing(void **state)
{
	struct uuid uuid[BATCH_RECORDS_MAX];

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		batch_clear(batch);
		for (unsigned i = 0; i + 5 <= BATCH_RECORDS_MAX; i += 5) {
			say(1 + i % 3, GROUP, "x");
			say(1 + i % 2, CHANNEL, "x");
			edit(1, 2, "edited");
			react(1 + i % 3, 3, i % 2 ? "a" : "b", i % 4 == 0);
			put_kind(SAVE_READ, 1 + i % 3, GROUP, i);
		}
		for (unsigned i = 0; i < batch->count; i++) {
			if (round == 0)
				uuid[i] = batch->entries[i].record.uuid;
			batch->entries[i].record.uuid = uuid[i];
		}
		save();
	}
	assert_int_equal(
		chat_number("SELECT COUNT(*) FROM messages WHERE kind <> 3"),
		2 + 2 * BATCH_RECORDS_MAX / 5);
	assert_int_equal(
		chat_number("SELECT COUNT(*) FROM revisions"),
		chat_number(
			"SELECT revision FROM conversations WHERE id = 17"));
	assert_int_equal(chat_number("SELECT COUNT(*) FROM revisions"),
	                 2 * BATCH_RECORDS_MAX / 5);
	assert_consistent();
}

#define TEST(name) cmocka_unit_test_setup(name, transaction_fixture_groups)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_uuid_names_one_thing),
		TEST(a_uuid_of_something_else_is_refused),
		TEST(a_pair_named_by_its_conversation_is_retryable),
		TEST(a_repeated_batch_of_all_kinds_changes_nothing),
	};

	return cmocka_run_group_tests(tests, transaction_fixture_start,
	                              transaction_fixture_stop);
}
