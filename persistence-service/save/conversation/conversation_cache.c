#include "persistence-service/save/conversation/conversation_cache.h"

#include "common/base/lru.h"
#include "common/base/mem.h"
#include "common/wire/pair.h"
#include "persistence-service/save/batch/batch.h"

#include <assert.h>
#include <string.h>

enum {
	COMMITTED_MAX = 100000,
	CONVERSATIONS_MAX = BATCH_RECORDS_MAX,
	SLOTS = 1024
};
_Static_assert((int)SLOTS > (int)CONVERSATIONS_MAX,
               "there must always be a free slot");

struct committed {
	uint64_t id;
	uint64_t last_seq;
	bool large;
	uint8_t blocked;
};

struct conversation_cache {
	struct lru *committed; /* by cached_conversation.user */
	struct cached_conversation conversations[CONVERSATIONS_MAX];
	unsigned count;
	uint16_t slots[SLOTS]; /* index + 1 by hash of the users; 0: free */
};

struct conversation_cache *conversation_cache_create(void)
{
	struct conversation_cache *cache = mem_new(sizeof(*cache));

	conversation_cache_evict_all(cache);
	return cache;
}

void conversation_cache_destroy(struct conversation_cache **cache)
{
	if (!*cache)
		return;
	lru_destroy(&(*cache)->committed);
	mem_free(cache);
}

void conversation_cache_begin(struct conversation_cache *cache)
{
	cache->count = 0;
	memset(cache->slots, 0, sizeof(cache->slots));
}

static struct span users_of(const struct cached_conversation *conversation)
{
	return span_make(conversation->user, sizeof(conversation->user));
}

static unsigned slot_of(uint64_t low, uint64_t high)
{
	uint64_t hash = (low * UINT64_C(0x9e3779b97f4a7c15)) ^ high;

	hash *= UINT64_C(0xff51afd7ed558ccd);
	return (unsigned)(hash >> 32) % SLOTS;
}

static void write_key(struct cached_conversation *conversation)
{
	struct buf key CLEANUP(buf_free) = BUF(CONVERSATION_KEY_MAX);
	struct save_record record = {.sender = conversation->user[0],
	                             .user_to = conversation->user[1]};

	if (!cached_conversation_is_pair(conversation))
		record = (struct save_record){.conversation =
		                                      conversation->user[1]};
	save_record_key(&record, &key);
	memcpy(conversation->key, key.data, key.len);
	conversation->key_len = (unsigned)key.len;
}

static void load_committed(struct conversation_cache *cache,
                           struct cached_conversation *conversation)
{
	struct committed committed;

	if (!lru_get(cache->committed, users_of(conversation), 0, &committed))
		return;
	conversation->id = committed.id;
	conversation->stored_seq = conversation->last_seq = committed.last_seq;
	conversation->large = committed.large;
	conversation->blocked = committed.blocked;
	conversation->state = CONVERSATION_CACHED;
}

static void init(struct conversation_cache *cache,
                 struct cached_conversation *conversation, uint64_t low,
                 uint64_t high)
{
	*conversation = (struct cached_conversation){.user = {low, high},
	                                             .blocked = BLOCKS_UNKNOWN};
	write_key(conversation);
	if (!cached_conversation_is_pair(conversation))
		conversation->id = high;
	load_committed(cache, conversation);
}

/* The slot of these users, or the free slot for them. */
static unsigned slot_for(const struct conversation_cache *cache, uint64_t low,
                         uint64_t high)
{
	unsigned slot = slot_of(low, high);

	for (; cache->slots[slot]; slot = (slot + 1) % SLOTS) {
		const struct cached_conversation *conversation =
			&cache->conversations[cache->slots[slot] - 1];

		if (conversation->user[0] == low &&
		    conversation->user[1] == high)
			break;
	}
	return slot;
}

static struct cached_conversation *find(struct conversation_cache *cache,
                                        uint64_t low, uint64_t high)
{
	unsigned slot = slot_for(cache, low, high);

	if (cache->slots[slot])
		return &cache->conversations[cache->slots[slot] - 1];
	assert(cache->count < CONVERSATIONS_MAX);
	init(cache, &cache->conversations[cache->count], low, high);
	cache->slots[slot] = (uint16_t)++cache->count;
	return &cache->conversations[cache->count - 1];
}

struct cached_conversation *
conversation_cache_find(struct conversation_cache *cache,
                        const struct save_record *record)
{
	bool rising = record->sender <= record->user_to;
	struct cached_conversation *conversation;

	if (record->conversation)
		conversation = find(cache, 0, record->conversation);
	else
		conversation =
			find(cache, rising ? record->sender : record->user_to,
		             rising ? record->user_to : record->sender);
	if (!conversation->created_by)
		conversation->created_by = record->sender;
	return conversation;
}

struct cached_conversation *
conversation_cache_at(struct conversation_cache *cache, unsigned index)
{
	assert(index < cache->count);
	return &cache->conversations[index];
}

struct cached_conversation *
conversation_cache_by_key(struct conversation_cache *cache, struct span key)
{
	struct pair pair;
	unsigned slot;

	if (!pair_read(key, &pair))
		return NULL;
	slot = slot_for(cache, pair.low, pair.high);
	return cache->slots[slot]
	               ? &cache->conversations[cache->slots[slot] - 1]
	               : NULL;
}

unsigned conversation_cache_count(const struct conversation_cache *cache)
{
	return cache->count;
}

unsigned
cached_conversation_side(const struct cached_conversation *conversation,
                         uint64_t user)
{
	return conversation->user[0] == user ? 0 : 1;
}

static bool is_certain(const struct cached_conversation *conversation)
{
	return conversation->state == CONVERSATION_CACHED ||
	       conversation->state == CONVERSATION_LOCKED ||
	       conversation->state == CONVERSATION_CREATED;
}

static void commit(struct conversation_cache *cache,
                   const struct cached_conversation *conversation)
{
	struct committed committed = {
		.id = conversation->id,
		.last_seq = conversation->last_seq,
		.large = conversation->large,
		.blocked = conversation->blocked,
	};

	if (is_certain(conversation))
		lru_put(cache->committed, users_of(conversation), &committed,
		        UINT64_MAX);
}

void conversation_cache_commit(struct conversation_cache *cache)
{
	for (unsigned i = 0; i < cache->count; i++)
		commit(cache, &cache->conversations[i]);
}

void conversation_cache_evict_pair(struct conversation_cache *cache,
                                   uint64_t user, uint64_t other)
{
	uint64_t users[2] = {user < other ? user : other,
	                     user < other ? other : user};

	lru_remove(cache->committed, span_make(users, sizeof(users)));
}

void conversation_cache_evict(struct conversation_cache *cache,
                              uint64_t conversation)
{
	uint64_t users[2] = {0, conversation};

	lru_remove(cache->committed, span_make(users, sizeof(users)));
}

void conversation_cache_invalidate(struct conversation_cache *cache)
{
	for (unsigned i = 0; i < cache->count; i++)
		lru_remove(cache->committed,
		           users_of(&cache->conversations[i]));
}

void conversation_cache_evict_all(struct conversation_cache *cache)
{
	lru_destroy(&cache->committed);
	cache->committed = lru_create(COMMITTED_MAX, sizeof(struct committed));
}
