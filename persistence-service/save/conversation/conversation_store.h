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
 * Finds the conversations whose state is unknown, makes the missing ones of
 * pairs, and locks these rows in the order of their ids. Afterwards the state
 * of each conversation is known. ST_NOT_FOUND: a row went meanwhile; start
 * again.
 */
MUST_CHECK enum status conversation_store_lock(struct conversation_store *store,
                                               struct conversation_cache *cache,
                                               uint64_t now_ms);

/* A user has written, and so read, up to this entry. */
struct read_position {
	uint64_t conversation;
	uint64_t user;
	uint64_t seq; /* 0: a member who has read nothing */
};

enum { READ_POSITIONS_MAX = 2 * BATCH_RECORDS_MAX };

/*
 * Writes last_seq and last_message_id of the conversations with new entries,
 * and the positions, of which it keeps the highest of each member. Rows are
 * locked in the order of their ids. ST_NOT_FOUND when a cached conversation is
 * gone: invalidate the cache and start again.
 */
MUST_CHECK enum status conversation_store_update(
	struct conversation_store *store, struct conversation_cache *cache,
	struct read_position *positions, unsigned count, uint64_t now_ms);

#endif
