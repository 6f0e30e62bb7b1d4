/*
 * database - a worker's own connection, opened when it is needed.
 *
 * database_source is shared by all workers and shut until
 * database_source_open(): before the schema stands every try is ST_UNAVAILABLE.
 *
 * Threads    the source: any; a database: the thread that made it.
 */
#ifndef PARLEY_IDENTITY_DATABASE_H
#define PARLEY_IDENTITY_DATABASE_H

#include "common/io/sql/sql.h"

struct database_source;
struct database;

/* Texts in `options` must live on. */
struct database_source *
database_source_create(const struct sql_options *options);
void database_source_destroy(struct database_source **source);
void database_source_open(struct database_source *source);

/* Work that is safe to do again when it is not known whether it was done. */
typedef enum status database_task(struct sql *sql, void *argument);

struct database *database_create(struct database_source *source);
void database_destroy(struct database **database);
/*
 * Does the task, once more on a new connection when the first turned out to be
 * lost at once. A server that did not answer is left alone for a moment.
 */
MUST_CHECK enum status database_try(struct database *database,
                                    database_task *task, void *argument);

#endif
