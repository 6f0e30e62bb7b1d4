/*
 * identity_fixture - a new database of identity-service on the real server of
 * sql_server.h, and one connection to it.
 */
#ifndef PARLEY_IDENTITY_TESTS_IDENTITY_FIXTURE_H
#define PARLEY_IDENTITY_TESTS_IDENTITY_FIXTURE_H

#include "common/io/sql/sql.h"

extern struct sql *sql;

int identity_fixture_start(void **state); /* of the group of tests */
int identity_fixture_stop(void **state);
struct sql_options identity_fixture_options(void);
/* One more connection; the caller destroys it. */
struct sql *identity_fixture_connect(void);

#endif
