/*
 * schema - the numbered files of schema/, inside the binary.
 */
#ifndef PARLEY_PERSISTENCE_SCHEMA_H
#define PARLEY_PERSISTENCE_SCHEMA_H

#include "common/io/sql/sql.h"

/* Applies what is missing. */
MUST_CHECK enum status schema_apply(struct sql *sql);

#endif
