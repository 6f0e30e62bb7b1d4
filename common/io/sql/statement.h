/*
 * sql_statement - a prepared statement of a connection; a part of sql.
 *
 * It keeps its memory for parameters and columns between runs. After a failure
 * sql_statement_errno() and _error() return the reason.
 */
#ifndef PARLEY_IO_SQL_STATEMENT_H
#define PARLEY_IO_SQL_STATEMENT_H

#include "common/base/scope.h"
#include "common/io/sql/value.h"

#include <mysql.h>

struct sql_statement;

struct sql_statement *sql_statement_create(MYSQL *mysql);
void sql_statement_destroy(struct sql_statement **statement);
bool sql_statement_prepare(struct sql_statement *s, const char *text,
                           size_t len);
bool sql_statement_is(const struct sql_statement *s, const char *text,
                      size_t len);
bool sql_statement_has_rows(const struct sql_statement *s);
/* Fetches all rows from the server before it returns. */
bool sql_statement_run(struct sql_statement *s, const struct sql_value *values,
                       unsigned count);

enum sql_row { SQL_ROW, SQL_ROW_END, SQL_ROW_FAILED };
enum sql_row sql_statement_fetch(struct sql_statement *s,
                                 struct sql_value *ret_row, unsigned columns);
void sql_statement_drop_rows(struct sql_statement *s);

unsigned sql_statement_errno(const struct sql_statement *s);
const char *sql_statement_error(const struct sql_statement *s);
uint64_t sql_statement_affected(const struct sql_statement *s);
uint64_t sql_statement_insert_id(const struct sql_statement *s);

#endif
