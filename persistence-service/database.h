/*
 * database - the saver's connection: opens it and opens it again when it is
 * lost.
 *
 * It reports the part "mysql" of the service as up or down, and logs each
 * change once: database.up, database.lost, database.retry.
 */
#ifndef PARLEY_PERSISTENCE_DATABASE_H
#define PARLEY_PERSISTENCE_DATABASE_H

#include "persistence-service/settings.h"

#include <stdbool.h>

struct database;

struct database *database_create(const struct settings *settings);
void database_destroy(struct database **database);
struct sql *database_sql(struct database *database);

/* True when the connection works; else the next try is in *ret_wait_ms. */
bool database_ready(struct database *database, unsigned *ret_wait_ms);
/* The result of the last transaction. */
void database_failed(struct database *database, enum status status);
void database_worked(struct database *database);

#endif
