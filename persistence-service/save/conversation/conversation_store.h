/*
 * conversation_store - reads and writes the tables conversations and members,
 * for the transaction.
 *
 * All calls belong to one open transaction. Errors are those of sql.h.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_CONVERSATION_STORE_H
#define PARLEY_PERSISTENCE_SAVE_CONVERSATION_STORE_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/batch/batch.h"
#include "persistence-service/save/conversation/conversation_cache.h"

struct conversation_store;

struct conversation_store *conversation_store_create(struct sql *sql);
void conversation_store_destroy(struct conversation_store **store);

/*
 * Finds the conversations whose last_seq is not cached, makes the missing ones
 * of pairs, and locks these rows in the order of their ids. Afterwards each
 * conversation has its id and last_seq, or is missing, or refers to its pair.
 */
MUST_CHECK enum status conversation_store_lock(struct conversation_store *store,
                                               struct conversation_cache *cache,
                                               uint64_t now_ms);
/*
 * Writes last_seq and last_message_id of the changed conversations, and the
 * read_seq of the senders of `entries`. Rows are locked in the order of their
 * ids. ST_NOT_FOUND when a cached conversation is gone: invalidate the cache
 * and start again.
 */
MUST_CHECK enum status conversation_store_update(
	struct conversation_store *store, struct conversation_cache *cache,
	struct batch_entry *const *entries, unsigned count, uint64_t now_ms);

#endif
