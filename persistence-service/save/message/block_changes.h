/*
 * block_changes - reads the block lists that have changed (SAVE_BLOCKED), for
 * the gateways.
 *
 * All calls belong to one open transaction. Errors are those of sql.h.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_MESSAGE_BLOCK_CHANGES_H
#define PARLEY_PERSISTENCE_SAVE_MESSAGE_BLOCK_CHANGES_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/batch/attempt.h"

struct block_changes;

struct block_changes *block_changes_create(struct sql *sql);
void block_changes_destroy(struct block_changes **changes);
/* Fills `answer` of the attempt's entries of this kind, "+3" or "-3". */
MUST_CHECK enum status block_changes_read(struct block_changes *changes,
                                          const struct attempt *attempt);

#endif
