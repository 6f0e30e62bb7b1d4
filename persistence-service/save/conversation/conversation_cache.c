#include "persistence-service/save/conversation/conversation_cache.h"

#include "common/base/lru.h"
#include "common/base/mem.h"
#include "persistence-service/pair.h"
#include "persistence-service/save/batch.h"

#include <assert.h>
#include <string.h>

/* A record's conversation by its id may turn out to be one of a pair. */
enum {
	REMEMBERED_MAX = 100000,
	TALKS_MOST = 2 * BATCH_RECORDS_MAX,
	SLOTS = 2048
};
_Static_assert((int)SLOTS > (int)TALKS_MOST,
               "there must always be a free slot");

struct remembered {
	uint64_t id;
	uint64_t last_seq;
	uint64_t low, high; /* of an id: whose it is, when it is a pair's */
	bool large;
	uint8_t blocked;
};

struct talks {
	struct lru *remembered; /* by talk.user */
	struct talk talk[TALKS_MOST];
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

static void write_key(struct talk *talk)
{
	struct buf key CLEANUP(buf_free) = BUF(CONVERSATION_KEY_MAX);
	struct save_record record = {.sender = talk->user[0],
	                             .user_to = talk->user[1]};

	if (!talk_is_pair(talk))
		record = (struct save_record){.conversation = talk->user[1]};
	save_record_key(&record, &key);
	memcpy(talk->key, key.data, key.len);
	talk->key_len = (unsigned)key.len;
}

static void recall(struct talks *talks, struct talk *talk)
{
	struct remembered remembered;

	if (!lru_get(talks->remembered, users_of(talk), 0, &remembered))
		return;
	talk->id = remembered.id;
	talk->last_seq = remembered.last_seq;
	talk->large = remembered.large;
	talk->blocked = remembered.blocked;
	talk->blocks_known = true;
	talk->seq_known = true;
}

static void start(struct talks *talks, struct talk *talk, uint64_t low,
                  uint64_t high)
{
	*talk = (struct talk){.user = {low, high}};
	write_key(talk);
	if (!talk_is_pair(talk))
		talk->id = high;
	recall(talks, talk);
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

static struct talk *find(struct talks *talks, uint64_t low, uint64_t high)
{
	unsigned slot = look(talks, low, high);

	if (talks->slots[slot])
		return &talks->talk[talks->slots[slot] - 1];
	assert(talks->count < TALKS_MOST);
	start(talks, &talks->talk[talks->count], low, high);
	talks->slots[slot] = (uint16_t)++talks->count;
	return &talks->talk[talks->count - 1];
}

/* An id that is remembered as a pair's needs no look at its row. */
static struct talk *find_by_id(struct talks *talks, uint64_t id)
{
	uint64_t users[2] = {0, id};
	struct remembered remembered;

	if (lru_get(talks->remembered, span_make(users, sizeof(users)), 0,
	            &remembered) &&
	    remembered.low)
		return find(talks, remembered.low, remembered.high);
	return find(talks, 0, id);
}

unsigned talks_find(struct talks *talks, const struct save_record *record)
{
	bool rising = record->sender <= record->user_to;
	struct talk *talk;

	if (record->conversation)
		talk = find_by_id(talks, record->conversation);
	else
		talk = find(talks, rising ? record->sender : record->user_to,
		            rising ? record->user_to : record->sender);
	if (!talk->created_by)
		talk->created_by = record->sender;
	return talks_index(talks, talk);
}

void talks_is_pair(struct talks *talks, struct talk *talk, uint64_t low,
                   uint64_t high)
{
	struct remembered alias = {.id = talk->id, .low = low, .high = high};
	struct talk *pair = find(talks, low, high);

	lru_put(talks->remembered, users_of(talk), &alias, UINT64_MAX);
	talk->pair = pair;
	pair->id = talk->id;
	pair->last_seq = talk->last_seq;
	if (!pair->created_by)
		pair->created_by = talk->created_by;
}

struct talk *talks_at(struct talks *talks, unsigned index)
{
	assert(index < talks->count);
	return &talks->talk[index];
}

unsigned talks_index(const struct talks *talks, const struct talk *talk)
{
	return (unsigned)(talk - talks->talk);
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

static void remember(struct talks *talks, const struct talk *talk)
{
	struct remembered remembered = {
		.id = talk->id,
		.last_seq = talk->last_seq,
		.large = talk->large,
		.blocked = talk->blocked,
	};

	if (!talk->absent && !talk->pair)
		lru_put(talks->remembered, users_of(talk), &remembered,
		        UINT64_MAX);
}

void talks_remember(struct talks *talks)
{
	for (unsigned i = 0; i < talks->count; i++)
		remember(talks, &talks->talk[i]);
}

void talks_forget_pair(struct talks *talks, uint64_t user, uint64_t other)
{
	uint64_t users[2] = {user < other ? user : other,
	                     user < other ? other : user};

	lru_remove(talks->remembered, span_make(users, sizeof(users)));
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
