/*
 * conversation_cache - the conversations of one transaction, and a bounded LRU
 * map with what earlier commits made certain about them.
 *
 * A transaction looks up each conversation once: a pair of users by its key,
 * any other conversation by its id. A cached last_seq is
 * stale when another process has written meanwhile: then the next seq is taken,
 * and the unique key reports it. Every membership change takes a seq, so
 * cached members are valid as long as last_seq is. A block list takes no seq:
 * its change sends a record (SAVE_BLOCKED) that evicts the pair. A membership
 * change sends one, too (SAVE_MEMBERSHIP), which saves a failed try.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_CONVERSATION_CACHE_H
#define PARLEY_PERSISTENCE_SAVE_CONVERSATION_CACHE_H

#include "common/io/sql/sql.h"
#include "common/wire/save_record.h"

#include <stdbool.h>
#include <stdint.h>

/* The bits of cached_conversation.blocked. */
enum { LOW_BLOCKS_HIGH = 1, HIGH_BLOCKS_LOW = 2, BLOCKS_UNKNOWN = 4 };

enum conversation_state {
	CONVERSATION_UNKNOWN, /* its row has to be read and locked */
	CONVERSATION_CACHED,  /* last_seq is that of our last commit; the row is
	                         not locked */
	CONVERSATION_LOCKED,
	CONVERSATION_CREATED, /* by this transaction */
	CONVERSATION_MISSING,
	CONVERSATION_MISPLACED, /* named by the id, but it is a pair's, which
	                           has another record key and another owner */
};

struct cached_conversation {
	/* Of a pair, ascending; equal for oneself. Or 0 and the id. */
	uint64_t user[2];
	uint64_t id; /* 0: unknown */
	enum conversation_state state;
	uint64_t created_by;
	uint64_t stored_seq; /* last_seq of the row */
	uint64_t last_seq;   /* with the new messages of this transaction */
	uint64_t last_message_id;
	bool large;
	uint8_t blocked;
	char key[CONVERSATION_KEY_MAX];
	unsigned key_len;
};

struct conversation_cache;

struct conversation_cache *conversation_cache_create(void);
void conversation_cache_destroy(struct conversation_cache **cache);
/* Begins a transaction without conversations; keeps the LRU map. */
void conversation_cache_begin(struct conversation_cache *cache);
/* The record's conversation, which is added when needed. */
struct cached_conversation *
conversation_cache_find(struct conversation_cache *cache,
                        const struct save_record *record);
struct cached_conversation *
conversation_cache_at(struct conversation_cache *cache, unsigned index);
/* NULL when this transaction has no conversation with this key. */
struct cached_conversation *
conversation_cache_by_key(struct conversation_cache *cache, struct span key);
unsigned conversation_cache_count(const struct conversation_cache *cache);
unsigned
cached_conversation_side(const struct cached_conversation *conversation,
                         uint64_t user);
static inline bool
cached_conversation_is_pair(const struct cached_conversation *conversation)
{
	return conversation->user[0] != 0;
}

/* This transaction was committed: keeps its conversations in the LRU map. */
void conversation_cache_commit(struct conversation_cache *cache);
/* It failed: removes its conversations from the LRU map. */
void conversation_cache_invalidate(struct conversation_cache *cache);
/* The block list of a pair has changed. */
void conversation_cache_evict_pair(struct conversation_cache *cache,
                                   uint64_t user, uint64_t other);
/* The members of a group or channel have changed. */
void conversation_cache_evict(struct conversation_cache *cache,
                              uint64_t conversation);
/* Empties the LRU map. */
void conversation_cache_evict_all(struct conversation_cache *cache);

#endif
