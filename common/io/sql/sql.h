/*
 * sql - one connection to MariaDB or MySQL, through libmysqlclient.
 *
 * Text goes to the server as parameters of prepared statements, never by
 * putting a statement together. Statements are prepared once per connection
 * and text, and kept.
 *
 * Errors     ST_CONFLICT     a unique key is taken (1062), or the name of a
 *                            column or key
 *            ST_INVALID      the data can't be stored: too long, bad
 *                            characters, out of range, violates a constraint
 *            ST_UNAVAILABLE  not connected, connection lost, deadlock, lock
 *                            wait, read-only, disk full: rolled back or never
 *                            done, try again
 *            ST_UNCERTAIN    lost while committing: look before trying again
 *            ST_BROKEN       anything else: a bug or a wrong set-up
 *            sql_error() has the server's words until the next call.
 *            After a lost connection every call is ST_UNAVAILABLE until
 *            sql_connect() succeeds again.
 * Threads    one thread at a time; call sql_thread_start() first on threads
 *            that were not the one calling sql_library_start().
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

/* Never connects yet. */
struct sql *sql_create(const struct sql_options *options);
void sql_destroy(struct sql **sql);
MUST_CHECK enum status sql_connect(struct sql *sql); /* also re-connects */
bool sql_connected(const struct sql *sql);
/* How often it was connected: what was known of the server may be old. */
uint64_t sql_connects(const struct sql *sql);
const char *sql_error(const struct sql *sql);

/* A constant statement without parameters, whose rows (if any) are dropped. */
MUST_CHECK enum status sql_execute(struct sql *sql, const char *statement);
MUST_CHECK enum status sql_begin(struct sql *sql);
MUST_CHECK enum status sql_commit(struct sql *sql);
void sql_rollback(struct sql *sql); /* harmless outside a transaction */
/*
 * From the next sql_begin() on the server begins a transaction by itself when
 * one has ended, which saves a round trip for each. Everything on this
 * connection, reads too, then stands between sql_begin() and its end.
 */
void sql_chain_transactions(struct sql *sql);

/*
 * Runs a statement with one value for each `?`. When it has rows, read them
 * with sql_fetch() until it says ST_NOT_FOUND (or drop them: the next
 * sql_run() does). Statements are told apart by their text and kept prepared;
 * at most 128 per connection, the longest unused is dropped.
 */
MUST_CHECK enum status sql_run(struct sql *sql, const char *statement,
                               const struct sql_value *values, unsigned count);
/*
 * The next row into ret_row[0..columns). Bytes live until the next call.
 * ST_NOT_FOUND after the last. Columns of integer type are SQL_NUMBER, all
 * others SQL_BYTES: sums and sums of parameters want CAST(… AS UNSIGNED).
 */
MUST_CHECK enum status sql_fetch(struct sql *sql, struct sql_value *ret_row,
                                 unsigned columns);
uint64_t sql_affected(const struct sql *sql);
/* The first AUTO_INCREMENT value of the last insert; later rows follow it. */
uint64_t sql_insert_id(const struct sql *sql);

#endif
