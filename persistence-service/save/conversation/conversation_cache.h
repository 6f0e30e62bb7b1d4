/*
 * conversation_cache - the conversations of one transaction, and a bounded LRU
 * map with what earlier commits made certain about them.
 *
 * A transaction looks up each conversation once: a pair of users by its key,
 * any other conversation by its id. An id never changes. A cached last_seq is
 * stale when another process has written meanwhile: then the next seq is taken,
 * and the unique key reports it. Every membership change takes a seq, so
 * cached members are valid as long as last_seq is. A block list takes no seq:
 * its change sends a record (SAVE_BLOCKED) that evicts the pair.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_CONVERSATION_CACHE_H
#define PARLEY_PERSISTENCE_SAVE_CONVERSATION_CACHE_H

#include "common/io/sql/sql.h"
#include "common/wire/save_record.h"

#include <stdbool.h>
#include <stdint.h>

/* The bits of cached_conversation.blocked. */
enum { LOW_BLOCKS_HIGH = 1, HIGH_BLOCKS_LOW = 2 };

struct cached_conversation {
	/* Of a pair, ascending; equal for oneself. Or 0 and the id. */
	uint64_t user[2];
	uint64_t id; /* 0: unknown */
	uint64_t created_by;
	uint64_t last_seq;
	uint64_t last_message_id;
	uint64_t read_seq[2]; /* of a pair's users, if they wrote; or 0 */
	bool created;         /* by this transaction */
	bool seq_cached;      /* last_seq comes from the LRU map; its row is not
	                         locked */
	bool changed;         /* by this transaction */
	bool missing;         /* no such conversation */
	bool large;
	bool blocks_known;
	uint8_t blocked;
	/* Of a conversation whose id turned out to be a pair's. */
	struct cached_conversation *pair;
	char key[CONVERSATION_KEY_MAX];
	unsigned key_len;
};

struct conversation_cache;

struct conversation_cache *conversation_cache_create(void);
void conversation_cache_destroy(struct conversation_cache **cache);
/* Begins a transaction without conversations; keeps the LRU map. */
void conversation_cache_begin(struct conversation_cache *cache);
/* The index of the record's conversation, which is added when needed. */
unsigned conversation_cache_find(struct conversation_cache *cache,
                                 const struct save_record *record);
struct cached_conversation *
conversation_cache_at(struct conversation_cache *cache, unsigned index);
unsigned
conversation_cache_index(const struct conversation_cache *cache,
                         const struct cached_conversation *conversation);
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

/*
 * The row of the conversation, which was found by its id, is that of this pair:
 * makes the pair's conversation, with the values of the row.
 */
void conversation_cache_resolve_pair(struct conversation_cache *cache,
                                     struct cached_conversation *conversation,
                                     uint64_t low, uint64_t high);

/* This transaction was committed: keeps its conversations in the LRU map. */
void conversation_cache_commit(struct conversation_cache *cache);
/* It failed: removes its conversations from the LRU map. */
void conversation_cache_invalidate(struct conversation_cache *cache);
/* The block list of a pair has changed. */
void conversation_cache_evict_pair(struct conversation_cache *cache,
                                   uint64_t user, uint64_t other);
/* Empties the LRU map. */
void conversation_cache_evict_all(struct conversation_cache *cache);

#endif
