/*
 * change_store - changes of existing messages: edits, deletions and reactions.
 * Each takes the next revision of its conversation.
 *
 * (sender, uuid) identifies a change, as it does a message. A duplicate is
 * answered with its first result.
 *
 * All calls belong to one open transaction. Errors are those of sql.h.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_CHANGE_STORE_H
#define PARLEY_PERSISTENCE_SAVE_CHANGE_STORE_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/batch/batch.h"
#include "persistence-service/save/conversation/roster.h"

struct change_store;

struct change_store *change_store_create(struct sql *sql,
                                         struct rosters *rosters,
                                         unsigned reactions_max);
void change_store_destroy(struct change_store **store);

/*
 * Applies the changes among the entries [from, to), in their order, after the
 * messages were written. Sets the outcome of each; the outcomes hold once the
 * transaction is committed.
 */
MUST_CHECK enum status change_store_write(struct change_store *store,
                                          struct batch *batch, unsigned from,
                                          unsigned to, uint64_t now_ms);

#endif
