#include "persistence-service/tests/writer_fixture.h"

#include "common/base/mem.h"
#include "persistence-service/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

char fixture_database[32];
struct sql *observer;
struct sql *sql;
const struct writer_options writer_options = {
	.partitions = 12,
	.reactions_max = 3,
};
struct writer *writer;
struct batch *batch;

static const char *must_have(const char *name)
{
	const char *value = getenv(name);

	if (value)
		return value;
	(void)fprintf(stderr, "test_writer needs a server: set %s\n", name);
	exit(111);
}

struct sql *connect_to(const char *name)
{
	struct sql_options options = {
		.host = must_have("MYSQL_HOST"),
		.port = (uint16_t)strtoul(must_have("MYSQL_PORT"), NULL, 10),
		.user = must_have("MYSQL_USER"),
		.password = must_have("MYSQL_PASSWORD"),
		.database = name,
		.timeout_s = 3,
	};
	struct sql *made = sql_create(&options);

	if (sql_connect(made) != ST_OK)
		fail_msg("%s", sql_error(made));
	return made;
}

void execute(const char *statement, const char *name)
{
	char text[256];

	snprintf(text, sizeof(text), "%s %s", statement, name);
	if (sql_execute(observer, text) != ST_OK)
		fail_msg("%s: %s", text, sql_error(observer));
}

int writer_fixture_start(void **state)
{
	(void)state;
	sql_library_start();
	snprintf(fixture_database, sizeof(fixture_database), "test_writer_%ld",
	         (long)getpid());
	observer = connect_to("");
	execute("CREATE DATABASE", fixture_database);
	sql_destroy(&observer);
	observer = connect_to(fixture_database);
	assert_int_equal(schema_apply(observer), ST_OK);
	sql = connect_to(fixture_database);
	/* Something that the fixture_database, and only the fixture_database,
	 * refuses. */
	execute("ALTER TABLE messages ADD", "CHECK (body <> 'poison')");
	batch = batch_create(BATCH_MOST);
	writer = writer_create(sql, &writer_options);
	return 0;
}

int writer_fixture_stop(void **state)
{
	(void)state;
	execute("DROP DATABASE", fixture_database);
	writer_destroy(&writer);
	batch_destroy(&batch);
	sql_destroy(&sql);
	sql_destroy(&observer);
	return 0;
}

int writer_fixture_empty(void **state)
{
	static const char *const tables[] = {
		"messages",      "members",   "conversations", "revisions",
		"large_members", "reactions", "blocks",
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(tables); i++)
		execute("DELETE FROM", tables[i]);
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

uint64_t number(const char *statement)
{
	struct sql_value value;

	if (sql_run(observer, statement, NULL, 0) != ST_OK ||
	    sql_fetch(observer, &value, 1) != ST_OK)
		fail_msg("%s: %s", statement, sql_error(observer));
	return value.number;
}

void assert_consistent(void)
{
	assert_int_equal(
		number("SELECT COUNT(*) FROM (SELECT conversation, MAX(seq) m,"
	               " COUNT(*) c FROM messages GROUP BY conversation"
	               " HAVING m <> c) gaps"),
		0);
	assert_int_equal(
		number("SELECT COUNT(*) FROM conversations c LEFT JOIN"
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
