/*
 * rows_statement - the text of a statement that takes many rows at once.
 *
 * A server keeps a statement prepared by its text, so there is one text for a
 * few numbers of rows only. Where repeating a row does no harm, a statement is
 * filled up with its last row (padded); where it does, rows are sent in pieces
 * that fit exactly.
 *
 * Threads    the texts are made on first use and kept: one thread each.
 */
#ifndef PARLEY_IO_SQL_BULK_H
#define PARLEY_IO_SQL_BULK_H

#include "common/io/sql/sql.h"

/* 1, 2, 3, 4, 6, 8, 12 … 384, and a full batch. */
enum { ROWS_MAX = 500, ROWS_SIZES = 18 };

/* "head" row "," row … "tail"; static variables, zeroed after the three. */
struct rows_statement {
	const char *head;
	const char *row;     /* "(?,?)" */
	const char *between; /* "," or " OR " */
	const char *tail;
	unsigned row_values;
	char *text[ROWS_SIZES];
};

/* Room for the values of as many rows as there can be. */
#define ROWS_ROOM(row_values) ((ROWS_MAX) * (row_values))

/* Runs it for all rows at once; `values` has ROWS_ROOM() for the padding. */
MUST_CHECK enum status rows_run_padded(struct sql *sql,
                                       struct rows_statement *statement,
                                       struct sql_value *values, unsigned rows);
/*
 * Runs it for the largest of the sizes that there are rows for;
 * ret_ran says how many.
 */
MUST_CHECK enum status rows_run_piece(struct sql *sql,
                                      struct rows_statement *statement,
                                      const struct sql_value *values,
                                      unsigned rows, unsigned *ret_ran);

#endif
