/*
 * The transaction with messages to groups and channels, receipts, changes of
 * messages and queries of gateways, against a real server.
 */
#include "common/wire/event.h"
#include "persistence-service/save/conversation/query_handler.h"
#include "persistence-service/save/conversation/roster.h"
#include "persistence-service/save/tests/transaction_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { GROUP = 17, CHANNEL = 18, STRANGER = 9 };

/* A group of 1, 2 and 3 and a large channel of 1 and 2, each with one entry. */
static int begin(void **state)
{
	(void)transaction_fixture_empty(state);
	chat_execute(
		"INSERT INTO conversations (id, kind, ckey, name, last_seq,"
		" last_message_id, created_by, created_at, member_count,"
		" large) VALUES"
		" (17,2,'c:17','g',1,1,1,NOW(3),3,0),"
		"(18,3,'c:18','c',1,2,1,NOW(3),2,1)");
	chat_execute("INSERT INTO members (user, conversation, role, joined_at)"
	             " VALUES"
	             " (1,17,3,NOW(3)),(2,17,2,NOW(3)),(3,17,1,NOW(3)),"
	             "(1,18,3,NOW(3)),(2,18,1,NOW(3))");
	chat_execute("INSERT INTO large_members VALUES"
	             " (1,18),(2,18)");
	chat_execute(
		"INSERT INTO messages (conversation, seq, id, sender, uuid,"
		" created_at, body, kind) VALUES"
		" (17,1,1,1,UNHEX(REPLACE(UUID(),'-','')),NOW(3),'{}',2),"
		"(18,1,2,1,UNHEX(REPLACE(UUID(),'-','')),NOW(3),'{}',2)");
	return 0;
}

/* As membership does: the change takes a seq. */
static void remove_member(const char *user)
{
	chat_execute("DELETE FROM members WHERE user = %s"
	             " AND conversation = 17",
	             user);
	chat_execute("INSERT INTO messages (conversation, seq, sender, uuid,"
	             " created_at, body, kind) SELECT id, last_seq + 1, 1,"
	             " UNHEX(REPLACE(UUID(),'-','')), NOW(3), '{}', 2"
	             " FROM conversations WHERE"
	             " id = 17");
	chat_execute("UPDATE conversations SET last_seq = last_seq + 1,"
	             " last_message_id = (SELECT MAX(id) FROM messages) WHERE"
	             " id = 17");
}

static struct batch_entry *say(uint64_t sender, uint64_t conversation,
                               const char *text)
{
	struct batch_entry *entry =
		put_kind(SAVE_MESSAGE, sender, conversation, 0);

	entry->record.message = span_of(text);
	return entry;
}

static void assert_refused(const struct batch_entry *entry,
                           enum frame_code code)
{
	assert_int_equal(entry->outcome, OUTCOME_REFUSED);
	assert_int_equal(entry->code, code);
	assert_non_null(entry->why);
}

