/*
 * sql_session - the database connection of one REST worker. It connects on
 * first use, and again after the connection was lost.
 *
 * Errors     ST_UNAVAILABLE  the database is away; the cause is logged
 * Threads    one thread each.
 */
#ifndef PARLEY_PERSISTENCE_REST_SQL_SESSION_H
#define PARLEY_PERSISTENCE_REST_SQL_SESSION_H

#include "persistence-service/settings.h"

struct sql_session;

struct sql_session *sql_session_create(const struct settings *settings);
void sql_session_destroy(struct sql_session **session);
/* For a transaction, after sql_session_connect(). */
struct sql *sql_session_connection(struct sql_session *session);

MUST_CHECK enum status sql_session_connect(struct sql_session *session);
/* Runs a statement that only reads, perhaps twice. */
MUST_CHECK enum status sql_session_run(struct sql_session *session,
                                       const char *statement,
                                       const struct sql_value *values,
                                       unsigned count);
/* The next row; ST_NOT_FOUND after the last. */
MUST_CHECK enum status sql_session_fetch(struct sql_session *session,
                                         struct sql_value *ret_row,
                                         unsigned columns);

#endif
