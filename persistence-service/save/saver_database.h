/*
 * saver_database - the saver's connection: opens it, and again when it is
 * lost.
 *
 * It reports the part "mysql" of the service as up or down, also while nothing
 * is saved, when a probe shows whether the server takes writes, and logs a
 * failed try of a connection that works: database.retry.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_SAVER_DATABASE_H
#define PARLEY_PERSISTENCE_SAVE_SAVER_DATABASE_H

#include "persistence-service/settings.h"

#include <stdbool.h>

struct saver_database;

struct saver_database *saver_database_create(const struct settings *settings);
void saver_database_destroy(struct saver_database **database);
struct sql *saver_database_sql(struct saver_database *database);

/*
 * True when the server takes writes; else the next try is in *ret_wait_ms.
 * `batch`: one is to be saved, which will tell.
 */
bool saver_database_ready(struct saver_database *database, bool batch,
                          unsigned *ret_wait_ms);
/* The result of the last transaction. */
void saver_database_failed(struct saver_database *database, enum status status);
void saver_database_worked(struct saver_database *database);

#endif
