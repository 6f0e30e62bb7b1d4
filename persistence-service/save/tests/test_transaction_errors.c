/*
 * The transaction when a statement fails: each statement of a batch with all
 * kinds of records fails once with each error, before or after the server has
 * executed it. In the end the tables and the outcomes of the records are those
 * of an undisturbed run.
 */
#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/io/sql/fault.h"
#include "persistence-service/save/conversation/roster.h"
#include "persistence-service/save/tests/transaction_fixture.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	PAIR = 19,
	BLOCKED_PAIR = 20,
	FIRST_NEW = 1000, /* id of a conversation that the batch makes */
	PARTITION = 2,
	ENTRIES_MAX = 64,
	ANNOUNCED = 21, /* it only has a row in the outbox */
	STATEMENTS_MAX = 1000,
	TRIES_MAX = 8,
	RESULT_MAX = 512,
	STATE_MAX = 64 * 1024,
};

static const unsigned errors[] = {
	1205, /* lock wait timeout */
	1213, /* deadlock */
	1062, /* duplicate key */
	2006, /* the server has gone away */
	2013, /* the connection is lost */
	1153, /* the packet is too large */
	1290, /* the server is read-only */
	1114, /* the table is full */
};

/* --- the tables ---------------------------------------------------------- */
/* As a procedure the server needs a single round trip for it. */
static const char *const reset_procedure =
	"CREATE PROCEDURE reset_chat() BEGIN START TRANSACTION;"
	" DELETE FROM conversations;"
	" DELETE FROM members;"
	" DELETE FROM messages;"
	" DELETE FROM revisions;"
	" DELETE FROM reactions;"
	" DELETE FROM blocks;"
	" DELETE FROM outbox;"
	" DELETE FROM large_members;"
	" DELETE FROM refusals;"
	" INSERT INTO conversations (id, kind, ckey, name, last_seq, "
	" last_message_id, created_by, created_at, member_count, large, "
	" revision) VALUES  (17,2,'c:17','g',3,3,1,NOW(3),3,0,1),"
	"  (18,3,'c:18','c',1,4,1,NOW(3),2,1,0),"
	"  (19,1,'d:1:2',NULL,2,6,1,NOW(3),0,0,0),"
	"  (20,1,'d:1:4',NULL,1,7,1,NOW(3),0,0,0);"
	" INSERT INTO members (user, conversation, role, joined_at) VALUES"
	"  (1,17,3,NOW(3)),"
	"  (2,17,2,NOW(3)),"
	"  (3,17,1,NOW(3)),"
	"  (1,18,3,NOW(3)),"
	"  (2,18,1,NOW(3)),"
	"  (1,19,1,NOW(3)),"
	"  (2,19,1,NOW(3)),"
	"  (1,20,1,NOW(3)),"
	"  (4,20,1,NOW(3));"
	" INSERT INTO large_members VALUES"
	"  (1,18),"
	"  (2,18);"
	" INSERT INTO messages (conversation, seq, id, sender, uuid, "
	" created_at, body, kind, revision) VALUES "
	" (17,1,1,1,UNHEX(LPAD('f1',32,'0')),NOW(3),'{}',2,0),"
	"  (17,2,2,1,UNHEX(LPAD('f2',32,'0')),NOW(3),'edited',1,1),"
	"  (17,3,3,1,UNHEX(LPAD('f3',32,'0')),NOW(3),'to be deleted',1,0),"
	"  (18,1,4,1,UNHEX(LPAD('f4',32,'0')),NOW(3),'{}',2,0),"
	"  (19,1,5,1,UNHEX(LPAD('f5',32,'0')),NOW(3),'saved before',1,0),"
	"  (19,2,6,2,UNHEX(LPAD('f6',32,'0')),NOW(3),'hi',1,0),"
	"  (20,1,7,4,UNHEX(LPAD('f7',32,'0')),NOW(3),'hi',1,0);"
	" INSERT INTO revisions (conversation, revision, seq, kind,"
	" sender,  uuid, created_at) VALUES"
	"  (17,1,2,1,1,UNHEX(LPAD('e1',32,'0')),NOW(3));"
	" INSERT INTO blocks VALUES"
	"  (4,1,NOW(3));"
	" INSERT INTO outbox (kind, conversation, target, room, body)  VALUES"
	"  (1,17,'1,2,3','17:1:=','{}'),"
	"  (1,21,'1','21:1:=','{}');"
	" COMMIT;"
	" END";