/* --- messages ------------------------------------------------------------ */
static void a_message_to_a_group_is_for_all_its_members(void **state)
{
	const struct batch_entry *entry = say(2, GROUP, "hi");
	unsigned users = 0;

	(void)state;
	save();
	assert_int_equal(entry->outcome, OUTCOME_SAVED);
	assert_int_equal(entry->saved.conversation, GROUP);
	assert_int_equal(entry->saved.seq, 2);
	assert_int_equal(entry->saved.user_to, 0);
	assert_int_equal(entry->roster->user_count, 3);
	for (unsigned i = 0; i < entry->roster->target_count; i++) {
		struct span key = entry->roster->targets[i].key;
		uint64_t user;

		for (; event_key_next(&key, &user); users++)
			assert_int_equal(event_partition(user, 12),
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
	save();
	assert_int_equal(entry->outcome, OUTCOME_SAVED);
	assert_int_equal(entry->roster->target_count, 12);
	for (unsigned i = 0; i < 12; i++) {
		assert_int_equal(entry->roster->targets[i].partition, i);
		assert_true(span_equal(entry->roster->targets[i].key,
		                       SPAN("c:18")));
	}
	assert_refused(stranger, FRAME_UNKNOWN_CONVERSATION);
	assert_consistent();
}

static void a_non_member_gets_the_error_of_a_missing_conversation(void **state)
{
	const struct batch_entry *stranger = say(STRANGER, GROUP, "hi");
	const struct batch_entry *absent = say(1, 99, "hi");
	const struct batch_entry *member = say(1, GROUP, "hi");

	(void)state;
	save();
	assert_refused(stranger, FRAME_UNKNOWN_CONVERSATION);
	assert_refused(absent, FRAME_UNKNOWN_CONVERSATION);
	assert_string_equal(stranger->why, absent->why);
	assert_int_equal(member->saved.seq, 2);
	batch_clear(batch);
	chat_execute(
		"UPDATE conversations SET deleted_at = NOW(3), last_seq = 3,"
		" last_message_id = 0 WHERE"
		" id = 17");
	chat_execute(
		"INSERT INTO messages (conversation, seq, id, sender, uuid,"
		" created_at, body, kind) VALUES"
		" (17,3,1003,1,UNHEX(REPLACE(UUID(),'-','')),NOW(3),'{}',2)");
	member = say(1, GROUP, "hi");
	save();
	assert_refused(member, FRAME_UNKNOWN_CONVERSATION);
}

static void a_removed_member_is_refused_despite_the_cache(void **state)
{
	struct batch_entry *entry;
	struct uuid uuid;

	(void)state;
	entry = say(3, GROUP, "first");
	uuid = entry->record.uuid;
	save();
	assert_int_equal(entry->saved.seq, 2);
	batch_clear(batch);
	remove_member("3");
	entry = say(3, GROUP, "still here?");
	say(1, GROUP, "bye");
	save();
	assert_refused(entry, FRAME_UNKNOWN_CONVERSATION);
	assert_int_equal(batch->entries[1].saved.seq, 4);
	assert_int_equal(batch->entries[1].roster->user_count, 2);
	batch_clear(batch);
	entry = say(3, GROUP, "first");
	entry->record.uuid = uuid;
	save();
	assert_int_equal(entry->outcome, OUTCOME_DUPLICATE);
	assert_int_equal(entry->saved.seq, 2);
	assert_int_equal(entry->roster->user_count, 2);
	assert_consistent();
}

static void try_with_new_connection(void)
{
	chat_kill_others();
	assert_int_equal(transaction_save(transaction, batch), ST_UNAVAILABLE);
	assert_int_equal(sql_connect(sql), ST_OK);
	save();
}

/*
 * As when the answer to a commit was lost, and the caches with the connection:
 * the recipients of the first try must not be used.
 */
static void a_retried_batch_looks_its_recipients_up_again(void **state)
{
	struct batch_entry *entry = say(2, GROUP, "hi");
	char uuid[UUID_TEXT_LEN + 1];

	(void)state;
	chat_execute("CREATE TRIGGER refuse BEFORE UPDATE ON conversations"
	             " FOR EACH ROW SIGNAL SQLSTATE '40001'"
	             " SET MYSQL_ERRNO = 1213");
	assert_int_equal(transaction_save(transaction, batch), ST_UNAVAILABLE);
	chat_execute("DROP TRIGGER refuse");
	uuid_format(&entry->record.uuid, uuid);
	chat_execute("INSERT INTO messages (conversation, seq, sender, uuid,"
	             " created_at, body) VALUES (17, 2, 2,"
	             " UNHEX(REPLACE('%s','-','')), NOW(3), 'hi')",
	             uuid);
	chat_execute("UPDATE conversations SET last_seq = 2 WHERE id = 17");
	remove_member("3");
	try_with_new_connection();
	assert_int_equal(entry->outcome, OUTCOME_DUPLICATE);
	assert_int_equal(entry->saved.seq, 2);
	assert_int_equal(entry->roster->user_count, 2);
	assert_false(roster_contains(entry->roster, 3));
	assert_consistent();
}

/* The message is saved, and the batch is retried for another reason. */
static void a_retried_saved_message_gets_its_recipients_again(void **state)
{
	const struct batch_entry *entry = say(2, GROUP, "hi");

	(void)state;
	save();
	assert_int_equal(entry->roster->user_count, 3);
	remove_member("3");
	try_with_new_connection();
	assert_int_equal(entry->outcome, OUTCOME_SAVED);
	assert_int_equal(entry->roster->user_count, 2);
	assert_consistent();
}

/* The cached roster must not refuse a new member. */
static void a_new_member_is_accepted_despite_the_cache(void **state)
{
	const struct batch_entry *entry;

	(void)state;
	say(1, GROUP, "hi"); /* 2 */
	save();
	batch_clear(batch);
	chat_execute(
		"INSERT INTO members (user, conversation, joined_at, from_seq)"
		" VALUES"
		" (9,17,NOW(3),2)");
	chat_execute("INSERT INTO messages (conversation, seq, sender, uuid,"
	             " created_at, body, kind) SELECT id, 3, 9,"
	             " UNHEX(REPLACE(UUID(),'-','')), NOW(3), '{}', 2"
	             " FROM conversations WHERE"
	             " id = 17");
	chat_execute("UPDATE conversations SET last_seq = 3, last_message_id ="
	             " (SELECT MAX(id) FROM messages) WHERE"
	             " id = 17");
	entry = say(STRANGER, GROUP, "here I am");
	save();
	assert_int_equal(entry->outcome, OUTCOME_SAVED);
	assert_int_equal(entry->saved.seq, 4);
	assert_int_equal(entry->roster->user_count, 4);
	assert_int_equal(entry->roster->newest_from, 2);
	assert_consistent();
}

static void a_reply_needs_a_message_that_its_sender_sees(void **state)
{
	struct batch_entry *good, *bad;

	(void)state;
	say(1, GROUP, "hi"); /* 2 */
	save();
	batch_clear(batch);
	good = say(2, GROUP, "as you said");
	good->record.reply_to = 2;
	bad = say(2, GROUP, "an entry about members");
	bad->record.reply_to = 1;
	say(2, GROUP, "what is to come")->record.reply_to = 4;
	chat_execute(
		"UPDATE members SET from_seq = 2 WHERE conversation = 17 AND"
		" user = 3");
	say(3, GROUP, "before my time")->record.reply_to = 2;
	save();
	assert_int_equal(good->saved.seq, 3);
	for (unsigned i = 1; i < 4; i++)
		assert_refused(&batch->entries[i], FRAME_UNKNOWN_MESSAGE);
	assert_int_equal(chat_number("SELECT reply_to FROM messages WHERE"
	                             " conversation = 17 AND seq = 3"),
	                 2);
	assert_consistent();
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

/* --- pending outbox events ----------------------------------------------- */
static void pending_outbox_events_go_first(void **state)
{
	(void)state;
	say(1, GROUP, "hi");
	save();
	assert_null(batch->pending_events);
	batch_clear(batch);
	remove_member("3");
	chat_execute(
		"INSERT INTO outbox (kind, conversation, target, room, body)"
		" VALUES"
		" (1,17,'1,2,3','17:3:=','{\"a\":1}'),"
		"(1,99,'1','99:3:=','{}'),(1,17,'1,2','17:4:=','{\"b\":2}')");
	say(1, GROUP, "on");
	put_kind(SAVE_READ, 2, GROUP, 4);
	save();
	assert_true(
		span_equal(batch->pending_events->row.target, SPAN("1,2,3")));
	assert_true(
		span_equal(batch->pending_events->row.room, SPAN("17:3:=")));
	assert_true(span_equal(batch->pending_events->next->row.body,
	                       SPAN("{\"b\":2}")));
	assert_null(batch->pending_events->next->next);
	batch_clear(batch);
	say(1, GROUP, "no member joined or left since");
	save();
	assert_null(batch->pending_events);
	chat_execute("DELETE FROM outbox WHERE"
	             " 1 = 1");
}

/* --- blocks -------------------------------------------------------------- */
static void a_blocked_message_makes_no_conversation(void **state)
{
	const struct batch_entry *entry;

	(void)state;
	chat_execute("INSERT INTO blocks VALUES"
	             " (2, 1, NOW(3))");
	entry = put(1, 2, NULL, "hi");
	put(3, 2, NULL, "hi");
	save();
	assert_refused(entry, FRAME_UNKNOWN_USER);
	assert_string_equal(entry->why, "there is no such user");
	assert_int_equal(chat_number("SELECT COUNT(*) FROM conversations WHERE"
	                             " kind = 1"),
	                 1);
	assert_consistent();
}

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

		(void)begin(state);
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
	chat_execute("INSERT INTO blocks VALUES"
	             " (2, 1, NOW(3))");
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
	chat_execute("INSERT INTO blocks VALUES"
	             " (2, 1, NOW(3))");
	put(2, 1, NULL, "")->record.kind = SAVE_BLOCKED;
	entry = put(1, 2, NULL, "hi");
	save();
	assert_refused(entry, FRAME_UNKNOWN_USER);
	batch_clear(batch);
	chat_execute("DELETE FROM blocks WHERE"
	             " user = 2");
	put(2, 1, NULL, "")->record.kind = SAVE_BLOCKED;
	entry = put(1, 2, NULL, "hi");
	save();
	assert_int_equal(entry->saved.seq, 2);
	/* In a batch of its own, and by the other user. */
	batch_clear(batch);
	chat_execute("INSERT INTO blocks VALUES"
	             " (1, 2, NOW(3))");
	put(1, 2, NULL, "")->record.kind = SAVE_BLOCKED;
	save();
	batch_clear(batch);
	entry = put(2, 1, NULL, "hi");
	save();
	assert_refused(entry, FRAME_UNKNOWN_USER);
	assert_consistent();
}

/* --- receipts ------------------------------------------------------------ */
static void receipts_rise_up_to_the_last_seq(void **state)
{
	const struct batch_entry *last;

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		say(1, GROUP, "hi"); /* 2 to 5 */
	put_kind(SAVE_READ, 2, GROUP, 2);
	put_kind(SAVE_DELIVERED, 2, GROUP, 4);
	last = put_kind(SAVE_READ, 2, GROUP, 3);
	put_kind(SAVE_READ, 3, GROUP, 1000);
	put_kind(SAVE_READ, STRANGER, GROUP, 1);
	put_kind(SAVE_DELIVERED, 1, 99, 1);
	save();
	assert_int_equal(batch_count_outcome(batch, OUTCOME_DONE), 2);
	assert_int_equal(last->outcome, OUTCOME_NOTIFIED);
	assert_int_equal(last->receipt.delivered, 4);
	assert_int_equal(last->receipt.read, 3);
	assert_int_equal(last->roster->user_count, 3);
	assert_int_equal(batch->entries[7].receipt.read, 5);
	assert_int_equal(batch->entries[7].receipt.delivered, 5);
	assert_refused(&batch->entries[8], FRAME_UNKNOWN_CONVERSATION);
	assert_refused(&batch->entries[9], FRAME_UNKNOWN_CONVERSATION);
	batch_clear(batch);
	last = put_kind(SAVE_READ, 2, GROUP, 1);
	save();
	assert_int_equal(last->receipt.read, 3);
	assert_int_equal(last->receipt.delivered, 4);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM members"), 5);
}

static void receipts_of_a_pair_go_to_both_users(void **state)
{
	const struct batch_entry *entry;

	(void)state;
	put(1, 2, NULL, "hi");
	save();
	entry = put_kind(SAVE_READ, 2, batch->entries[0].saved.conversation, 1);
	save();
	assert_int_equal(entry->outcome, OUTCOME_NOTIFIED);
	assert_int_equal(entry->roster->user_count, 2);
	assert_int_equal(entry->receipt.read, 1);
}

/* --- changes ------------------------------------------------------------- */
static struct batch_entry *react(uint64_t user, uint64_t seq,
                                 const char *reaction, bool remove)
{
	struct batch_entry *entry = put_kind(SAVE_REACT, user, GROUP, seq);

	entry->record.reaction = span_of(reaction);
	entry->record.remove = remove;
	return entry;
}

static struct batch_entry *edit(uint64_t user, uint64_t seq, const char *text)
{
	struct batch_entry *entry = put_kind(SAVE_EDIT, user, GROUP, seq);

	entry->record.message = span_of(text);
	return entry;
}

static void an_author_edits_and_deletes(void **state)
{
	struct batch_entry *first, *again, *other;

	(void)state;
	say(3, GROUP, "teh text");
	first = edit(3, 2, "the text");
	other = edit(2, 2, "mine now");
	save();
	assert_int_equal(first->outcome, OUTCOME_SAVED);
	assert_int_equal(first->change.revision, 1);
	assert_int_equal(first->roster->user_count, 3);
	assert_refused(other, FRAME_NOT_ALLOWED);
	again = edit(3, 2, "a later spelling");
	again->record.uuid = first->record.uuid;
	save();
	assert_int_equal(again->outcome, OUTCOME_DUPLICATE);
	assert_int_equal(again->change.revision, 1);
	assert_true(span_equal(again->change.message, SPAN("the text")));
	assert_int_equal(
		chat_number("SELECT COUNT(*) FROM messages WHERE"
	                    " body = 'the text' AND edited_at IS NOT NULL"
	                    " AND revision = 1"),
		1);
	batch_clear(batch);
	react(1, 2, "+1", false);
	put_kind(SAVE_DELETE, 2, GROUP, 2); /* an admin */
	edit(3, 2, "too late");
	put_kind(SAVE_DELETE, 3, GROUP, 1); /* not a message */
	put_kind(SAVE_DELETE, 3, GROUP, 77);
	put_kind(SAVE_DELETE, STRANGER, GROUP, 2);
	save();
	assert_int_equal(batch->entries[1].outcome, OUTCOME_SAVED);
	assert_int_equal(batch->entries[1].change.revision, 3);
	assert_refused(&batch->entries[2], FRAME_UNKNOWN_MESSAGE);
	assert_refused(&batch->entries[3], FRAME_UNKNOWN_MESSAGE);
	assert_refused(&batch->entries[4], FRAME_UNKNOWN_MESSAGE);
	assert_refused(&batch->entries[5], FRAME_UNKNOWN_CONVERSATION);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM reactions"), 0);
	assert_int_equal(
		chat_number("SELECT COUNT(*) FROM messages WHERE seq = 2"
	                    " AND body = '' AND deleted_at IS NOT NULL"),
		1);
	assert_int_equal(chat_number("SELECT revision FROM conversations WHERE"
	                             " id = 17"),
	                 3);
	assert_consistent();
}

static void reactions_are_a_set_for_each_user(void **state)
{
	(void)state;
	say(3, GROUP, "hi");
	react(1, 2, "+1", false);
	react(1, 2, "+1", false);
	react(2, 2, "+1", false);
	react(1, 2, "a", false);
	react(1, 2, "b", false);
	react(1, 2, "c", false); /* a fourth: three may be */
	react(3, 2, "b", false);
	react(2, 2, "b", true); /* not there */
	react(1, 2, "b", true);
	save();
	assert_refused(&batch->entries[6], FRAME_TOO_MANY);
	assert_int_equal(batch_count_outcome(batch, OUTCOME_REFUSED), 1);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM reactions"), 4);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM revisions"), 8);
}

