/*
 * The pass of the messages alone, against a real server: what is saved, in
 * which order, for which recipients. test_message_refusals and
 * test_message_duplicates have the rest.
 */
#include "common/wire/event.h"
#include "persistence-service/save/message/tests/messages_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static uint64_t count_messages(void)
{
	return chat_number("SELECT COUNT(*) FROM messages WHERE kind = 1");
}

static uint64_t count_pairs(void)
{
	return chat_number("SELECT COUNT(*) FROM conversations WHERE kind = 1");
}

/* --- seq ----------------------------------------------------------------- */
static void a_batch_without_messages_runs_no_statement(void **state)
{
	(void)state;
	pass_save();
	assert_int_equal(pass_statements(), 0);
	edit(1, 1, "edited");
	react(1, 1, "+1", false);
	put_kind(SAVE_DELETE, 1, GROUP, 1);
	put_kind(SAVE_READ, 1, GROUP, 1);
	put_kind(SAVE_DELIVERED, 1, GROUP, 1);
	put(1, 2, NULL, "")->record.kind = SAVE_BLOCKED;
	put(1, 2, NULL, "dead")->outcome = OUTCOME_DEAD;
	pass_save();
	assert_int_equal(pass_statements(), 0);
	assert_int_equal(batch_count_outcome(batch, OUTCOME_OPEN), 6);
	assert_int_equal(batch_count_outcome(batch, OUTCOME_DEAD), 1);
	assert_int_equal(count_messages(), 0);
}

static void a_batch_gets_consecutive_seqs(void **state)
{
	(void)state;
	for (unsigned i = 0; i < BATCH_RECORDS_MAX; i++)
		put(1 + i % 2, 2 - i % 2, NULL, "hi");
	pass_save();
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
	assert_int_equal(chat_number("SELECT COUNT(*) FROM members m JOIN"
	                             " conversations c ON c.id ="
	                             " m.conversation WHERE c.kind = 1"),
	                 2);
	for (unsigned user = 1; user <= 2; user++)
		assert_int_equal(chat_number("SELECT MAX(read_seq) FROM members"
		                             " WHERE user = %u",
		                             user),
		                 BATCH_RECORDS_MAX - 2 + user);
	assert_consistent();
}

static void the_next_batch_continues_the_seqs(void **state)
{
	(void)state;
	put(1, 2, NULL, "one");
	put(1, 3, NULL, "one");
	pass_save();
	batch_clear(batch);
	put(2, 1, NULL, "two");
	put(4, 1, NULL, "one");
	put(1, 2, NULL, "three");
	pass_save();
	assert_int_equal(batch->entries[0].saved.seq, 2);
	assert_int_equal(batch->entries[1].saved.seq, 1);
	assert_int_equal(batch->entries[2].saved.seq, 3);
	assert_int_equal(count_pairs(), 3);
	assert_consistent();
}

/* Whatever else is in the batch, and whichever record comes first. */
static void each_conversation_keeps_the_order_of_the_batch(void **state)
{
	enum { ROUNDS = 9, CONVERSATIONS = 4 };

	(void)state;
	for (unsigned i = 0; i < ROUNDS * CONVERSATIONS; i++) {
		switch ((i * 3 + i / CONVERSATIONS) % CONVERSATIONS) {
		case 0:
			say(1 + i % 3, GROUP, "x");
			break;
		case 1:
			put(2, 1, NULL, "x");
			break;
		case 2:
			say(1 + i % 2, CHANNEL, "x");
			break;
		default:
			put(4 + i % 2, 5 - i % 2, NULL, "x");
		}
	}
	pass_save();
	for (unsigned i = 0; i < batch->count; i++) {
		const struct saved_message *saved = &batch->entries[i].saved;
		unsigned before = saved->user_to == 0; /* the first entry */

		assert_int_equal(batch->entries[i].outcome, OUTCOME_SAVED);
		for (unsigned j = 0; j < i; j++)
			before += batch->entries[j].saved.conversation ==
			          saved->conversation;
		assert_int_equal(saved->seq, before + 1);
	}
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
		pass_save();
		assert_int_equal(batch_count_outcome(batch, OUTCOME_SAVED),
		                 sizes[i]);
		sum += sizes[i];
		batch_clear(batch);
	}
	assert_int_equal(count_messages(), sum);
	assert_consistent();
}