/* The tables without ids and times, as one text. */
static const char *const state_queries[] = {
	"SELECT CONCAT_WS(' ', 'c', ckey, last_seq, revision,"
	" (SELECT HEX(uuid) FROM messages x WHERE x.id = last_message_id),"
	" ';') FROM conversations ORDER BY ckey",
	"SELECT CONCAT_WS(' ', 'u', user, ckey, delivered_seq, read_seq, ';')"
	" FROM members m JOIN conversations c ON c.id = conversation"
	" ORDER BY ckey, user",
	"SELECT CONCAT_WS(' ', 'm', ckey, seq, sender, HEX(uuid), body,"
	" x.revision, reply_to, x.deleted_at IS NOT NULL, ';') FROM messages x"
	" JOIN conversations c ON c.id = conversation ORDER BY ckey, seq",
	"SELECT CONCAT_WS(' ', 'x', kafka_partition, kafka_offset, sender,"
	" HEX(uuid), code, ';') FROM refusals"
	" ORDER BY kafka_partition, kafka_offset",
	"SELECT CONCAT_WS(' ', 'k', sender, HEX(uuid), ';') FROM messages"
	" WHERE conversation = 0 ORDER BY sender, uuid",
	"SELECT CONCAT_WS(' ', 'r', conversation, revision, seq, kind, sender,"
	" HEX(uuid), reaction, removed, ';') FROM revisions"
	" ORDER BY conversation, revision",
	"SELECT CONCAT_WS(' ', 'e', conversation, seq, reaction, user, ';')"
	" FROM reactions ORDER BY conversation, seq, reaction, user",
};

static void read_state(struct buf *ret_state)
{
	buf_clear(ret_state);
	for (unsigned i = 0; i < ARRAY_LEN(state_queries); i++)
		buf_append(ret_state,
		           span_of(chat_text("%s", state_queries[i])));
	assert_false(buf_overflowed(ret_state));
}

/* --- the records --------------------------------------------------------- */
static void set_uuid(struct batch_entry *entry, unsigned char first,
                     unsigned char last)
{
	entry->record.uuid = (struct uuid){0};
	entry->record.uuid.byte[0] = first;
	entry->record.uuid.byte[15] = last;
}

static struct batch_entry *send(uint64_t sender, uint64_t user_to,
                                uint64_t conversation, const char *text)
{
	struct batch_entry *entry =
		put_kind(SAVE_MESSAGE, sender, conversation, 0);

	entry->record.user_to = user_to;
	entry->record.message = span_of(text);
	set_uuid(entry, 1, (unsigned char)batch->count);
	return entry;
}

static struct batch_entry *change(enum save_kind kind, uint64_t sender,
                                  uint64_t seq, const char *text)
{
	struct batch_entry *entry = put_kind(kind, sender, GROUP, seq);

	if (kind == SAVE_REACT)
		entry->record.reaction = span_of(text);
	else
		entry->record.message = span_of(text);
	set_uuid(entry, 1, (unsigned char)batch->count);
	return entry;
}

