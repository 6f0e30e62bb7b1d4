/*
 * database - the connection of one worker, opened when it is needed.
 *
 * All workers share a database_source, which is closed until
 * database_source_open(): before the schema is applied every call is
 * ST_UNAVAILABLE.
 *
 * Threads    the source: any; a database: the thread that created it.
 */
#ifndef PARLEY_IDENTITY_DATABASE_H
#define PARLEY_IDENTITY_DATABASE_H

#include "common/io/sql/sql.h"

struct database_source;
struct database;

/* The texts of `options` must live as long as the source. */
struct database_source *
database_source_create(const struct sql_options *options);
void database_source_destroy(struct database_source **source);
void database_source_open(struct database_source *source);

/* A task must be safe to repeat when its outcome is unknown. */
typedef enum status database_task(struct sql *sql, void *argument);

struct database *database_create(struct database_source *source);
void database_destroy(struct database **database);
/*
 * Runs the task. When the server has rolled it back (a deadlock), it runs the
 * task again, up to 20 times in 3 s. When the connection turns out to be lost
 * at once, it runs the task again on a new connection. After a failed connect,
 * calls fail for 250 ms without another attempt. A task that fails leaves no
 * transaction open.
 */
MUST_CHECK enum status database_run(struct database *database,
                                    database_task *task, void *argument);

#endif
