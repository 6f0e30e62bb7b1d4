/*
 * sql_private - what sql.c and sql_migrate.c share; nobody else includes it.
 */
#ifndef PARLEY_IO_SQL_PRIVATE_H
#define PARLEY_IO_SQL_PRIVATE_H

#include "common/io/sql/sql.h"

/* What a caller should do about a server's or client library's error. */
enum status sql_status_of(unsigned error);
/* True when the connection can't be used after this error. */
bool sql_loses_connection(unsigned error);

/* Sets the text of sql_error() and returns `status`. */
enum status sql_fail(struct sql *sql, enum status status, const char *format,
                     ...) PRINTF(3, 4);

#endif