static void put_messages(void)
{
	struct batch_entry *first = send(1, 2, 0, "to a pair");

	send(1, 5, 0, "to a new pair");
	send(5, 1, 0, "back");
	send(2, 0, GROUP, "to a group");
	send(2, 0, CHANNEL, "to a room");
	set_uuid(send(1, 2, 0, "a duplicate"), 0, 0xf5);
	send(1, 2, 0, "twice in the batch")->record.uuid = first->record.uuid;
	send(3, 0, GROUP, "a reply")->record.reply_to = 2;
	send(3, 0, GROUP, "a bad reply")->record.reply_to = 99;
	send(STRANGER, 0, GROUP, "not a member");
	send(STRANGER, 0, CHANNEL, "not a member");
	send(1, 0, 999, "no such conversation");
	send(1, 4, 0, "blocked");
}

static void put_changes(void)
{
	change(SAVE_EDIT, 1, 2, "edited again");
	set_uuid(change(SAVE_EDIT, 1, 2, "a duplicate"), 0, 0xe1);
	change(SAVE_REACT, 2, 2, "+1");
	change(SAVE_REACT, 3, 2, "+1");
	change(SAVE_REACT, 3, 2, "+1")->record.remove = true;
	change(SAVE_DELETE, 1, 3, "");
	change(SAVE_EDIT, 3, 2, "not the author");
	change(SAVE_EDIT, 1, 77, "no such message");
	change(SAVE_REACT, STRANGER, 2, "+1");
}

static void put_others(void)
{
	struct batch_entry *dead;

	put_kind(SAVE_DELIVERED, 3, GROUP, 2);
	put_kind(SAVE_READ, 3, GROUP, 1);
	put_kind(SAVE_READ, 2, PAIR, 2)->record.user_to = 1;
	put_kind(SAVE_READ, 1, CHANNEL, 1);
	put_kind(SAVE_READ, STRANGER, GROUP, 1);
	put_kind(SAVE_ROOMS, 2, 0, 0)->record.users = SPAN("2,1");
	put_kind(SAVE_ROSTER, 1, GROUP, 0);
	put(4, 1, NULL, "")->record.kind = SAVE_BLOCKED;
	put_kind(SAVE_MEMBERSHIP, 0, ANNOUNCED, 0)->record.row = UINT64_MAX;
	dead = send(1, 2, 0, "");
	dead->outcome = OUTCOME_DEAD;
	dead->why = "it could not be decoded";
}

static void put_all_kinds(void)
{
	put_messages();
	put_changes();
	put_others();
}

/* Without messages, and in two conversations. */
static void put_changes_and_receipts(void)
{
	struct batch_entry *entry = change(SAVE_EDIT, 1, 1, "to a pair");

	entry->record.conversation = PAIR;
	entry->record.user_to = 2;
	entry = change(SAVE_REACT, 1, 1, "+1");
	entry->record.conversation = BLOCKED_PAIR;
	entry->record.user_to = 4;
	put_kind(SAVE_READ, 2, PAIR, 2)->record.user_to = 1;
	change(SAVE_EDIT, 1, 2, "edited again");
	put_kind(SAVE_READ, 3, GROUP, 2);
}

static void put_poison(void)
{
	send(1, 2, 0, "good");
	send(1, 2, 0, "poison");
	change(SAVE_EDIT, 1, 2, "edited again");
	send(2, 0, GROUP, "good");
}

/* --- results ------------------------------------------------------------- */
typedef char results[ENTRIES_MAX][RESULT_MAX];

static uint64_t known_id(uint64_t conversation)
{
	return conversation < FIRST_NEW ? conversation : FIRST_NEW;
}