/* --- uuids --------------------------------------------------------------- */
enum use { MESSAGE, OTHER_MESSAGE, EDIT, OTHER_EDIT, DELETE, REACT, USES };

/* Ann's messages 2 and 3 of the group exist. */
static struct batch_entry *use_uuid(enum use use, const struct uuid *uuid)
{
	struct batch_entry *entry;

	if (use == MESSAGE || use == OTHER_MESSAGE)
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
	return first == second ||
	       (first == MESSAGE && second == OTHER_MESSAGE) ||
	       (first == OTHER_MESSAGE && second == MESSAGE);
}

/* Messages are saved before changes, whatever their order in the batch. */
static void a_uuid_names_one_thing(void **state)
{
	for (unsigned i = 0; i < 2 * USES * USES; i++) {
		enum use first = (enum use)(i / 2 / USES);
		enum use second = (enum use)(i / 2 % USES);
		bool one_batch = i % 2;
		struct batch_entry *entry;
		struct uuid uuid;

		if (one_batch && second < EDIT && first >= EDIT)
			continue;
		(void)begin(state);
		uuid_make(&uuid);
		say(1, GROUP, "two");
		say(1, GROUP, "three");
		save();
		batch_clear(batch);
		entry = use_uuid(first, &uuid);
		if (!one_batch) {
			save();
			assert_int_equal(entry->outcome, OUTCOME_SAVED);
			batch_clear(batch);
		}
		entry = use_uuid(second, &uuid);
		say(1, GROUP, "a good one");
		save();
		if (same_thing(first, second))
			assert_int_equal(entry->outcome, OUTCOME_DUPLICATE);
		else
			assert_refused(entry, FRAME_BAD_UUID);
		assert_int_equal(batch->entries[batch->count - 1].outcome,
		                 OUTCOME_SAVED);
		assert_consistent();
	}
}

