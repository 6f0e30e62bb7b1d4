/*
 * guess_row - rows of the table guess_limits: one sliding window of one
 * subject.
 *
 * Run the calls inside a transaction. Transactions that lock more than one row
 * lock them in the same order.
 */
#ifndef PARLEY_IDENTITY_GUESS_GUESS_ROW_H
#define PARLEY_IDENTITY_GUESS_GUESS_ROW_H

#include "common/io/digest.h"
#include "common/io/sql/sql.h"
#include "identity-service/guess/guess_window.h"

struct guess_row {
	struct digest subject; /* half of it is stored */
	struct guess_window window;
	uint64_t now_ms; /* of the server */
};

/*
 * Reads the window of row->subject for `rule`, and locks the row. Makes the row
 * first: locks on absent rows would let two transactions wait for each other.
 */
MUST_CHECK enum status guess_row_lock(struct sql *sql,
                                      const struct guess_rule *rule,
                                      struct guess_row *row);
/* The same without a lock. There need not be such a row. */
MUST_CHECK enum status guess_row_read(struct sql *sql,
                                      const struct guess_rule *rule,
                                      struct guess_row *row);
/* Writes the window. Deletes the row of an empty one. */
MUST_CHECK enum status guess_row_store(struct sql *sql,
                                       const struct guess_row *row);

#endif
