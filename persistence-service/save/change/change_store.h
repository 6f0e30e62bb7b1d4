/*
 * change_store - edits, deletions and reactions: changes of messages that are
 * there. Each takes the next revision of its conversation.
 *
 * A change is known by (sender, uuid), as a message is; one that comes again is
 * answered with its first result.
 *
 * All calls belong to one open transaction. Errors are those of sql.h.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_CHANGE_STORE_H
#define PARLEY_PERSISTENCE_SAVE_CHANGE_STORE_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/batch.h"
#include "persistence-service/save/conversation/roster.h"

struct change_store;

struct change_store *change_store_create(struct sql *sql,
                                         struct rosters *rosters,
                                         unsigned reactions_max);
void change_store_destroy(struct change_store **store);

/*
 * The changes among the entries from `from` to before `to`, in their order,
 * after messages were written. Gives each its outcome, which only holds once
 * all is committed.
 */
MUST_CHECK enum status change_store_write(struct change_store *store,
                                          struct batch *batch, unsigned from,
                                          unsigned to, uint64_t now_ms);

#endif
