/*
 * sql_fault - makes one statement of a connection fail, for tests of error
 * handling.
 *
 * A statement is each request to the server: a connect, a prepare, an execute,
 * START TRANSACTION, COMMIT, ROLLBACK. Services set no fault: then a statement
 * costs one comparison more.
 */
#ifndef PARLEY_IO_SQL_FAULT_H
#define PARLEY_IO_SQL_FAULT_H

#include "common/io/sql/sql.h"

struct sql_fault {
	unsigned statement; /* that fails; 1: the next one; 0: none */
	unsigned error;     /* the number that it reports */
	bool after;         /* the server executes it first */
	unsigned seen;      /* statements so far */
	bool happened;
};

/*
 * Borrows the fault until the next call; NULL: none. An error that ends a
 * connection really cuts it, so the server rolls the transaction back.
 */
void sql_fault_set(struct sql *sql, struct sql_fault *fault);

#endif