static void a_conversation_with_oneself_has_one_member(void **state)
{
	(void)state;
	put(5, 5, NULL, "note");
	pass_save();
	assert_int_equal(
		chat_number("SELECT COUNT(*) FROM members WHERE user = 5"), 1);
	assert_int_equal(
		chat_number("SELECT read_seq FROM members WHERE user = 5"), 1);
}

/* --- recipients ---------------------------------------------------------- */
static void a_message_to_a_group_is_for_all_its_members(void **state)
{
	const struct batch_entry *entry = say(2, GROUP, "hi");
	unsigned users = 0;

	(void)state;
	pass_save();
	assert_int_equal(entry->outcome, OUTCOME_SAVED);
	assert_int_equal(entry->saved.conversation, GROUP);
	assert_int_equal(entry->saved.seq, 2);
	assert_int_equal(entry->saved.user_to, 0);
	assert_int_equal(entry->roster->user_count, 3);
	for (unsigned i = 0; i < entry->roster->target_count; i++) {
		struct span key = entry->roster->targets[i].key;
		uint64_t user;

		for (; event_key_next(&key, &user); users++)
			assert_int_equal(event_partition(user, PARTITIONS),
			                 entry->roster->targets[i].partition);
		assert_int_equal(key.len, 0);
	}
	assert_int_equal(users, 3);
	assert_int_equal(
		chat_number("SELECT read_seq FROM members WHERE user = 2"
	                    " AND conversation = 17"),
		2);
	assert_consistent();
}

static void a_large_channel_has_the_room_as_its_key(void **state)
{
	const struct batch_entry *entry = say(2, CHANNEL, "hi");
	const struct batch_entry *stranger = say(STRANGER, CHANNEL, "hi");

	(void)state;
	pass_save();
	assert_int_equal(entry->outcome, OUTCOME_SAVED);
	assert_int_equal(entry->roster->target_count, PARTITIONS);
	for (unsigned i = 0; i < PARTITIONS; i++) {
		assert_int_equal(entry->roster->targets[i].partition, i);
		assert_true(span_equal(entry->roster->targets[i].key,
		                       SPAN("c:18")));
	}
	assert_refused(stranger, FRAME_UNKNOWN_CONVERSATION);
	assert_consistent();
}

/* The cached roster must not refuse a new member. */
static void a_new_member_is_accepted_despite_the_cache(void **state)
{
	const struct batch_entry *entry;

	(void)state;
	say(1, GROUP, "hi"); /* 2 */
	pass_save();
	batch_clear(batch);
	add_member(STRANGER); /* 3 */
	entry = say(STRANGER, GROUP, "here I am");
	pass_save();
	assert_int_equal(entry->outcome, OUTCOME_SAVED);
	assert_int_equal(entry->saved.seq, 4);
	assert_int_equal(entry->roster->user_count, 4);
	assert_int_equal(entry->roster->newest_from, 2);
	assert_consistent();
}

static void a_reply_keeps_its_message(void **state)
{
	struct batch_entry *reply;

	(void)state;
	say(1, GROUP, "hi"); /* 2 */
	pass_save();
	batch_clear(batch);
	reply = say(2, GROUP, "as you said");
	reply->record.reply_to = 2;
	pass_save();
	assert_int_equal(reply->saved.seq, 3);
	assert_int_equal(reply->saved.reply_to, 2);
	assert_int_equal(chat_number("SELECT reply_to FROM messages WHERE"
	                             " conversation = 17 AND seq = 3"),
	                 2);
}

/* --- attempts that fail -------------------------------------------------- */
static void put_many_kinds_of_messages(void)
{
	struct batch_entry *first = put(1, 2, NULL, "to a new pair");

	say(2, GROUP, "to a group");
	say(2, CHANNEL, "to a room");
	put(1, 2, &first->record.uuid, "twice in the batch");
	say(STRANGER, GROUP, "not a member");
	put(2, 1, NULL, "back");
}