static void describe_result(const struct batch_entry *entry, struct buf *text)
{
	const struct saved_message *saved = &entry->saved;
	const struct saved_change *made = &entry->change;

	if (entry->outcome == OUTCOME_REFUSED ||
	    entry->outcome == OUTCOME_DEAD) {
		buf_format(text, " code %d %s", (int)entry->code, entry->why);
		return;
	}
	if (entry->record.kind == SAVE_MESSAGE)
		buf_format(text, " %llu:%llu to %llu reply %llu %.*s",
		           (unsigned long long)known_id(saved->conversation),
		           (unsigned long long)saved->seq,
		           (unsigned long long)saved->user_to,
		           (unsigned long long)saved->reply_to,
		           (int)saved->message.len, saved->message.data);
	else if (save_kind_is_receipt(entry->record.kind))
		buf_format(text, " delivered %llu read %llu",
		           (unsigned long long)entry->receipt.delivered,
		           (unsigned long long)entry->receipt.read);
	else if (save_kind_has(entry->record.kind, SAVE_HAS_UUID))
		buf_format(text, " %llu:%llu revision %llu %.*s%.*s",
		           (unsigned long long)made->conversation,
		           (unsigned long long)made->seq,
		           (unsigned long long)made->revision,
		           (int)made->message.len, made->message.data,
		           (int)made->reaction.len, made->reaction.data);
	else if (entry->outcome == OUTCOME_NOTIFIED)
		buf_format(text, " %.*s", (int)entry->answer.len,
		           entry->answer.data);
}

/* The users of a roster; of a large one its keys. */
static void describe_recipients(const struct roster *roster, struct buf *text)
{
	buf_format(text, roster->large ? " room" : " for");
	for (unsigned i = 0; i < roster->user_count && !roster->large; i++)
		buf_format(text, " %llu",
		           (unsigned long long)roster->users[i].user);
	buf_format(text, " in %u", roster->target_count);
}

static void read_results(results ret_results)
{
	assert_true(batch->count <= ENTRIES_MAX);
	for (unsigned i = 0; i < batch->count; i++) {
		const struct batch_entry *entry = &batch->entries[i];
		struct buf text CLEANUP(buf_free) = BUF(RESULT_MAX - 1);

		buf_format(&text, "outcome %d", (int)entry->outcome);
		describe_result(entry, &text);
		if (entry->roster)
			describe_recipients(entry->roster, &text);
		(void)snprintf(ret_results[i], RESULT_MAX, "%s",
		               buf_text(&text));
	}
}

/* --- one run ------------------------------------------------------------- */
struct scenario {
	const char *name;
	void (*put)(void);
	bool warm; /* the conversations are cached, the statements prepared */
};

struct run {
	const struct scenario *scenario;
	results first; /* of an undisturbed run */
	results again; /* of the same records, saved once more */
	struct buf state;
	char what[128]; /* the run that is checked now */
};

/* As read from partitions of the topic. */
static void set_positions(void)
{
	for (unsigned i = 0; i < batch->count; i++) {
		batch->entries[i].partition = PARTITION;
		batch->entries[i].offset = i;
	}
}

static void fill(const struct scenario *scenario)
{
	batch_clear(batch);
	scenario->put();
	set_positions();
}

static void warm_up(void)
{
	batch_clear(batch);
	set_uuid(send(1, 2, 0, "warm"), 3, 1);
	set_uuid(send(1, 0, GROUP, "warm"), 3, 2);
	set_uuid(send(2, 0, CHANNEL, "warm"), 3, 3);
	set_positions();
	save();
}

static void begin_run(const struct scenario *scenario)
{
	chat_execute("CALL reset_chat()");
	transaction_evict_caches(transaction);
	if (scenario->warm) {
		if (!sql_connected(sql))
			assert_int_equal(sql_connect(sql), ST_OK);
		warm_up();
	} else {
		assert_int_equal(sql_connect(sql), ST_OK);
	}
	fill(scenario);
}

static void save_despite_faults(const struct run *run)
{
	enum status status = ST_UNAVAILABLE;

	for (unsigned i = 0; i < TRIES_MAX && status != ST_OK; i++) {
		if (!sql_connected(sql))
			assert_int_equal(sql_connect(sql), ST_OK);
		status = transaction_save(transaction, batch);
		if (status != ST_OK && status != ST_UNAVAILABLE &&
		    status != ST_UNCERTAIN)
			fail_msg("%s: %s: %s", run->what, status_text(status),
			         sql_error(sql));
	}
	if (status != ST_OK)
		fail_msg("%s: not saved after %d tries: %s", run->what,
		         TRIES_MAX, sql_error(sql));
}

