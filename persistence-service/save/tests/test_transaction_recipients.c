/*
 * The transaction and the recipients of what it has saved, against a real
 * server: after a change of members, and after attempts that failed.
 */
#include "persistence-service/save/conversation/roster.h"
#include "persistence-service/save/tests/transaction_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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
	remove_member(3);
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
	remove_member(3);
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
	remove_member(3);
	try_with_new_connection();
	assert_int_equal(entry->outcome, OUTCOME_SAVED);
	assert_int_equal(entry->roster->user_count, 2);
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
	remove_member(3);
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
	assert_int_equal(batch->pending_events->seq, 3);
	batch_clear(batch);
	say(1, GROUP, "no member joined or left since");
	save();
	assert_null(batch->pending_events);
	chat_execute("DELETE FROM outbox WHERE 1 = 1");
}

static void add_rows(uint64_t conversation, unsigned count)
{
	chat_execute("INSERT INTO outbox (kind, conversation, target, room,"
	             " body) SELECT 1, %llu, '1', CONCAT('%llu:', seq, ':='),"
	             " '{}' FROM numbers WHERE seq <= %u ORDER BY seq",
	             (unsigned long long)conversation,
	             (unsigned long long)conversation, count);
}

/* The row at this place of the batch. */
static uint64_t pending_seq(unsigned at)
{
	const struct pending_outbox_event *event = batch->pending_events;

	for (; at; at--)
		event = event->next;
	return event->seq;
}

static const struct batch_entry *announce(uint64_t conversation, uint64_t row)
{
	struct batch_entry *entry =
		put_kind(SAVE_MEMBERSHIP, 0, conversation, 0);

	entry->record.row = row;
	return entry;
}

static void announced_rows_are_read_once(void **state)
{
	const struct batch_entry *entry;
	uint64_t last;

	(void)state;
	add_rows(GROUP, 3);
	last = chat_number("SELECT MAX(id) FROM outbox");
	add_rows(GROUP + 1, 1);
	entry = announce(GROUP, last - 1);
	announce(GROUP, last - 2);
	announce(GROUP + 2, last);
	save();
	assert_int_equal(entry->outcome, OUTCOME_DONE);
	assert_int_equal(batch->pending_count, 2);
	assert_int_equal(pending_seq(0), 1);
	assert_int_equal(pending_seq(1), 2);
	batch_clear(batch);
	announce(GROUP, last);
	save();
	assert_int_equal(batch->pending_count, 1);
	assert_int_equal(pending_seq(0), 3);
	batch_clear(batch);
	announce(GROUP, last);
	save();
	assert_int_equal(batch->pending_count, 0);
	batch_clear(batch);
	transaction_evict_caches(transaction);
	announce(GROUP, last);
	save();
	assert_int_equal(batch->pending_count, 3);
	chat_execute("DELETE FROM outbox WHERE 1 = 1");
}

/* As after an hour without Kafka. The batch is bounded, and misses nothing. */
static void very_many_rows_take_several_turns(void **state)
{
	enum { ROWS = 2 * PENDING_EVENTS_MAX + 7 };
	uint64_t seq = 0;
	unsigned turns = 0;

	(void)state;
	add_rows(GROUP, ROWS);
	say(1, GROUP, "hi");
	announce(GROUP, UINT64_MAX);
	for (; transaction_save(transaction, batch) == ST_BUSY; turns++) {
		assert_int_equal(batch->pending_count, PENDING_EVENTS_MAX);
		for (unsigned i = 0; i < batch->pending_count; i++)
			assert_int_equal(pending_seq(i), ++seq);
		batch_clear_pending_events(batch);
	}
	assert_int_equal(turns, 2);
	assert_int_equal(batch->entries[0].outcome, OUTCOME_SAVED);
	assert_int_equal(batch->entries[1].outcome, OUTCOME_DONE);
	assert_int_equal(batch->pending_count, 7);
	assert_int_equal(pending_seq(6), ROWS);
	assert_consistent();
	chat_execute("DELETE FROM outbox WHERE 1 = 1");
}

#define TEST(name) cmocka_unit_test_setup(name, transaction_fixture_groups)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_removed_member_is_refused_despite_the_cache),
		TEST(a_retried_batch_looks_its_recipients_up_again),
		TEST(a_retried_saved_message_gets_its_recipients_again),
		TEST(pending_outbox_events_go_first),
		TEST(announced_rows_are_read_once),
		TEST(very_many_rows_take_several_turns),
	};

	return cmocka_run_group_tests(tests, transaction_fixture_start,
	                              transaction_fixture_stop);
}