static void assert_saved_once(uint64_t seq)
{
	const struct batch_entry *e = batch->entries;

	assert_int_equal(e[0].outcome, OUTCOME_SAVED);
	assert_int_equal(e[0].saved.seq, 2 * seq - 3);
	assert_int_equal(e[1].outcome, OUTCOME_SAVED);
	assert_int_equal(e[1].saved.seq, seq);
	assert_int_equal(e[1].roster->user_count, 3);
	assert_int_equal(e[2].outcome, OUTCOME_SAVED);
	assert_int_equal(e[2].saved.seq, seq);
	assert_int_equal(e[3].outcome, OUTCOME_DUPLICATE);
	assert_int_equal(e[3].saved.id, e[0].saved.id);
	assert_refused(&e[4], FRAME_UNKNOWN_CONVERSATION);
	assert_int_equal(e[5].outcome, OUTCOME_SAVED);
	assert_int_equal(e[5].saved.seq, 2 * seq - 2);
	assert_consistent();
}

/* First with empty caches, then with those of the first batch. */
static void a_rolled_back_attempt_leaves_nothing(void **state)
{
	(void)state;
	for (unsigned seq = 2; seq <= 3; seq++) {
		uint64_t messages_before = count_messages();
		uint64_t pairs_before = count_pairs();

		batch_clear(batch);
		put_many_kinds_of_messages();
		for (unsigned i = 0; i < 2; i++) {
			pass_save_in_vain();
			assert_int_equal(
				batch_count_outcome(batch, OUTCOME_OPEN),
				batch->count);
			assert_int_equal(text_store_bytes(batch->texts), 0);
			assert_int_equal(count_messages(), messages_before);
			assert_int_equal(count_pairs(), pairs_before);
		}
		pass_save();
		assert_saved_once(seq);
		assert_int_equal(count_messages(), messages_before + 4);
	}
}

/* Its seqs go to the next batch, which is another one. */
static void an_abandoned_attempt_leaves_no_gap(void **state)
{
	(void)state;
	put_many_kinds_of_messages();
	pass_save_in_vain();
	batch_clear(batch);
	say(1, GROUP, "two");
	say(1, CHANNEL, "two");
	put(2, 1, NULL, "one");
	pass_save();
	assert_int_equal(batch->entries[0].saved.seq, 2);
	assert_int_equal(batch->entries[1].saved.seq, 2);
	assert_int_equal(batch->entries[2].saved.seq, 1);
	assert_int_equal(count_messages(), 3);
	assert_consistent();
}

/* Another process has taken the next seq of a cached conversation. */
static void a_seq_that_is_taken_is_a_conflict(void **state)
{
	(void)state;
	say(1, GROUP, "two");
	pass_save();
	batch_clear(batch);
	add_member(STRANGER); /* 3 */
	say(1, GROUP, "four");
	say(2, GROUP, "five");
	assert_int_equal(pass_try(false), ST_CONFLICT);
	assert_int_equal(batch_count_outcome(batch, OUTCOME_OPEN), 2);
	assert_int_equal(pass_try(true), ST_OK);
	assert_int_equal(batch->entries[0].saved.seq, 4);
	assert_int_equal(batch->entries[1].saved.seq, 5);
	assert_int_equal(batch->entries[0].roster->user_count, 4);
	assert_consistent();
}

#define TEST(name) cmocka_unit_test_setup(name, messages_fixture_empty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_batch_without_messages_runs_no_statement),
		TEST(a_batch_gets_consecutive_seqs),
		TEST(the_next_batch_continues_the_seqs),
		TEST(each_conversation_keeps_the_order_of_the_batch),
		TEST(a_batch_may_have_any_size),
		TEST(a_conversation_with_oneself_has_one_member),
		TEST(a_message_to_a_group_is_for_all_its_members),
		TEST(a_large_channel_has_the_room_as_its_key),
		TEST(a_new_member_is_accepted_despite_the_cache),
		TEST(a_reply_keeps_its_message),
		TEST(a_rolled_back_attempt_leaves_nothing),
		TEST(an_abandoned_attempt_leaves_no_gap),
		TEST(a_seq_that_is_taken_is_a_conflict),
	};

	return cmocka_run_group_tests(tests, messages_fixture_start,
	                              messages_fixture_stop);
}
