/*
 * Refusals that stay final, and the fence against a former owner, against a
 * real server. A second transaction is the next owner of the partitions, as
 * after the death of a process, which reads their records again.
 */
#include "persistence-service/save/owner/refusals.h"
#include "persistence-service/save/tests/transaction_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { OFFSET = 100, NOW_MS = 1000 };

static struct sql *next_sql;
static struct transaction *next;

/*
 * A group of 1 and 2: a message, a change of members. The pair of 1 and 2: a
 * message of each.
 */
static int begin(void **state)
{
	(void)transaction_fixture_empty(state);
	chat_execute(
		"INSERT INTO conversations (id, kind, ckey, name, last_seq,"
		" last_message_id, created_by, created_at, member_count)"
		" VALUES (17,2,'c:17','g',2,3,1,NOW(3),2),"
		"(18,1,'d:1:2',NULL,2,4,1,NOW(3),0)");
	chat_execute("INSERT INTO members (user, conversation, role, joined_at)"
	             " VALUES (1,17,3,NOW(3)),(2,17,1,NOW(3)),"
	             "(1,18,1,NOW(3)),(2,18,1,NOW(3))");
	chat_execute("INSERT INTO messages (conversation, seq, id, sender,"
	             " uuid, created_at, body, kind) VALUES"
	             " (17,1,1,1,UNHEX(REPLACE(UUID(),'-','')),NOW(3),'a',1),"
	             "(17,2,3,1,UNHEX(REPLACE(UUID(),'-','')),NOW(3),'{}',2),"
	             "(18,1,2,1,UNHEX(REPLACE(UUID(),'-','')),NOW(3),'b',1),"
	             "(18,2,4,2,UNHEX(REPLACE(UUID(),'-','')),NOW(3),'c',1)");
	next_sql = chat_connect();
	next = transaction_create(next_sql, &transaction_options);
	return 0;
}

static int end(void **state)
{
	(void)state;
	transaction_destroy(&next);
	sql_destroy(&next_sql);
	return 0;
}

/* --- records ------------------------------------------------------------- */
static struct uuid uuid_of(unsigned char number)
{
	return (struct uuid){{number, 2, 3}};
}

static struct batch_entry *at(struct batch_entry *entry, int64_t offset)
{
	entry->partition = 3;
	entry->offset = offset;
	entry->record.uuid = uuid_of(1);
	entry->record.sent_at_ms = NOW_MS;
	return entry;
}

static struct batch_entry *message(uint64_t sender, uint64_t user_to,
                                   uint64_t conversation)
{
	struct batch_entry *entry =
		at(put_kind(SAVE_MESSAGE, sender, conversation, 0), OFFSET);

	entry->record.user_to = user_to;
	entry->record.message = SPAN("hi");
	return entry;
}

static struct batch_entry *change(enum save_kind kind, uint64_t sender,
                                  uint64_t conversation, uint64_t seq)
{
	struct batch_entry *entry =
		at(put_kind(kind, sender, conversation, seq), OFFSET);

	if (conversation == 18)
		entry->record.user_to = sender == 1 ? 2 : 1;
	if (kind == SAVE_REACT)
		entry->record.reaction = SPAN("z");
	else if (kind == SAVE_EDIT)
		entry->record.message = SPAN("edited");
	return entry;
}

static struct batch_entry *message_of_stranger(void)
{
	return message(STRANGER, 0, GROUP);
}

static struct batch_entry *message_of_blocked(void)
{
	return message(2, 1, 0);
}

static struct batch_entry *message_of_blocker(void)
{
	return message(1, 2, 0);
}

static struct batch_entry *bad_reply(void)
{
	struct batch_entry *entry = message(1, 0, GROUP);

	entry->record.reply_to = 2;
	return entry;
}

static struct batch_entry *message_under_a_used_uuid(void)
{
	return message(1, 0, GROUP);
}

static struct batch_entry *poison(void)
{
	struct batch_entry *entry = message(1, 0, GROUP);

	entry->record.message = SPAN("poison");
	return entry;
}

static struct batch_entry *edit_of_stranger(void)
{
	return change(SAVE_EDIT, STRANGER, GROUP, 1);
}

static struct batch_entry *edit_of_another_user(void)
{
	return change(SAVE_EDIT, 2, GROUP, 1);
}

static struct batch_entry *reaction_of_blocked(void)
{
	return change(SAVE_REACT, 2, 18, 1);
}

static struct batch_entry *edit_of_no_message(void)
{
	return change(SAVE_EDIT, 1, GROUP, 2);
}

