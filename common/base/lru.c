#include "common/base/lru.h"
#include "common/base/mem.h"
#include "common/base/scope.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

/*
 * Entries lie in one array that lru_create() allocates: later calls allocate
 * nothing. Hash chains and the order of use are linked by index. The hash needs
 * no secret, because the keys are digests and ids that no client can choose.
 */
#define NONE UINT32_MAX

struct entry {
	uint64_t expires_ms;
	uint32_t hash;
	uint32_t chain; /* next entry of the bucket, or next free entry */
	uint32_t newer;
	uint32_t older;
	uint8_t key_len;
	char key[LRU_KEY_MAX];
};

struct lru {
	pthread_mutex_t lock;
	struct entry *entries;
	char *values;
	size_t value_size;
	uint32_t *buckets;
	uint32_t bucket_mask;
	uint32_t max;
	uint32_t count;
	uint32_t free;
	uint32_t newest;
	uint32_t oldest;
};

struct lru *lru_create(size_t entries_max, size_t value_size)
{
	struct lru *lru = mem_new(sizeof(*lru));
	uint32_t buckets = 1;

	assert(entries_max > 0 && entries_max < UINT32_MAX / 2);
	while (buckets < entries_max)
		buckets *= 2;
	(void)pthread_mutex_init(&lru->lock, NULL);
	lru->entries = mem_new(entries_max * sizeof(*lru->entries));
	lru->values = mem_new(entries_max * value_size);
	lru->value_size = value_size;
	lru->buckets = mem_new(buckets * sizeof(*lru->buckets));
	memset(lru->buckets, 0xff, buckets * sizeof(*lru->buckets));
	lru->bucket_mask = buckets - 1;
	lru->max = (uint32_t)entries_max;
	lru->free = NONE;
	lru->newest = NONE;
	lru->oldest = NONE;
	return lru;
}

void lru_destroy(struct lru **lru)
{
	struct lru *l = MOVE(*lru);

	if (!l)
		return;
	(void)pthread_mutex_destroy(&l->lock);
	mem_free(&l->buckets);
	mem_free(&l->values);
	mem_free(&l->entries);
	mem_free(&l);
}

/* FNV-1a, with its upper half folded in. */
static uint32_t hash_of(struct span key)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < key.len; i++)
		hash = (hash ^ (uint8_t)key.data[i]) * UINT64_C(0x100000001b3);
	return (uint32_t)(hash ^ hash >> 32);
}

static void *value_at(struct lru *lru, uint32_t at)
{
	return lru->values + (size_t)at * lru->value_size;
}

static void unlink_use(struct lru *lru, uint32_t at)
{
	struct entry *e = &lru->entries[at];

	if (e->newer != NONE)
		lru->entries[e->newer].older = e->older;
	else
		lru->newest = e->older;
	if (e->older != NONE)
		lru->entries[e->older].newer = e->newer;
	else
		lru->oldest = e->newer;
}

static void link_newest(struct lru *lru, uint32_t at)
{
	struct entry *e = &lru->entries[at];

	e->newer = NONE;
	e->older = lru->newest;
	if (lru->newest != NONE)
		lru->entries[lru->newest].newer = at;
	else
		lru->oldest = at;
	lru->newest = at;
}

static uint32_t find(const struct lru *lru, struct span key, uint32_t hash)
{
	uint32_t at = lru->buckets[hash & lru->bucket_mask];

	while (at != NONE) {
		const struct entry *e = &lru->entries[at];

		if (e->hash == hash &&
		    span_equal(key, span_make(e->key, e->key_len)))
			break;
		at = e->chain;
	}
	return at;
}

static void unlink_chain(struct lru *lru, uint32_t at)
{
	uint32_t *link =
		&lru->buckets[lru->entries[at].hash & lru->bucket_mask];

	while (*link != at)
		link = &lru->entries[*link].chain;
	*link = lru->entries[at].chain;
}

/* Overwrites the value: it may be secret. */
static void drop(struct lru *lru, uint32_t at)
{
	unlink_use(lru, at);
	unlink_chain(lru, at);
	memset(value_at(lru, at), 0, lru->value_size);
	lru->entries[at].chain = lru->free;
	lru->free = at;
	lru->count--;
}

/* Returns an unused entry; evicts the oldest when the cache is full. */
static uint32_t take_entry(struct lru *lru)
{
	uint32_t at;

	if (lru->count == lru->max)
		drop(lru, lru->oldest);
	if (lru->free == NONE)
		return lru->count++;
	at = lru->free;
	lru->free = lru->entries[at].chain;
	lru->count++;
	return at;
}

static uint32_t add(struct lru *lru, struct span key, uint32_t hash)
{
	uint32_t at = take_entry(lru);
	struct entry *e = &lru->entries[at];
	uint32_t *bucket = &lru->buckets[hash & lru->bucket_mask];

	e->hash = hash;
	e->chain = *bucket;
	e->key_len = (uint8_t)key.len;
	if (key.len)
		memcpy(e->key, key.data, key.len);
	*bucket = at;
	link_newest(lru, at);
	return at;
}

bool lru_get(struct lru *lru, struct span key, uint64_t now_ms, void *ret_value)
{
	uint32_t hash = hash_of(key);
	bool found = false;
	uint32_t at;

	(void)pthread_mutex_lock(&lru->lock);
	at = find(lru, key, hash);
	if (at != NONE && lru->entries[at].expires_ms <= now_ms) {
		drop(lru, at);
	} else if (at != NONE) {
		unlink_use(lru, at);
		link_newest(lru, at);
		if (ret_value && lru->value_size)
			memcpy(ret_value, value_at(lru, at), lru->value_size);
		found = true;
	}
	(void)pthread_mutex_unlock(&lru->lock);
	return found;
}

void lru_put(struct lru *lru, struct span key, const void *value,
             uint64_t expires_ms)
{
	uint32_t hash = hash_of(key);
	uint32_t at;

	assert(key.len <= LRU_KEY_MAX);
	(void)pthread_mutex_lock(&lru->lock);
	at = find(lru, key, hash);
	if (at == NONE) {
		at = add(lru, key, hash);
	} else {
		unlink_use(lru, at);
		link_newest(lru, at);
	}
	lru->entries[at].expires_ms = expires_ms;
	if (lru->value_size)
		memcpy(value_at(lru, at), value, lru->value_size);
	(void)pthread_mutex_unlock(&lru->lock);
}

void lru_remove(struct lru *lru, struct span key)
{
	uint32_t hash = hash_of(key);
	uint32_t at;

	(void)pthread_mutex_lock(&lru->lock);
	at = find(lru, key, hash);
	if (at != NONE)
		drop(lru, at);
	(void)pthread_mutex_unlock(&lru->lock);
}

size_t lru_count(struct lru *lru)
{
	size_t count;

	(void)pthread_mutex_lock(&lru->lock);
	count = lru->count;
	(void)pthread_mutex_unlock(&lru->lock);
	return count;
}