/* The row that a record of the batch announces is in the batch, once. */
static void check_announced(const struct run *run)
{
	const struct pending_outbox_event *event = batch->pending_events;
	unsigned count = 0;

	for (; event; event = event->next)
		count += event->row.conversation == ANNOUNCED;
	if (run->scenario->put == put_all_kinds && count != 1)
		fail_msg("%s: the batch has the row %u times", run->what,
		         count);
}

static void check_results(const struct run *run)
{
	static results found;
	struct buf state CLEANUP(buf_free) = BUF(STATE_MAX);

	read_results(found);
	for (unsigned i = 0; i < batch->count; i++)
		if (strcmp(found[i], run->first[i]) != 0 &&
		    strcmp(found[i], run->again[i]) != 0)
			fail_msg("%s: record %u:\n%s\nis not\n%s\nor\n%s",
			         run->what, i, found[i], run->first[i],
			         run->again[i]);
	read_state(&state);
	if (!span_equal(buf_span(&state), buf_span(&run->state)))
		fail_msg("%s: the tables have\n%s\nnot\n%s", run->what,
		         buf_text(&state), buf_text((struct buf *)&run->state));
	assert_consistent();
}

static void run_undisturbed(struct run *run)
{
	(void)snprintf(run->what, sizeof(run->what), "%s", run->scenario->name);
	begin_run(run->scenario);
	save_despite_faults(run);
	read_results(run->first);
	read_state(&run->state);
	fill(run->scenario);
	save_despite_faults(run);
	read_results(run->again);
	check_results(run);
}

/* False when the batch has fewer statements. */
static bool fail_statement(struct run *run, unsigned statement, unsigned error,
                           bool after)
{
	struct sql_fault fault = {
		.statement = statement, .error = error, .after = after};

	(void)snprintf(run->what, sizeof(run->what), "%s: %u %s statement %u",
	               run->scenario->name, error, after ? "after" : "before",
	               statement);
	begin_run(run->scenario);
	sql_fault_set(sql, &fault);
	save_despite_faults(run);
	sql_fault_set(sql, NULL);
	check_announced(run);
	check_results(run);
	return fault.happened;
}

static void every_statement_may_fail(const struct scenario *scenario)
{
	static struct run run;
	unsigned failed = 0;

	run.scenario = scenario;
	run.state = BUF(STATE_MAX);
	run_undisturbed(&run);
	for (unsigned i = 0; i < 2 * ARRAY_LEN(errors); i++) {
		unsigned statement = 1;

		while (fail_statement(&run, statement, errors[i / 2], i % 2)) {
			assert_true(++statement < STATEMENTS_MAX);
			failed++;
		}
	}
	assert_true(failed > ARRAY_LEN(errors));
	buf_free(&run.state);
}

static void with_empty_caches(void **state)
{
	static const struct scenario scenario = {"cold", put_all_kinds, false};

	(void)state;
	every_statement_may_fail(&scenario);
}

static void with_cached_conversations(void **state)
{
	static const struct scenario scenario = {"warm", put_all_kinds, true};

	(void)state;
	every_statement_may_fail(&scenario);
}

static void without_messages(void **state)
{
	static const struct scenario scenario = {
		"changes", put_changes_and_receipts, false};

	(void)state;
	every_statement_may_fail(&scenario);
}

static void with_a_poison_record(void **state)
{
	static const struct scenario scenario = {"poison", put_poison, true};

	(void)state;
	every_statement_may_fail(&scenario);
}