static struct batch_entry *edit_of_blocked(void)
{
	return change(SAVE_EDIT, 2, 18, 2);
}

static struct batch_entry *edit_of_blocker(void)
{
	return change(SAVE_EDIT, 1, 18, 1);
}

static struct batch_entry *edit_under_a_used_uuid(void)
{
	return change(SAVE_EDIT, 1, GROUP, 1);
}

static struct batch_entry *poisonous_edit(void)
{
	struct batch_entry *entry = change(SAVE_EDIT, 1, GROUP, 1);

	entry->record.message = SPAN("poison");
	return entry;
}

static struct batch_entry *delete_of_another_user(void)
{
	return change(SAVE_DELETE, 2, GROUP, 1);
}

static struct batch_entry *delete_of_no_message(void)
{
	return change(SAVE_DELETE, 1, GROUP, 2);
}

static struct batch_entry *delete_of_stranger(void)
{
	return change(SAVE_DELETE, STRANGER, GROUP, 1);
}

static struct batch_entry *delete_under_a_used_uuid(void)
{
	return change(SAVE_DELETE, 1, GROUP, 1);
}

static struct batch_entry *reaction_of_blocker(void)
{
	return change(SAVE_REACT, 1, 18, 1);
}

static struct batch_entry *reaction_to_no_message(void)
{
	return change(SAVE_REACT, 1, GROUP, 2);
}

static struct batch_entry *reaction_under_a_used_uuid(void)
{
	return change(SAVE_REACT, 1, GROUP, 1);
}

static struct batch_entry *reaction_of_stranger(void)
{
	return change(SAVE_REACT, STRANGER, GROUP, 1);
}

static struct batch_entry *one_reaction_too_many(void)
{
	return change(SAVE_REACT, 1, GROUP, 1);
}

/* --- the reason, which goes ---------------------------------------------- */
#define INVITE_STRANGER \
	"INSERT INTO members (user, conversation, role, joined_at)" \
	" VALUES (9,17,1,NOW(3))"
#define BLOCK               "INSERT INTO blocks VALUES (1, 2, NOW(3))"
#define UNBLOCK             "DELETE FROM blocks"
#define PROMOTE             "UPDATE messages SET sender = 2 WHERE conversation < 19"
#define MAKE_MESSAGE        "UPDATE messages SET kind = 1 WHERE seq = 2"
#define WRITTEN_BY_STRANGER "UPDATE messages SET sender = 9 WHERE id = 1"
#define USE_UUID(kind) \
	"INSERT INTO messages (conversation, seq, sender, uuid, created_at," \
	" body, kind) VALUES " \
	"(0,1,1,UNHEX(RPAD('010203',32,'0')),NOW(3),''," kind ")"
#define FOR_MESSAGE USE_UUID("1")
#define FOR_CHANGE  USE_UUID("3")
#define FREE_UUID   "DELETE FROM messages WHERE conversation = 0"
#define THREE_REACTIONS \
	"INSERT INTO reactions VALUES (17,1,'a',2),(17,1,'b',2),(17,1,'c',2)"

