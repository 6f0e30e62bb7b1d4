/*
 * sql - one connection to MariaDB or MySQL, through libmariadb.
 *
 * Values go to the server as parameters of prepared statements; statement texts
 * are constant. A connection prepares each text once and caches it.
 *
 * Errors     ST_CONFLICT     duplicate key (1062), column name or key name
 *            ST_INVALID      the data cannot be stored: too long, bad
 *                            characters, out of range, violates a constraint
 *            ST_UNAVAILABLE  not connected, connection lost, deadlock, lock
 *                            wait timeout, read-only, disk full: rolled back
 *                            or never executed, retry later
 *            ST_UNCERTAIN    connection lost during a commit: check whether
 *                            it was executed, then retry
 *            ST_BROKEN       any other error: a bug or a wrong set-up
 *            sql_error() returns the server's message until the next call.
 *            After a lost connection every call is ST_UNAVAILABLE until
 *            sql_connect() succeeds.
 * Locks      the server ends a wait for a lock before timeout_s is over, and
 *            a transaction that gets no statement for twice timeout_s: a
 *            client that is cut off leaves no lock.
 * Threads    one thread at a time. A thread other than the caller of
 *            sql_library_start() calls sql_thread_start() first.
 */
#ifndef PARLEY_IO_SQL_H
#define PARLEY_IO_SQL_H

#include "common/base/scope.h"
#include "common/base/status.h"
#include "common/io/sql/value.h"

#include <stdbool.h>
#include <stdint.h>

struct sql;

struct sql_options {      /* texts are only read during sql_create() */
	const char *host; /* a name, an address, or "/path/to/socket" */
	uint16_t port;
	const char *user;
	const char *password;
	const char *database;
	unsigned timeout_s; /* connect, read, write */
};

void sql_library_start(void);
void sql_thread_start(void);
void sql_thread_stop(void);

/* Does not connect. */
struct sql *sql_create(const struct sql_options *options);
void sql_destroy(struct sql **sql);
MUST_CHECK enum status sql_connect(struct sql *sql); /* also re-connects */
/* False also when the connection was idle for so long that the server may have
 * closed it. */
bool sql_connected(const struct sql *sql);
/* Connections made so far: a change means that caches may be stale. */
uint64_t sql_connects(const struct sql *sql);
const char *sql_error(const struct sql *sql);
/* Bytes of the largest request that the connected server takes. */
size_t sql_packet_max(const struct sql *sql);
/* True when the connection was lost because the server was silent. */
bool sql_timed_out(const struct sql *sql);

/* Executes a constant statement without parameters; drops its rows. */
MUST_CHECK enum status sql_execute(struct sql *sql, const char *statement);
MUST_CHECK enum status sql_begin(struct sql *sql);
MUST_CHECK enum status sql_commit(struct sql *sql);
void sql_rollback(struct sql *sql); /* harmless outside a transaction */
/*
 * From the next sql_begin() on, the server starts a transaction by itself when
 * the last one has ended (autocommit = 0), which saves a round trip each. All
 * statements of the connection, also reads, must then be inside sql_begin() and
 * sql_commit() or sql_rollback().
 */
void sql_chain_transactions(struct sql *sql);

/*
 * Runs a statement with one value for each `?`. Read its rows with sql_fetch()
 * until ST_NOT_FOUND; the next sql_run() drops unread rows. The connection
 * caches at most 128 prepared statements, by text, and evicts the least
 * recently used.
 */
MUST_CHECK enum status sql_run(struct sql *sql, const char *statement,
                               const struct sql_value *values, unsigned count);
/*
 * The next row into ret_row[0..columns). Bytes live until the next call.
 * ST_NOT_FOUND after the last row. Columns of an integer type are SQL_NUMBER,
 * all others SQL_BYTES: sums need CAST(… AS UNSIGNED).
 */
MUST_CHECK enum status sql_fetch(struct sql *sql, struct sql_value *ret_row,
                                 unsigned columns);
uint64_t sql_affected(const struct sql *sql);
/* The first AUTO_INCREMENT value of the last insert; later rows follow it. */
uint64_t sql_insert_id(const struct sql *sql);

#endif
