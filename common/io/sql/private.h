/*
 * sql_private - what sql.c offers to migrate.c only.
 */
#ifndef PARLEY_IO_SQL_PRIVATE_H
#define PARLEY_IO_SQL_PRIVATE_H

#include "common/base/scope.h"
#include "common/base/status.h"

struct sql;

/* Sets the text of sql_error() and returns `status`. */
enum status sql_fail(struct sql *sql, enum status status, const char *format,
                     ...) PRINTF(3, 4);

#endif
