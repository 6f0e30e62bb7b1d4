/*
 * sql_migrate - brings a database to the schema that this program needs.
 */
#ifndef PARLEY_IO_SQL_MIGRATE_H
#define PARLEY_IO_SQL_MIGRATE_H

#include "common/io/sql/sql.h"

/*
 * Applies the missing numbered schema files in order, under a named lock of the
 * server, and records them in schema_version(version, applied_at). ST_BROKEN:
 * the database has a version that this binary does not know. ST_UNAVAILABLE:
 * another process holds the lock; retry. After a crash a file may run again:
 * use CREATE TABLE IF NOT EXISTS. ADD COLUMN and ADD KEY are skipped when the
 * column or key exists (in one ALTER: all or none).
 */
struct sql_migration {
	unsigned version;       /* from 1, without gaps */
	const char *statements; /* separated by ";\n" */
};

MUST_CHECK enum status sql_migrate(struct sql *sql,
                                   const struct sql_migration *migrations,
                                   unsigned count, unsigned *ret_applied);

/*
 * An UPDATE that changes no row of schema_version. A server that is read-only
 * or locked refuses it as it would refuse any write.
 */
MUST_CHECK enum status sql_probe_write(struct sql *sql);

#endif
