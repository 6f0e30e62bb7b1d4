#include "persistence-service/talk.h"

#include "common/base/lru.h"
#include "common/base/mem.h"
#include "persistence-service/batch.h"

#include <assert.h>
#include <string.h>

enum { IDS_MAX = 100000, SLOTS = 1024 };
_Static_assert((int)SLOTS > (int)BATCH_MOST,
               "there must always be a free slot");

struct talks {
	struct lru *ids; /* both users → id */
	struct talk talk[BATCH_MOST];
	unsigned count;
	uint16_t slots[SLOTS]; /* index + 1 by hash of the users; 0: free */
};

struct talks *talks_create(void)
{
	struct talks *talks = mem_new(sizeof(*talks));

	talks->ids = lru_create(IDS_MAX, sizeof(uint64_t));
	return talks;
}

void talks_destroy(struct talks **talks)
{
	if (!*talks)
		return;
	lru_destroy(&(*talks)->ids);
	mem_free(talks);
}

void talks_clear(struct talks *talks)
{
	talks->count = 0;
	memset(talks->slots, 0, sizeof(talks->slots));
}

static struct span id_key(const struct talk *talk)
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

	*talk = (struct talk){.user = {low, high},
	                      .created_by = record->sender};
	save_record_key(record, &key);
	memcpy(talk->key, key.data, key.len);
	talk->key_len = (unsigned)key.len;
	if (!lru_get(talks->ids, id_key(talk), 0, &talk->id))
		talk->id = 0;
}

unsigned talks_find(struct talks *talks, const struct save_record *record)
{
	bool rising = record->sender <= record->user_to;
	uint64_t low = rising ? record->sender : record->user_to;
	uint64_t high = rising ? record->user_to : record->sender;
	unsigned slot = slot_of(low, high);

	for (; talks->slots[slot]; slot = (slot + 1) % SLOTS) {
		const struct talk *talk = &talks->talk[talks->slots[slot] - 1];

		if (talk->user[0] == low && talk->user[1] == high)
			return talks->slots[slot] - 1u;
	}
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

unsigned talks_count(const struct talks *talks)
{
	return talks->count;
}

unsigned talks_side(const struct talk *talk, uint64_t user)
{
	return talk->user[0] == user ? 0 : 1;
}

void talks_keep_ids(struct talks *talks)
{
	for (unsigned i = 0; i < talks->count; i++)
		lru_put(talks->ids, id_key(&talks->talk[i]), &talks->talk[i].id,
		        UINT64_MAX);
}

void talks_forget_ids(struct talks *talks)
{
	for (unsigned i = 0; i < talks->count; i++)
		lru_remove(talks->ids, id_key(&talks->talk[i]));
}
