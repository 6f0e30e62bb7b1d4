/*
 * few_rows - a statement about some users: as many rows as one request names.
 *
 * A server keeps a statement prepared by its text, so there is a text for 1, 2,
 * 4 … 64 rows, filled up with the last row: repeating it must do no harm.
 */
#ifndef PARLEY_PERSISTENCE_REST_FEW_ROWS_H
#define PARLEY_PERSISTENCE_REST_FEW_ROWS_H

#include "common/io/sql/sql.h"

enum { FEW_MAX = 64, FEW_ROW_MAX = 8, FEW_MORE_MAX = 4 };

struct few_rows {
	const char *head; /* without parameters */
	const char *row;  /* "(?,?)", with commas between them */
	const char *tail;
	unsigned row_values;
};

/* Runs it with `rows` × row_values values, and `more` for its tail. */
MUST_CHECK enum status few_rows_run(struct sql *sql,
                                    const struct few_rows *statement,
                                    const struct sql_value *values,
                                    unsigned rows, const struct sql_value *more,
                                    unsigned more_count);
/* The same where a row is one user. */
MUST_CHECK enum status few_users_run(struct sql *sql,
                                     const struct few_rows *statement,
                                     const uint64_t *users, unsigned count,
                                     const struct sql_value *more,
                                     unsigned more_count);

#endif