static const struct {
	const char *name;
	struct batch_entry *(*put)(void);
	const char *reason; /* NULL: it is there from the start */
	const char *gone;
	enum frame_code code;
	bool dead;
} rows[] = {
	{"a stranger's message", message_of_stranger, NULL, INVITE_STRANGER,
         FRAME_UNKNOWN_CONVERSATION, false},
	{"a blocked user's message", message_of_blocked, BLOCK, UNBLOCK,
         FRAME_UNKNOWN_USER, false},
	{"a blocking user's message", message_of_blocker, BLOCK, UNBLOCK,
         FRAME_NOT_ALLOWED, false},
	{"a reply to no message", bad_reply, NULL, MAKE_MESSAGE,
         FRAME_UNKNOWN_MESSAGE, false},
	{"a message under a used uuid", message_under_a_used_uuid, FOR_CHANGE,
         FREE_UUID, FRAME_BAD_UUID, false},
	{"poison", poison, NULL, "SET @unused = 1", FRAME_NOT_STORABLE, true},
	{"a stranger's edit", edit_of_stranger, WRITTEN_BY_STRANGER,
         INVITE_STRANGER, FRAME_UNKNOWN_CONVERSATION, false},
	{"an edit by another user", edit_of_another_user, NULL, PROMOTE,
         FRAME_NOT_ALLOWED, false},
	{"a blocked user's reaction", reaction_of_blocked, BLOCK, UNBLOCK,
         FRAME_UNKNOWN_USER, false},
	{"an edit of no message", edit_of_no_message, NULL, MAKE_MESSAGE,
         FRAME_UNKNOWN_MESSAGE, false},
	{"a deletion by another user", delete_of_another_user, NULL, PROMOTE,
         FRAME_NOT_ALLOWED, false},
	{"a stranger's reaction", reaction_of_stranger, NULL, INVITE_STRANGER,
         FRAME_UNKNOWN_CONVERSATION, false},
	{"one reaction too many", one_reaction_too_many, THREE_REACTIONS,
         "DELETE FROM reactions", FRAME_TOO_MANY, false},
	{"a blocked user's edit", edit_of_blocked, BLOCK, UNBLOCK,
         FRAME_UNKNOWN_USER, false},
	{"a blocking user's edit", edit_of_blocker, BLOCK, UNBLOCK,
         FRAME_NOT_ALLOWED, false},
	{"an edit under a used uuid", edit_under_a_used_uuid, FOR_MESSAGE,
         FREE_UUID, FRAME_BAD_UUID, false},
	{"a poisonous edit", poisonous_edit, NULL, "SET @unused = 1",
         FRAME_NOT_STORABLE, true},
	{"a blocking user's reaction", reaction_of_blocker, BLOCK, UNBLOCK,
         FRAME_NOT_ALLOWED, false},
	{"a reaction to no message", reaction_to_no_message, NULL, MAKE_MESSAGE,
         FRAME_UNKNOWN_MESSAGE, false},
	{"a reaction under a used uuid", reaction_under_a_used_uuid,
         FOR_MESSAGE, FREE_UUID, FRAME_BAD_UUID, false},
	{"a deletion of no message", delete_of_no_message, NULL, MAKE_MESSAGE,
         FRAME_UNKNOWN_MESSAGE, false},
	{"a stranger's deletion", delete_of_stranger, WRITTEN_BY_STRANGER,
         INVITE_STRANGER, FRAME_UNKNOWN_CONVERSATION, false},
	{"a deletion under a used uuid", delete_under_a_used_uuid, FOR_MESSAGE,
         FREE_UUID, FRAME_BAD_UUID, false},
};

static void assert_told(const struct batch_entry *entry, enum frame_code code,
                        const char *name)
{
	if (entry->outcome != OUTCOME_REFUSED || entry->code != code)
		fail_msg("%s: outcome %d, code %s", name, (int)entry->outcome,
		         frame_code_text(entry->code));
}

static void a_told_refusal_is_final(void **state)
{
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct batch_entry *entry;

		if (i) {
			(void)end(state);
			(void)begin(state);
		}
		if (rows[i].reason)
			chat_execute("%s", rows[i].reason);
		entry = rows[i].put();
		save();
		if (rows[i].dead)
			assert_int_equal(entry->outcome, OUTCOME_DEAD);
		else
			assert_told(entry, rows[i].code, rows[i].name);
		chat_execute("%s", rows[i].gone);
		batch_clear(batch); /* the process dies before the commit */
		entry = rows[i].put();
		if (rows[i].dead)
			entry->record.message = SPAN("the limit was raised");
		save_with(next, next_sql);
		assert_told(entry, rows[i].code, rows[i].name);
		/* A client that sends again is judged anew. */
		batch_clear(batch);
		entry = rows[i].put();
		if (rows[i].dead)
			entry->record.message = SPAN("shorter");
		entry->offset++;
		entry->record.sent_at_ms = UINT64_C(1) << 52;
		save_with(next, next_sql);
		if (entry->outcome != OUTCOME_SAVED)
			fail_msg("%s: sent again: %d", rows[i].name,
			         (int)entry->outcome);
		/* The old record once more: it has been saved now. */
		batch_clear(batch);
		entry = rows[i].put();
		transaction_evict_caches(next);
		save_with(next, next_sql);
		assert_int_equal(entry->outcome, OUTCOME_DUPLICATE);
	}
}

static uint64_t now_ms(void)
{
	return chat_number("SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS"
	                   " UNSIGNED)");
}