/* Of the entry that made the group, and of a change that an old version made.
 */
static void a_uuid_of_something_else_is_refused(void **state)
{
	static const char *const uses[] = {
		"UPDATE messages SET uuid ="
		" UNHEX('01020304050607080102030405060708')"
		" WHERE conversation = 17 AND seq = 1",
		"INSERT INTO revisions (conversation, revision, seq, kind,"
		" sender, uuid, created_at) VALUES (18, 1, 1, 1, 1,"
		" UNHEX('01020304050607080102030405060708'), NOW(3))",
	};
	static const struct uuid uuid = {
		{1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8}};

	for (unsigned i = 0; i < 2 * ARRAY_LEN(uses); i++) {
		struct batch_entry *entry;

		(void)begin(state);
		say(1, GROUP, "two");
		save();
		batch_clear(batch);
		chat_execute("%s", uses[i / 2]);
		if (i == 2)
			continue; /* an old change does not hold its uuid */
		entry = use_uuid(i % 2 ? EDIT : MESSAGE, &uuid);
		save();
		assert_refused(entry, FRAME_BAD_UUID);
		assert_consistent();
	}
}

/* --- queries of gateways ------------------------------------------------- */
/* On the transaction's connection, where every statement is in a transaction.
 */
static struct span ask(const struct save_record *record)
{
	static struct query_handler *handler;
	struct span answer;