/* --- other ways to need many tries -------------------------------------- */
static void large_texts_of_failed_tries_are_dropped(void **state)
{
	enum { TRIES = 20 };
	static char text[MESSAGE_TEXT_MAX];

	(void)state;
	chat_execute("CALL reset_chat()");
	batch_clear(batch);
	memset(text, 'x', sizeof(text));
	for (unsigned i = 0; i < BATCH_RECORDS_MAX; i++) {
		struct batch_entry *entry = change(SAVE_EDIT, 1, 2, "");

		entry->record.message = span_make(text, sizeof(text));
		set_uuid(entry, 2, 1); /* all are duplicates of the first */
	}
	for (unsigned i = 0; i < TRIES; i++) {
		struct sql_fault fault = {.statement = 400, .error = 1213};

		if (!sql_connected(sql))
			assert_int_equal(sql_connect(sql), ST_OK);
		sql_fault_set(sql, &fault);
		assert_int_equal(transaction_save(transaction, batch),
		                 ST_UNAVAILABLE);
		assert_true(fault.happened);
		assert_int_equal(text_store_bytes(batch->texts), 0);
	}
	sql_fault_set(sql, NULL);
	save();
	assert_int_equal(batch->entries[0].outcome, OUTCOME_SAVED);
	assert_int_equal(batch_count_outcome(batch, OUTCOME_DUPLICATE),
	                 BATCH_RECORDS_MAX - 1);
}

/* As a proxy does that takes less than the server. */
static void a_record_that_ends_the_connection_is_found(void **state)
{
	enum { RECORDS = 100, POISON = 37, TRIES = 100 };
	enum status status = ST_UNAVAILABLE;

	(void)state;
	chat_execute("CALL reset_chat()");
	batch_clear(batch);
	for (unsigned i = 0; i < RECORDS; i++)
		send(1, 2, 0, i == POISON ? "deadly" : "hi");
	chat_execute("CREATE TRIGGER cut BEFORE INSERT ON messages"
	             " FOR EACH ROW BEGIN IF NEW.body = 'deadly' THEN"
	             " KILL CONNECTION_ID(); END IF; END");
	for (unsigned i = 0; i < TRIES && status != ST_OK; i++) {
		if (!sql_connected(sql))
			assert_int_equal(sql_connect(sql), ST_OK);
		status = transaction_save(transaction, batch);
	}
	chat_execute("DROP TRIGGER cut");
	assert_int_equal(status, ST_OK);
	for (unsigned i = 0; i < RECORDS; i++)
		assert_int_equal(batch->entries[i].outcome,
		                 i == POISON ? OUTCOME_DEAD : OUTCOME_SAVED);
	assert_non_null(batch->entries[POISON].why);
	assert_consistent();
}

/* Another process, whose transaction commits once ours inserts the uuid. */
static void *commit_when_awaited(void *context)
{
	struct sql *other = context;

	sql_thread_start();
	while (chat_number("SELECT COUNT(*) FROM information_schema.processlist"
	                   " WHERE db = DATABASE() AND id <> CONNECTION_ID()"
	                   " AND (info LIKE 'INSERT INTO revisions%%'"
	                   " OR info LIKE 'INSERT INTO messages%%')") == 0)
		(void)sched_yield();
	if (sql_commit(other) != ST_OK)
		abort();
	sql_thread_stop();
	return NULL;
}

