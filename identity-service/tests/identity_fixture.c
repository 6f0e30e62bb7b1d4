#include "identity-service/tests/identity_fixture.h"

#include "common/service/log.h"
#include "identity-service/schema.h"
#include "tests/support/sql_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

struct sql *sql;

static char database[40];

int identity_fixture_start(void **state)
{
	unsigned applied;

	(void)state;
	log_start("test", LOG_ERROR);
	sql_library_start();
	(void)snprintf(database, sizeof(database), "test_identity_%d",
	               getpid());
	sql_server_create_database(database);
	sql = sql_server_connect(database);
	assert_int_equal(schema_apply(sql, &applied), ST_OK);
	assert_int_equal(applied, 7);
	return 0;
}

int identity_fixture_stop(void **state)
{
	(void)state;
	sql_destroy(&sql);
	sql_server_drop_database(database);
	return 0;
}

struct sql *identity_fixture_connect(void)
{
	return sql_server_connect(database);
}

struct sql_options identity_fixture_options(void)
{
	return sql_server_options(database);
}