	query_handler_destroy(&handler);
	handler = query_handler_create(sql);
	assert_int_equal(sql_begin(sql), ST_OK);
	assert_int_equal(query_handler_answer(handler, record, &answer), ST_OK);
	sql_rollback(sql);
	return answer;
}

static void assert_answer(const struct save_record *record, const char *wanted)
{
	struct span answer = ask(record);

	if (!span_equal(answer, span_of(wanted)))
		fail_msg("%.*s is not %s", (int)answer.len, answer.data,
		         wanted);
}

static struct span ask_rooms(const char *users)
{
	return ask(&(struct save_record){.kind = SAVE_ROOMS,
	                                 .users = span_of(users)});
}

static void assert_rooms(const char *users, const char *wanted)
{
	assert_answer(&(struct save_record){.kind = SAVE_ROOMS,
	                                    .users = span_of(users)},
	              wanted);
}

static void assert_roster(uint64_t user, uint64_t conversation,
                          const char *wanted)
{
	assert_answer(&(struct save_record){.kind = SAVE_ROSTER,
	                                    .sender = user,
	                                    .conversation = conversation},
	              wanted);
}

static void assert_keys(const char *conversations, const char *wanted)
{
	assert_answer(
		&(struct save_record){.kind = SAVE_KEYS,
	                              .conversations = span_of(conversations)},
		wanted);
}

