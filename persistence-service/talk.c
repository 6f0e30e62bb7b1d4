#include "persistence-service/talk.h"

#include "common/base/lru.h"
#include "common/base/mem.h"
#include "persistence-service/batch.h"
#include "persistence-service/pair.h"

#include <assert.h>
#include <string.h>

enum { REMEMBERED_MAX = 100000, SLOTS = 1024 };
_Static_assert((int)SLOTS > (int)BATCH_MOST,
               "there must always be a free slot");

struct remembered {
	uint64_t id;
	uint64_t last_seq;
};

struct talks {
	struct lru *remembered; /* by both users */
	struct talk talk[BATCH_MOST];
	unsigned count;
	uint16_t slots[SLOTS]; /* index + 1 by hash of the users; 0: free */
};

struct talks *talks_create(void)
{
	struct talks *talks = mem_new(sizeof(*talks));

	talks_forget_all(talks);
	return talks;
}

void talks_destroy(struct talks **talks)
{
	if (!*talks)
		return;
	lru_destroy(&(*talks)->remembered);
	mem_free(talks);
}

void talks_clear(struct talks *talks)
{
	talks->count = 0;
	memset(talks->slots, 0, sizeof(talks->slots));
}

static struct span users_of(const struct talk *talk)
{
	return span_make(talk->user, sizeof(talk->user));
}

static unsigned slot_of(uint64_t low, uint64_t high)
{
	uint64_t hash = (low * UINT64_C(0x9e3779b97f4a7c15)) ^ high;

	hash *= UINT64_C(0xff51afd7ed558ccd);
	return (unsigned)(hash >> 32) % SLOTS;
}

static void start(struct talks *talks, struct talk *talk, uint64_t low,
                  uint64_t high, const struct save_record *record)
{
	struct buf key CLEANUP(buf_free) = BUF(CONVERSATION_KEY_MAX);
	struct remembered remembered;

	*talk = (struct talk){.user = {low, high},
	                      .created_by = record->sender};
	save_record_key(record, &key);
	memcpy(talk->key, key.data, key.len);
	talk->key_len = (unsigned)key.len;
	if (!lru_get(talks->remembered, users_of(talk), 0, &remembered))
		return;
	talk->id = remembered.id;
	talk->last_seq = remembered.last_seq;
	talk->seq_known = true;
}

/* The slot of these users, or the free one where they belong. */
static unsigned look(const struct talks *talks, uint64_t low, uint64_t high)
{
	unsigned slot = slot_of(low, high);

	for (; talks->slots[slot]; slot = (slot + 1) % SLOTS) {
		const struct talk *talk = &talks->talk[talks->slots[slot] - 1];

		if (talk->user[0] == low && talk->user[1] == high)
			break;
	}
	return slot;
}

unsigned talks_find(struct talks *talks, const struct save_record *record)
{
	bool rising = record->sender <= record->user_to;
	uint64_t low = rising ? record->sender : record->user_to;
	uint64_t high = rising ? record->user_to : record->sender;
	unsigned slot = look(talks, low, high);

	if (talks->slots[slot])
		return talks->slots[slot] - 1u;
	assert(talks->count < BATCH_MOST);
	start(talks, &talks->talk[talks->count], low, high, record);
	talks->slots[slot] = (uint16_t)++talks->count;
	return talks->count - 1;
}

struct talk *talks_at(struct talks *talks, unsigned index)
{
	assert(index < talks->count);
	return &talks->talk[index];
}

struct talk *talks_with_key(struct talks *talks, struct span key)
{
	struct pair pair;
	unsigned slot;

	if (!pair_read(key, &pair))
		return NULL;
	slot = look(talks, pair.low, pair.high);
	return talks->slots[slot] ? &talks->talk[talks->slots[slot] - 1] : NULL;
}

unsigned talks_count(const struct talks *talks)
{
	return talks->count;
}

unsigned talks_side(const struct talk *talk, uint64_t user)
{
	return talk->user[0] == user ? 0 : 1;
}

void talks_remember(struct talks *talks)
{
	for (unsigned i = 0; i < talks->count; i++) {
		const struct talk *talk = &talks->talk[i];
		struct remembered remembered = {talk->id, talk->last_seq};

		lru_put(talks->remembered, users_of(talk), &remembered,
		        UINT64_MAX);
	}
}

void talks_forget(struct talks *talks)
{
	for (unsigned i = 0; i < talks->count; i++)
		lru_remove(talks->remembered, users_of(&talks->talk[i]));
}

void talks_forget_all(struct talks *talks)
{
	lru_destroy(&talks->remembered);
	talks->remembered =
		lru_create(REMEMBERED_MAX, sizeof(struct remembered));
}
