/*
 * What database_run() repeats, against a real server; see identity_fixture.h.
 */
#include "identity-service/database.h"

#include "identity-service/tests/identity_fixture.h"
#include "tests/support/sql_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define ROLLED_BACK "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213"
#define DUPLICATE   "SIGNAL SQLSTATE '23000' SET MYSQL_ERRNO = 1062"
#define LOST        "lost"

/* The first `failures` runs fail. */
struct task {
	const char *statement;
	unsigned failures;
	unsigned runs;
};

static void kill_connection(struct sql *connection)
{
	struct sql_value id = {0};
	char kill[40];

	assert_int_equal(sql_run(connection, "SELECT CONNECTION_ID()", NULL, 0),
	                 ST_OK);
	assert_int_equal(sql_fetch(connection, &id, 1), ST_OK);
	(void)snprintf(kill, sizeof(kill), "KILL %llu",
	               (unsigned long long)id.number);
	assert_int_equal(sql_execute(sql, kill), ST_OK);
}

static enum status run(struct sql *connection, void *argument)
{
	struct task *task = argument;
	bool fails = task->runs++ < task->failures;

	if (fails && task->statement[0] == LOST[0])
		kill_connection(connection);
	return sql_execute(connection, fails && task->statement[0] != LOST[0]
	                                       ? task->statement
	                                       : "DO 1");
}

static void a_task_runs_again(void **state)
{
	const struct {
		struct task task;
		enum status status;
		unsigned runs;
	} rows[] = {
		{{"", 0, 0}, ST_OK, 1},
		{{ROLLED_BACK, 1, 0}, ST_OK, 2},
		{{ROLLED_BACK, 19, 0}, ST_OK, 20},
		{{ROLLED_BACK, 99, 0}, ST_UNAVAILABLE, 20},
		{{DUPLICATE, 99, 0}, ST_CONFLICT, 1},
		{{LOST, 1, 0}, ST_OK, 2},
		{{LOST, 99, 0}, ST_UNAVAILABLE, 2},
	};
	struct sql_options options = sql_server_options(NULL);
	struct database_source *source = database_source_create(&options);

	(void)state;
	database_source_open(source);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct database *database = database_create(source);
		struct task task = rows[i].task;

		if (database_run(database, run, &task) != rows[i].status ||
		    task.runs != rows[i].runs)
			fail_msg("row %u: %u runs", i, task.runs);
		database_destroy(&database);
	}
	database_source_destroy(&source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_task_runs_again),
	};

	return cmocka_run_group_tests(tests, identity_fixture_start,
	                              identity_fixture_stop);
}
