/*
 * schema - the numbered files of schema/, as they were when this was built.
 */
#ifndef PARLEY_IDENTITY_SCHEMA_H
#define PARLEY_IDENTITY_SCHEMA_H

#include "common/io/sql/sql.h"

MUST_CHECK enum status schema_apply(struct sql *sql, unsigned *ret_applied);

#endif