/* As when a client reconnects before it has its answer. */
static void a_copy_of_a_refused_send_is_refused(void **state)
{
	struct batch_entry *entry = message_of_stranger();
	uint64_t sent_at_ms = now_ms() - 1000;

	(void)state;
	entry->record.sent_at_ms = sent_at_ms;
	save();
	assert_told(entry, FRAME_UNKNOWN_CONVERSATION, "the first");
	chat_execute(INVITE_STRANGER);
	chat_execute("INSERT INTO messages (conversation, seq, id, sender,"
	             " uuid, created_at, body, kind) VALUES (17,3,50,1,"
	             "UNHEX(REPLACE(UUID(),'-','')),NOW(3),'{}',2)");
	chat_execute("UPDATE conversations SET last_seq = 3,"
	             " last_message_id = 50 WHERE id = 17");
	batch_clear(batch);
	entry = message_of_stranger();
	entry->offset++;
	entry->record.sent_at_ms = sent_at_ms;
	save();
	assert_told(entry, FRAME_UNKNOWN_CONVERSATION, "the copy");
	batch_clear(batch);
	entry = message_of_stranger();
	entry->offset += 2;
	entry->record.sent_at_ms = now_ms() + 1000;
	save();
	assert_int_equal(entry->outcome, OUTCOME_SAVED);
}

static void a_passing_refusal_may_turn(void **state)
{
	struct batch_entry *entry = message(1, 0, 18); /* a pair, by its id */

	(void)state;
	save();
	assert_told(entry, FRAME_UNAVAILABLE, "by id");
	assert_int_equal(chat_number("SELECT COUNT(*) FROM refusals"), 0);
	batch_clear(batch);
	entry = message(1, 2, 0);
	save();
	assert_int_equal(entry->outcome, OUTCOME_SAVED);
}

static void old_rows_are_deleted_below_the_committed_offset(void **state)
{
	bool more = true;

	(void)state;
	(void)message_of_stranger();
	save();
	assert_true(transaction_may_prune(transaction));
	chat_execute("INSERT INTO refusals SELECT topic, kafka_partition,"
	             " kafka_offset + seq, sender, uuid, code,"
	             " refused_at_ms - 3600000 * (seq %% 2) FROM refusals"
	             " JOIN (SELECT 1 AS seq UNION SELECT 2 UNION SELECT 3"
	             " UNION SELECT 11) s");
	assert_int_equal(transaction_prune(transaction, 3, OFFSET + 10, &more),
	                 ST_OK);
	assert_false(more);
	assert_string_equal(chat_text("SELECT kafka_offset FROM refusals"
	                              " ORDER BY kafka_offset"),
	                    "100 102 111");
	assert_int_equal(transaction_prune(transaction, 4, OFFSET + 10, &more),
	                 ST_OK);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM refusals"), 3);
}

/* --- very many refusals --------------------------------------------------- */
enum { MANY = 40000, OLD = 2500 };

/* What a few users make within minutes, in one partition. Some are old. */
static void fill_refusals(void)
{
	chat_execute("INSERT INTO refusals (topic, kafka_partition,"
	             " kafka_offset, sender, uuid, code, refused_at_ms)"
	             " SELECT '%s', 3, 1000 + seq, 7,"
	             " UNHEX(LPAD(HEX(seq), 32, '0')), 'unknown_message',"
	             " UNIX_TIMESTAMP() * 1000 - IF(seq <= %u, 7200000, 0)"
	             " FROM numbers WHERE seq <= %u",
	             transaction_options.topic, OLD, MANY);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM refusals"), MANY);
}

static uint64_t rows_read(struct sql *handle)
{
	static const char *const counters[] = {"first", "last", "next", "prev",
	                                       "key"};
	uint64_t count = 0;

	assert_int_equal(sql_begin(handle), ST_OK);
	for (unsigned i = 0; i < ARRAY_LEN(counters); i++) {
		struct sql_value row[2]; /* the name, the value */
		char text[80];
		uint64_t read;

		(void)snprintf(text, sizeof(text),
		               "SHOW SESSION STATUS LIKE 'Handler_read_%s'",
		               counters[i]);
		assert_int_equal(sql_run(handle, text, NULL, 0), ST_OK);
		assert_int_equal(sql_fetch(handle, row, 2), ST_OK);
		assert_true(span_to_u64(row[1].bytes, UINT64_MAX, &read));
		count += read;
	}
	assert_int_equal(sql_commit(handle), ST_OK);
	return count;
}

