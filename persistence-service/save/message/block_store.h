/*
 * block_store - the table blocks, for the writer: who of a pair does not want
 * to hear from the other.
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
/* Afterwards `blocked` of each pair is known. */
MUST_CHECK enum status block_store_load(struct block_store *store,
                                        struct talks *talks);
/* Whether the pair's other one blocks `user`. */
bool talk_blocks(const struct talk *talk, uint64_t user);

#endif
