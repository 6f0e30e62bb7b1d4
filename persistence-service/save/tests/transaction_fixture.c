#include "persistence-service/save/tests/transaction_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct sql *sql;
const struct writer_options writer_options = {
	.partitions = 12,
	.reactions_max = 3,
};
struct writer *writer;
struct batch *batch;

int writer_fixture_start(void **state)
{
	(void)state;
	chat_start();
	/* Something that the database, and only the database, refuses. */
	chat_execute("ALTER TABLE messages ADD CHECK (body <> 'poison')");
	sql = chat_connect();
	batch = batch_create(BATCH_MOST);
	writer = writer_create(sql, &writer_options);
	return 0;
}

int writer_fixture_stop(void **state)
{
	(void)state;
	writer_destroy(&writer);
	batch_destroy(&batch);
	sql_destroy(&sql);
	chat_stop();
	return 0;
}

int writer_fixture_empty(void **state)
{
	(void)state;
	chat_empty();
	batch_clear(batch);
	writer_forget(writer);
	return 0;
}

struct batch_entry *put_into(struct batch *to, uint64_t sender,
                             uint64_t user_to, const struct uuid *uuid,
                             const char *text)
{
	struct batch_entry *entry = &to->entries[to->count++];

	*entry = (struct batch_entry){
		.record = {.sender = sender,
	                   .user_to = user_to,
	                   .message = span_of(text)},
		.named = true,
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

void save_with(struct writer *by, struct sql *connection)
{
	enum status status = writer_save(by, batch);

	if (status != ST_OK)
		fail_msg("%s: %s", status_text(status), sql_error(connection));
	for (unsigned i = 0; i < batch->count; i++)
		assert_int_not_equal(batch->entries[i].outcome, OUTCOME_OPEN);
}

void save(void)
{
	save_with(writer, sql);
}

void assert_consistent(void)
{
	assert_int_equal(
		chat_number(
			"SELECT COUNT(*) FROM (SELECT conversation, MAX(seq) m,"
			" COUNT(*) c FROM messages GROUP BY conversation"
			" HAVING m <> c) gaps"),
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