/* Each row is one more call. */
static void each_deletion_reads_a_bounded_number_of_rows(void **state)
{
	static const struct {
		int64_t committed;
		unsigned left;
		bool more;
	} calls[] = {
		{1000, MANY, false}, /* nothing is below */
		{1011, MANY - 10, false},
		{1000 + MANY, MANY - 1000 - 10, true},
		{1000 + MANY, MANY - 2000 - 10, true},
		{1000 + MANY, MANY - OLD, true},
		{1000 + MANY, MANY - OLD, false}, /* the others are young */
		{INT64_MAX, MANY - OLD, false},
	};

	(void)state;
	fill_refusals();
	for (unsigned i = 0; i < ARRAY_LEN(calls); i++) {
		uint64_t before = rows_read(next_sql);
		bool more = !calls[i].more;

		assert_int_equal(
			transaction_prune(next, 3, calls[i].committed, &more),
			ST_OK);
		assert_int_equal(more, calls[i].more);
		assert_int_equal(chat_number("SELECT COUNT(*) FROM refusals"),
		                 calls[i].left);
		assert_true(rows_read(next_sql) - before <
		            2 * REFUSALS_PRUNED_MAX + 100);
	}
}

static void the_next_owner_reads_a_bounded_number_of_rows(void **state)
{
	struct batch_entry *entry = message_of_stranger();
	uint64_t before;

	(void)state;
	fill_refusals();
	entry->offset = 1000 + MANY + 1;
	save();
	assert_refused(entry, FRAME_UNKNOWN_CONVERSATION);
	chat_execute(INVITE_STRANGER);
	batch_clear(batch); /* the process dies before the commit */
	entry = message_of_stranger();
	entry->offset = 1000 + MANY + 1;
	before = rows_read(next_sql);
	save_with(next, next_sql);
	assert_refused(entry, FRAME_UNKNOWN_CONVERSATION);
	assert_true(rows_read(next_sql) - before < REFUSALS_LOADED_MAX + 1000);
}

/* --- the fence ----------------------------------------------------------- */
/*
 * A process reads the stranger's message and is stopped. The next owner of the
 * partition refuses it and tells so. The stranger is invited. The first process
 * wakes up and saves its batch.
 */
static void a_former_owner_saves_nothing(void **state)
{
	struct batch *stopped = batch;
	struct batch *other = batch_create(BATCH_RECORDS_MAX);

	(void)state;
	at(message(1, 0, GROUP), 1)->record.uuid = uuid_of(9);
	save(); /* claims the partition */
	batch_clear(batch);
	(void)message_of_stranger();
	at(message(1, 0, GROUP), OFFSET + 1)->record.uuid = uuid_of(8);

	batch = other;
	(void)message_of_stranger();
	save_with(next, next_sql);
	assert_told(&other->entries[0], FRAME_UNKNOWN_CONVERSATION, "next");
	chat_execute(INVITE_STRANGER);

	batch = stopped;
	assert_int_equal(transaction_save(transaction, batch), ST_DENIED);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM messages"), 5);
	assert_int_equal(batch->entries[0].outcome, OUTCOME_OPEN);

	/* It joins again, and gets the partition back. */
	transaction_evict_caches(transaction);
	save();
	assert_told(&batch->entries[0], FRAME_UNKNOWN_CONVERSATION, "back");
	assert_int_equal(batch->entries[1].outcome, OUTCOME_SAVED);
	batch = other;
	batch_clear(batch);
	at(message(1, 0, GROUP), OFFSET + 2)->record.uuid = uuid_of(7);
	assert_int_equal(transaction_save(next, batch), ST_DENIED);
	batch = stopped;
	batch_destroy(&other);
	assert_consistent();
}

/* Partitions of several owners, and records of none of them. */
static void owners_of_different_partitions_do_not_meet(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		batch_clear(batch);
		at(message(1, 0, GROUP), round)->record.uuid =
			uuid_of((unsigned char)(10 + round));
		save();
		batch_clear(batch);
		at(message(1, 2, 0), round)->record.uuid =
			uuid_of((unsigned char)(20 + round));
		batch->entries[0].partition = 4;
		save_with(next, next_sql);
		assert_int_equal(batch->entries[0].outcome, OUTCOME_SAVED);
	}
	assert_string_equal(chat_text("SELECT CONCAT_WS(':', kafka_partition,"
	                              " epoch) FROM save_owners"
	                              " ORDER BY kafka_partition"),
	                    "3:1 4:1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_told_refusal_is_final),
		TEST(a_copy_of_a_refused_send_is_refused),
		TEST(a_passing_refusal_may_turn),
		TEST(old_rows_are_deleted_below_the_committed_offset),
		TEST(each_deletion_reads_a_bounded_number_of_rows),
		TEST(the_next_owner_reads_a_bounded_number_of_rows),
		TEST(a_former_owner_saves_nothing),
		TEST(owners_of_different_partitions_do_not_meet),
	};

	return cmocka_run_group_tests(tests, transaction_fixture_start,
	                              transaction_fixture_stop);
}