static void a_gateway_gets_rooms_and_rosters(void **state)
{
	uint64_t pair;
	char wanted[64];

	(void)state;
	put(1, 2, NULL, "hi");
	save();
	pair = batch->entries[0].saved.conversation;
	chat_execute("INSERT INTO blocks VALUES"
	             " (2, 1, NOW(3))");
	assert_rooms("2", "2=18:1");
	assert_rooms("3,2,9,3", "2=18:1/3=/9=");
	assert_rooms("9", "9=");
	assert_roster(1, GROUP, "17:2,3");
	assert_roster(STRANGER, GROUP, "17:");
	assert_roster(1, CHANNEL, "18:");
	snprintf(wanted, sizeof(wanted), "%llu:", (unsigned long long)pair);
	assert_roster(1, pair, wanted);
	assert_roster(2, pair, wanted);
}

static void a_gateway_gets_the_keys_of_conversations(void **state)
{
	uint64_t pair;
	char asked[64], wanted[64];

	(void)state;
	put(2, 1, NULL, "hi");
	save();
	pair = batch->entries[0].saved.conversation;
	batch_clear(batch);
	snprintf(asked, sizeof(asked), "%llu,18,17,9,17",
	         (unsigned long long)pair);
	snprintf(wanted, sizeof(wanted), "9=,17=c:17,18=c:18,%llu=d:1:2",
	         (unsigned long long)pair);
	assert_keys(asked, wanted);
	assert_keys("17", "17=c:17");
	assert_keys("9007199254740991", "9007199254740991=");
}

