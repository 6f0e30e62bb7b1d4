/*
 * sql_server - the database server of an integration test: MYSQL_HOST,
 * MYSQL_PORT, MYSQL_USER and MYSQL_PASSWORD name it. The user may create
 * databases.
 *
 * Errors  a missing variable ends the process with 111; a server that refuses
 *         fails the test.
 */
#ifndef PARLEY_TESTS_SUPPORT_SQL_SERVER_H
#define PARLEY_TESTS_SUPPORT_SQL_SERVER_H

#include "common/io/sql/sql.h"

struct sql_options sql_server_options(const char *database);
/* Connected. NULL: without a database. */
struct sql *sql_server_connect(const char *database);
void sql_server_create_database(const char *database);
void sql_server_drop_database(const char *database);

#endif
