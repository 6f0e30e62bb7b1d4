/*
 * sql_bulk - one statement that carries many rows of values.
 *
 * The text is `head` row `between` row … `tail`. A server caches a prepared
 * statement by its text, so texts exist for some numbers of rows only: 1, 2,
 * 3, 4, 6, 8, 12 … 384, 500. sql_bulk_run() fills a statement up to the next
 * of these sizes by repeating the last row, which must do no harm (IN, UPDATE,
 * ON DUPLICATE KEY). sql_bulk_run_exact() repeats nothing: the caller runs it
 * until all rows are done.
 *
 * Ownership  a bulk is a static variable whose texts are NULL at first. Each
 *            text is written on first use and kept until the process ends.
 * Threads    several threads may use one bulk.
 */
#ifndef PARLEY_IO_SQL_BULK_H
#define PARLEY_IO_SQL_BULK_H

#include "common/io/sql/sql.h"

enum { SQL_BULK_MAX = 500, SQL_BULK_SIZES = 18 };

struct sql_bulk {
	const char *head;    /* without parameters */
	const char *row;     /* "(?,?)" */
	const char *between; /* "," or " UNION ALL " */
	const char *tail;
	unsigned row_values;  /* parameters of `row` */
	unsigned tail_values; /* parameters of `tail` */
	char *_Atomic text[SQL_BULK_SIZES];
};

/* Values that `rows` rows may become by repetition of the last one. */
#define SQL_BULK_ROOM(rows, row_values) \
	(((rows)*3 / 2 < SQL_BULK_MAX ? (rows)*3 / 2 : SQL_BULK_MAX) * \
	 (row_values))

/*
 * `values` holds the rows' values, then the tail's. It has SQL_BULK_ROOM()
 * for the rows and room for the tail. `rows` is 1 … SQL_BULK_MAX.
 */
MUST_CHECK enum status sql_bulk_run(struct sql *sql, struct sql_bulk *bulk,
                                    struct sql_value *values, unsigned rows);
/*
 * For a caller that runs the statement itself: repeats the last row and
 * returns the text to run, with *ret_count values.
 */
const char *sql_bulk_fill(struct sql_bulk *bulk, struct sql_value *values,
                          unsigned rows, unsigned *ret_count);
/*
 * Runs the statement for the first *ret_ran rows: the largest size that
 * `rows` (at least 1) reaches. A statement with tail values is not allowed.
 */
MUST_CHECK enum status sql_bulk_run_exact(struct sql *sql,
                                          struct sql_bulk *bulk,
                                          const struct sql_value *values,
                                          unsigned rows, unsigned *ret_ran);

#endif