static void assert_block_change(const struct batch_entry *entry,
                                const char *wanted)
{
	assert_int_equal(entry->outcome, OUTCOME_NOTIFIED);
	assert_true(span_equal(entry->answer, span_of(wanted)));
}

/* Those from large conversations, the newest first. */
static void a_gateway_gets_the_rooms_that_users_have_left(void **state)
{
	(void)state;
	chat_execute("INSERT INTO departures (user, conversation, seq)"
	             " VALUES (9, 18, 40), (9, 17, 7), (2, 4000, 1)");
	assert_rooms("9", "9=/-9=18:40");
	assert_rooms("2,9", "2=18:1/9=/-9=18:40");
	assert_rooms("3", "3=");
}

static void a_gateway_gets_the_users_who_block(void **state)
{
	(void)state;
	chat_execute("INSERT INTO blocks VALUES"
	             " (2, 1, NOW(3)),(3, 1, NOW(3)),(2, 9, NOW(3))");
	assert_rooms("9", "9=;2");
	assert_rooms("1,2", "1=18:1;2,3/2=18:1");
	put(2, 1, NULL, "")->record.kind = SAVE_BLOCKED;
	put(1, 2, NULL, "")->record.kind = SAVE_BLOCKED;
	save();
	assert_block_change(&batch->entries[0], "+2");
	assert_block_change(&batch->entries[1], "-1");
}

static void a_query_may_name_the_highest_number_of_users(void **state)
{
	struct buf users CLEANUP(buf_free) = BUF(SAVE_RECORD_MAX);
	struct span answer, rooms, blockers;
	uint64_t user, last = 0;
	unsigned count = 0;

	(void)state;
	for (unsigned i = SAVE_USERS_MAX; i > 0; i--)
		event_key_add(&users, i);
	answer = ask_rooms(buf_text(&users));
	while (event_answer_next(&answer, &user, &rooms, &blockers)) {
		assert_int_equal(user, last + 1);
		assert_int_equal(rooms.len, user <= 2 ? 4 : 0);
		assert_int_equal(blockers.len, 0);
		last = user;
		count++;
	}
	assert_int_equal(count, SAVE_USERS_MAX);
	assert_int_equal(answer.len, 0);
}

static void the_list_of_blockers_is_cut_to_fit(void **state)
{
	enum { BLOCKERS = 40000 };
	struct span answer, rooms, blockers;
	uint64_t user, by, count = 0;

	(void)state;
	chat_execute(
		"INSERT INTO blocks SELECT 900719925400000 + seq, 2, NOW(3)"
		" FROM " CHAT_NUMBERS_TO(40000));
	answer = ask_rooms("2,3");
	assert_true(event_answer_next(&answer, &user, &rooms, &blockers));
	assert_int_equal(user, 2);
	assert_true(span_equal(rooms, SPAN("18:1")));
	while (event_key_next(&blockers, &by))
		assert_int_equal(by, 900719925400000 + ++count);
	assert_int_equal(blockers.len, 0);
	assert_in_range(count, BLOCKERS / 2, BLOCKERS - 1);
	assert_true(event_answer_next(&answer, &user, &rooms, &blockers));
	assert_int_equal(user, 3);
	assert_int_equal(rooms.len + blockers.len + answer.len, 0);
}

