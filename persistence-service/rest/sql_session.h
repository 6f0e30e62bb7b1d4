/*
 * reader - the database connection of one REST worker: made when it is needed,
 * made again when it was lost.
 *
 * Errors     ST_UNAVAILABLE  the database is away; what was wrong is logged
 * Threads    one thread each.
 */
#ifndef PARLEY_PERSISTENCE_REST_SQL_SESSION_H
#define PARLEY_PERSISTENCE_REST_SQL_SESSION_H

#include "persistence-service/settings.h"

struct reader;

struct reader *reader_create(const struct settings *settings);
void reader_destroy(struct reader **reader);
/* For a transaction: only after reader_connect(). */
struct sql *reader_sql(struct reader *reader);

MUST_CHECK enum status reader_connect(struct reader *reader);
/* A statement that only reads, for it may be run twice. */
MUST_CHECK enum status reader_run(struct reader *reader, const char *statement,
                                  const struct sql_value *values,
                                  unsigned count);
/* The next row; ST_NOT_FOUND after the last. */
MUST_CHECK enum status reader_fetch(struct reader *reader,
                                    struct sql_value *ret_row,
                                    unsigned columns);

#endif
