#include "tests/support/sql_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *must_have(const char *name)
{
	const char *value = getenv(name);

	if (value)
		return value;
	(void)fprintf(stderr, "this test needs a server: set %s\n", name);
	exit(111);
}

struct sql_options sql_server_options(const char *database)
{
	return (struct sql_options){
		.host = must_have("MYSQL_HOST"),
		.port = (uint16_t)strtoul(must_have("MYSQL_PORT"), NULL, 10),
		.user = must_have("MYSQL_USER"),
		.password = must_have("MYSQL_PASSWORD"),
		.database = database,
		.timeout_s = 3,
	};
}

struct sql *sql_server_connect(const char *database)
{
	const struct sql_options options = sql_server_options(database);
	struct sql *sql = sql_create(&options);
	enum status status = sql_connect(sql);

	if (status != ST_OK)
		fail_msg("%s: %s", status_text(status), sql_error(sql));
	return sql;
}

static void execute(const char *before, const char *database, const char *after)
{
	struct sql *sql = sql_server_connect(NULL);
	char text[128];

	(void)snprintf(text, sizeof(text), "%s%s%s", before, database, after);
	if (sql_execute(sql, text) != ST_OK)
		fail_msg("%s: %s", text, sql_error(sql));
	sql_destroy(&sql);
}

void sql_server_create_database(const char *database)
{
	execute("CREATE DATABASE ", database, " CHARACTER SET utf8mb4");
}

void sql_server_drop_database(const char *database)
{
	execute("DROP DATABASE ", database, "");
}