/* Doubles the blockers of 2 up to 2^17, and gives users 3 to 5 some each. */
static void block_much(void)
{
	chat_execute("INSERT INTO blocks VALUES (1000000, 2, NOW(3)),"
	             " (7, 3, NOW(3)), (8, 4, NOW(3)), (9, 5, NOW(3))");
	for (unsigned i = 0; i < 17; i++)
		chat_execute("INSERT INTO blocks SELECT user + %u, 2,"
		             " created_at FROM blocks WHERE blocked = 2",
		             1u << i);
}

static unsigned count_answered(struct span answer, uint64_t *ret_users,
                               unsigned max)
{
	struct span rooms, blockers;
	unsigned count = 0;

	while (event_answer_next(&answer, &ret_users[count], &rooms,
	                         &blockers)) {
		assert_true(rooms.len + blockers.len <= 512 * 1024);
		assert_true(++count < max);
	}
	return count;
}

/* Users that a query has no answer for are in the next one. */
static void very_many_blockers_do_not_hold_up_the_others(void **state)
{
	uint64_t answered[5];

	(void)state;
	block_much();
	/* 2 is cut; the statement ends before it reaches 3. */
	assert_int_equal(count_answered(ask_rooms("1,2,3,4"), answered, 5), 2);
	assert_int_equal(answered[0], 1);
	assert_int_equal(answered[1], 2);
	assert_int_equal(count_answered(ask_rooms("3,4"), answered, 5), 2);
	/* After others with blockers 2 waits for a query of its own. */
	chat_execute("INSERT INTO blocks VALUES (9, 1, NOW(3))");
	assert_int_equal(count_answered(ask_rooms("1,2"), answered, 5), 1);
	assert_int_equal(answered[0], 1);
	assert_int_equal(count_answered(ask_rooms("2,3"), answered, 5), 1);
	assert_int_equal(answered[0], 2);
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
	assert_int_equal(chat_number("SELECT COUNT(*) FROM revisions"),
	                 chat_number("SELECT revision FROM conversations WHERE"
	                             " id = 17"));
	assert_int_equal(chat_number("SELECT COUNT(*) FROM revisions"),
	                 2 * BATCH_RECORDS_MAX / 5);
	assert_consistent();
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_message_to_a_group_is_for_all_its_members),
		TEST(a_large_channel_has_the_room_as_its_key),
		TEST(a_non_member_gets_the_error_of_a_missing_conversation),
		TEST(a_removed_member_is_refused_despite_the_cache),
		TEST(a_retried_batch_looks_its_recipients_up_again),
		TEST(a_retried_saved_message_gets_its_recipients_again),
		TEST(a_new_member_is_accepted_despite_the_cache),
		TEST(a_reply_needs_a_message_that_its_sender_sees),
		TEST(a_pair_named_by_its_conversation_is_retryable),
		TEST(pending_outbox_events_go_first),
		TEST(a_blocked_message_makes_no_conversation),
		TEST(a_block_is_silence_in_the_pair_only),
		TEST(a_duplicate_does_not_reach_a_user_who_blocks_meanwhile),
		TEST(a_changed_block_list_evicts_the_pair),
		TEST(receipts_rise_up_to_the_last_seq),
		TEST(receipts_of_a_pair_go_to_both_users),
		TEST(an_author_edits_and_deletes),
		TEST(reactions_are_a_set_for_each_user),
		TEST(a_uuid_names_one_thing),
		TEST(a_uuid_of_something_else_is_refused),
		TEST(a_gateway_gets_rooms_and_rosters),
		TEST(a_gateway_gets_the_rooms_that_users_have_left),
		TEST(a_gateway_gets_the_keys_of_conversations),
		TEST(a_gateway_gets_the_users_who_block),
		TEST(a_query_may_name_the_highest_number_of_users),
		TEST(the_list_of_blockers_is_cut_to_fit),
		TEST(very_many_blockers_do_not_hold_up_the_others),
		TEST(a_repeated_batch_of_all_kinds_changes_nothing),
	};

	return cmocka_run_group_tests(tests, transaction_fixture_start,
	                              transaction_fixture_stop);
}
