#include "persistence-service/save/tests/transaction_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct sql *sql;
const struct transaction_options transaction_options = {
	.topic = "message_save",
	.partitions = 12,
	.reactions_max = 3,
};
struct transaction *transaction;
struct batch *batch;

int transaction_fixture_start(void **state)
{
	(void)state;
	chat_start();
	/* A text that only the database refuses, also a MySQL without CHECK. */
	chat_execute("ALTER TABLE messages ADD COLUMN poison TINYINT UNSIGNED"
	             " AS (IF(body = 'poison', 999, 0)) STORED");
	sql = chat_connect();
	batch = batch_create(BATCH_RECORDS_MAX);
	transaction = transaction_create(sql, &transaction_options);
	return 0;
}

int transaction_fixture_stop(void **state)
{
	(void)state;
	transaction_destroy(&transaction);
	batch_destroy(&batch);
	sql_destroy(&sql);
	chat_stop();
	return 0;
}

int transaction_fixture_empty(void **state)
{
	(void)state;
	chat_empty();
	batch_clear(batch);
	transaction_evict_caches(transaction);
	return 0;
}

struct batch_entry *put_into(struct batch *to, uint64_t sender,
                             uint64_t user_to, const struct uuid *uuid,
                             const char *text)
{
	struct batch_entry *entry = &to->entries[to->count++];

	*entry = (struct batch_entry){
		.partition = -1,
		.record = {.sender = sender,
	                   .user_to = user_to,
	                   .message = span_of(text)},
		.identified = true,
	};
	if (uuid)
		entry->record.uuid = *uuid;
	else
		uuid_make(&entry->record.uuid);
	return entry;
}

struct batch_entry *put(uint64_t sender, uint64_t user_to,
                        const struct uuid *uuid, const char *text)
{
	return put_into(batch, sender, user_to, uuid, text);
}

void save_with(struct transaction *by, struct sql *connection)
{
	enum status status = transaction_save(by, batch);

	if (status != ST_OK)
		fail_msg("%s: %s", status_text(status), sql_error(connection));
	for (unsigned i = 0; i < batch->count; i++)
		assert_int_not_equal(batch->entries[i].outcome, OUTCOME_OPEN);
}

void save(void)
{
	save_with(transaction, sql);
}

void assert_consistent(void)
{
	assert_int_equal(
		chat_number(
			"SELECT COUNT(*) FROM (SELECT conversation, MAX(seq) m,"
			" COUNT(*) c FROM messages GROUP BY conversation"
			" HAVING conversation > 0 AND m <> c) gaps"),
		0);
	assert_int_equal(
		chat_number("SELECT COUNT(*) FROM conversations c LEFT JOIN"
	                    " messages x ON x.conversation = c.id"
	                    " AND x.seq = c.last_seq WHERE c.last_seq > 0"
	                    " AND (x.id IS NULL OR x.id <> c.last_message_id)"),
		0);
}

struct batch_entry *put_kind(enum save_kind kind, uint64_t sender,
                             uint64_t conversation, uint64_t seq)
{
	struct batch_entry *entry = put(sender, 0, NULL, "");

	entry->record.kind = kind;
	entry->record.conversation = conversation;
	entry->record.seq = seq;
	return entry;
}
