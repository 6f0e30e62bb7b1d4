/*
 * schema - the migrations: the numbered files of schema/, embedded in the
 * binary.
 */
#ifndef PARLEY_PERSISTENCE_SCHEMA_H
#define PARLEY_PERSISTENCE_SCHEMA_H

#include "common/io/sql/sql.h"

/* Applies the missing migrations. */
MUST_CHECK enum status schema_apply(struct sql *sql);
/*
 * Changes rows of an older version that SQL alone cannot change; in
 * transactions of its own, once in a process. One thread calls this.
 */
MUST_CHECK enum status schema_renew_rows(struct sql *sql);

#endif