static void another_process_may_take_the_uuid(void **state)
{
#define HEX_UUID "UNHEX('02000000000000000000000000000001')"
	static const char as_message[] =
		"INSERT INTO messages (conversation, seq, sender, uuid,"
		" created_at, body) VALUES (20, 2, 1, " HEX_UUID
		", NOW(3), 'x')";
	static const char as_claim[] =
		"INSERT INTO messages (conversation, seq, sender, uuid,"
		" created_at, body, kind) VALUES (0, 2, 1, " HEX_UUID
		", NOW(3), '', 3)";
	/* As an older version does, whose changes hold no uuid in messages. */
	static const char as_revision[] =
		"INSERT INTO revisions (conversation, revision, seq, kind,"
		" sender, uuid, created_at) VALUES (20, 1, 1, 1, 1, " HEX_UUID
		", NOW(3))";
	static const struct {
		enum save_kind kind;
		const char *insert;
		enum outcome outcome;
	} cases[] = {
		{SAVE_EDIT, as_revision, OUTCOME_REFUSED},
		{SAVE_EDIT, as_message, OUTCOME_REFUSED},
		{SAVE_MESSAGE, as_message, OUTCOME_DUPLICATE},
		{SAVE_MESSAGE, as_claim, OUTCOME_REFUSED},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct sql *other = chat_connect();
		struct batch_entry *entry;
		pthread_t thread;

		chat_execute("CALL reset_chat()");
		batch_clear(batch);
		entry = cases[i].kind == SAVE_EDIT
		                ? change(SAVE_EDIT, 1, 2, "edited again")
		                : send(1, 2, 0, "hi");
		set_uuid(entry, 2, 1);
		if (!sql_connected(sql))
			assert_int_equal(sql_connect(sql), ST_OK);
		assert_int_equal(sql_begin(other), ST_OK);
		assert_int_equal(sql_execute(other, cases[i].insert), ST_OK);
		assert_int_equal(pthread_create(&thread, NULL,
		                                commit_when_awaited, other),
		                 0);
		save();
		assert_int_equal(pthread_join(thread, NULL), 0);
		assert_int_equal(entry->outcome, cases[i].outcome);
		if (entry->outcome == OUTCOME_REFUSED)
			assert_int_equal(entry->code, FRAME_BAD_UUID);
		sql_destroy(&other);
	}
}

/* --- the number of statements -------------------------------------------- */
static void put_one_message(void)
{
	send(1, 2, 0, "hi");
}

static void put_one_edit(void)
{
	change(SAVE_EDIT, 1, 2, "edited again");
}

static void put_one_receipt(void)
{
	put_kind(SAVE_READ, 2, GROUP, 2);
}

/* The query worker has them: no save waits for what only reads. */
static void put_queries(void)
{
	put_kind(SAVE_ROOMS, 2, 0, 0)->record.users = SPAN("2,1");
	put_kind(SAVE_KEYS, 2, 0, 0)->record.conversations = SPAN("17");
	put_kind(SAVE_ROSTER, 1, GROUP, 0);
}

static void put_announcements(void)
{
	put_kind(SAVE_MEMBERSHIP, 0, GROUP, 0)->record.row = 1;
	put_kind(SAVE_MEMBERSHIP, 0, ANNOUNCED, 0)->record.row = 1;
}

/*
 * Each is a round trip. With cached conversations, the check of the partitions'
 * owner, and the COMMIT.
 */
static void a_batch_takes_few_statements(void **state)
{
	static const struct {
		struct scenario scenario;
		unsigned statements;
	} rows[] = {
		{{"message", put_one_message, true}, 5},
		{{"edit", put_one_edit, true}, 7},
		{{"receipt", put_one_receipt, true}, 4},
		{{"queries", put_queries, true}, 0},
		{{"announcements", put_announcements, true}, 3},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct sql_fault none = {0};

		for (unsigned round = 0; round < 2; round++) { /* prepares */
			begin_run(&rows[i].scenario);
			none.seen = 0;
			sql_fault_set(sql, &none);
			save();
			sql_fault_set(sql, NULL);
		}
		assert_int_equal(none.seen, rows[i].statements);
	}
}

static int start(void **state)
{
	(void)transaction_fixture_start(state);
	chat_execute("%s", reset_procedure);
	chat_execute("ALTER TABLE conversations AUTO_INCREMENT = 1000");
	return 0;
}

static int remove_fault(void **state)
{
	(void)state;
	sql_fault_set(sql, NULL);
	return 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, remove_fault)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(with_empty_caches),
		TEST(with_cached_conversations),
		TEST(without_messages),
		TEST(with_a_poison_record),
		TEST(a_batch_takes_few_statements),
		TEST(large_texts_of_failed_tries_are_dropped),
		TEST(a_record_that_ends_the_connection_is_found),
		TEST(another_process_may_take_the_uuid),
	};

	return cmocka_run_group_tests(tests, start, transaction_fixture_stop);
}
