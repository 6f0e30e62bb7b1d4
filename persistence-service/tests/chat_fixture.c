#include "persistence-service/tests/chat_fixture.h"

#include "common/base/buf.h"
#include "persistence-service/schema.h"
#include "tests/support/sql_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { TEXT_MAX = 64 * 1024 };

struct settings chat_settings = {
	.fanout_list_max = 100,
	.members_max = 100000,
	.conversations_max = 1000,
	.invites_max = 50,
};

static char database[32];
static struct sql *observer;
static char statement[TEXT_MAX];
static struct buf found = {.max = TEXT_MAX};

struct sql *chat_connect(void)
{
	struct sql *made = settings_sql(&chat_settings);

	if (sql_connect(made) != ST_OK)
		fail_msg("%s", sql_error(made));
	return made;
}

static void make_numbers(void)
{
	chat_execute("CREATE TABLE numbers (seq INT PRIMARY KEY)");
	chat_execute("INSERT INTO numbers VALUES (1), (2), (3), (4), (5), (6),"
	             " (7), (8), (9), (10)");
	for (unsigned count = 10; count < 40000; count *= 2)
		chat_execute("INSERT INTO numbers SELECT seq + %u FROM numbers",
		             count);
}

void chat_start(void)
{
	const struct sql_options server = sql_server_options(NULL);

	sql_library_start();
	(void)snprintf(database, sizeof(database), "test_chat_%ld",
	               (long)getpid());
	sql_server_create_database(database);
	chat_settings.mysql_host = server.host;
	chat_settings.mysql_port = server.port;
	chat_settings.mysql_user = server.user;
	chat_settings.mysql_password = server.password;
	chat_settings.database = database;
	observer = chat_connect();
	assert_int_equal(schema_apply(observer), ST_OK);
	make_numbers();
}

void chat_stop(void)
{
	sql_destroy(&observer);
	sql_server_drop_database(database);
	buf_free(&found);
}

void chat_empty(void)
{
	static const char *const tables[] = {
		"conversations", "members",        "messages",  "departures",
		"channels",      "channel_search", "revisions", "large_members",
		"reactions",     "blocks",         "outbox",    "user_locks",
		"refusals",      "save_owners",
	};

	/* One COMMIT is much faster than to truncate each table. */
	chat_execute("START TRANSACTION");
	for (unsigned i = 0; i < ARRAY_LEN(tables); i++)
		chat_execute("DELETE FROM %s", tables[i]);
	chat_execute("COMMIT");
	chat_execute("ALTER TABLE conversations AUTO_INCREMENT = 1");
}

static void PRINTF(1, 0) fill_statement(const char *format, va_list args)
{
	int len = vsnprintf(statement, sizeof(statement), format, args);

	assert_true(len > 0 && (size_t)len < sizeof(statement));
}

void chat_execute(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fill_statement(format, args);
	va_end(args);
	if (sql_execute(observer, statement) != ST_OK)
		fail_msg("%s: %s", statement, sql_error(observer));
}

uint64_t chat_number(const char *format, ...)
{
	struct sql_value value;
	va_list args;

	va_start(args, format);
	fill_statement(format, args);
	va_end(args);
	if (sql_run(observer, statement, NULL, 0) != ST_OK ||
	    sql_fetch(observer, &value, 1) != ST_OK)
		fail_msg("%s: %s", statement, sql_error(observer));
	return value.kind == SQL_NUMBER ? value.number
	                                : strtoull(value.bytes.data, NULL, 10);
}

/* Reads one column: tests join others to it with CONCAT_WS(). */
const char *chat_text(const char *format, ...)
{
	struct sql_value value;
	va_list args;

	va_start(args, format);
	fill_statement(format, args);
	va_end(args);
	buf_clear(&found);
	if (sql_run(observer, statement, NULL, 0) != ST_OK)
		fail_msg("%s: %s", statement, sql_error(observer));
	while (sql_fetch(observer, &value, 1) == ST_OK) {
		if (found.len)
			buf_byte(&found, ' ');
		if (value.kind == SQL_NUMBER)
			buf_number(&found, value.number);
		else
			buf_append(&found, value.bytes);
	}
	return buf_text(&found);
}

void chat_kill_others(void)
{
	uint64_t id;

	while ((id = chat_number("SELECT COALESCE(MIN(id), 0) FROM"
	                         " information_schema.processlist WHERE"
	                         " db = DATABASE() AND command <> 'Killed'"
	                         " AND id <> CONNECTION_ID()")))
		chat_execute("KILL %llu", (unsigned long long)id);
}
