/*
 * sql_migrate - brings a database to the schema that this program needs.
 */
#ifndef PARLEY_IO_SQL_MIGRATE_H
#define PARLEY_IO_SQL_MIGRATE_H

#include "common/io/sql/sql.h"

/*
 * Applies the numbered schema files that are not yet applied, in order, under
 * a named lock, and records them in schema_version(version, applied_at).
 * ST_BROKEN when the database has a version that this binary does not know,
 * ST_UNAVAILABLE while another process is at it: try again. A file may be run
 * again after a crash halfway: write CREATE TABLE IF NOT EXISTS; ADD COLUMN and
 * ADD KEY are passed over when they have been done (in one ALTER: all or none).
 */
struct sql_migration {
	unsigned version;       /* from 1, without gaps */
	const char *statements; /* separated by ";\n" */
};

MUST_CHECK enum status sql_migrate(struct sql *sql,
                                   const struct sql_migration *migrations,
                                   unsigned count, unsigned *ret_applied);

#endif
