/*
 * block_store - reads the table blocks, for the transaction: which user of a
 * pair blocks the other.
 *
 * All calls belong to one open transaction. Errors are those of sql.h.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_MESSAGE_BLOCK_STORE_H
#define PARLEY_PERSISTENCE_SAVE_MESSAGE_BLOCK_STORE_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/conversation/conversation_cache.h"

struct block_store;

struct block_store *block_store_create(struct sql *sql);
void block_store_destroy(struct block_store **store);
/* Sets `blocked` of each pair where it is unknown. */
MUST_CHECK enum status block_store_load(struct block_store *store,
                                        struct conversation_cache *cache);
/* True when the other user of the pair blocks `user`. */
bool block_store_is_blocked(const struct cached_conversation *conversation,
                            uint64_t user);
/* True when `user` blocks the other user of the pair. */
bool block_store_blocks(const struct cached_conversation *conversation,
                        uint64_t user);

#endif
