/*
 * schema - the numbered SQL files of schema/, embedded at build time.
 */
#ifndef PARLEY_IDENTITY_SCHEMA_H
#define PARLEY_IDENTITY_SCHEMA_H

#include "common/io/sql/sql.h"

/* As sql_migrate(). */
MUST_CHECK enum status schema_apply(struct sql *sql, unsigned *ret_applied);

#endif
