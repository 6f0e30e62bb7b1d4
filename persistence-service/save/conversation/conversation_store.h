/*
 * conversation_store - the tables conversations and members, for the writer.
 *
 * All calls belong to one open transaction. Errors are those of sql.h.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_CONVERSATION_STORE_H
#define PARLEY_PERSISTENCE_SAVE_CONVERSATION_STORE_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/batch.h"
#include "persistence-service/save/conversation/conversation_cache.h"

struct conversation_store;

struct conversation_store *conversation_store_create(struct sql *sql);
void conversation_store_destroy(struct conversation_store **store);

/*
 * Finds every pair's conversation of which last_seq is not known, or makes it,
 * and locks all these rows in the order of their ids: afterwards each talk has
 * its id and last_seq, or is absent, or is known to be a pair's.
 */
MUST_CHECK enum status conversation_store_lock(struct conversation_store *store,
                                               struct talks *talks,
                                               uint64_t now_ms);
/*
 * Of the talks that were written to: last_seq, last_message_id and how far the
 * writers, those of `entries`, have read. The rows are taken in the order of
 * their ids. ST_NOT_FOUND when what was remembered is gone: forget it and start
 * again.
 */
MUST_CHECK enum status
conversation_store_update(struct conversation_store *store, struct talks *talks,
                          struct batch_entry *const *entries, unsigned count,
                          uint64_t now_ms);

#endif
