/*
 * database - the writer's connection: made, lost, made again.
 *
 * Says "mysql" up and down as a part of the service, and logs each change
 * once: database.up, database.lost, database.retry.
 */
#ifndef PARLEY_PERSISTENCE_DATABASE_H
#define PARLEY_PERSISTENCE_DATABASE_H

#include "persistence-service/settings.h"

#include <stdbool.h>

struct database;

struct database *database_create(const struct settings *settings);
void database_destroy(struct database **database);
struct sql *database_sql(struct database *database);

/* True when it can be used; else the next try is due in *ret_wait_ms. */
bool database_ready(struct database *database, unsigned *ret_wait_ms);
/* What the last transaction met. */
void database_failed(struct database *database, enum status status);
void database_worked(struct database *database);

#endif
