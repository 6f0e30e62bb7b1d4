#define _GNU_SOURCE
#include "persistence-service/rest/read/sync_cursor.h"

#include <stdlib.h>
#include <string.h>

enum {
	VERSION = 1,
	HEAD_BYTES = 4,
	DIGEST_BYTES = 6,
	BYTES_MAX = HEAD_BYTES + SYNC_BUCKETS_MAX * DIGEST_BYTES,
	/* Most conversations a bucket, on average, before a new cursor. */
	CROWDED = 4,
};

#define DIGEST_MASK ((UINT64_C(1) << 48) - 1)
#define NEVER_SEEN  DIGEST_MASK

/* --- digests ------------------------------------------------------------- */
/* The finalizer of MurmurHash3: each bit of x affects each bit of the hash. */
static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64_C(0xc4ceb9fe1a85ec53);
	x ^= x >> 33;
	return x;
}

/* Thanks to the odd constant a zero changes the hash, too. */
static uint64_t add(uint64_t hash, uint64_t value)
{
	return mix(hash + UINT64_C(0x9e3779b97f4a7c15) + mix(value + 1));
}

static uint64_t add_state(uint64_t hash, const struct sync_state *state)
{
	hash = add(hash, state->conversation);
	hash = add(hash, state->gone);
	if (state->gone)
		return hash;
	hash = add(hash, state->last_seq);
	hash = add(hash, state->revision);
	hash = add(hash, state->read_seq);
	hash = add(hash, state->delivered_seq);
	hash = add(hash, state->from_seq);
	return add(hash, state->role);
}

static unsigned bucket_of(const struct sync_cursor *cursor,
                          const struct sync_state *state)
{
	return (unsigned)(mix(state->conversation) & (cursor->buckets - 1));
}

/* --- size ---------------------------------------------------------------- */
void sync_cursor_start(struct sync_cursor *cursor, size_t conversations)
{
	cursor->buckets = SYNC_BUCKETS_MIN;
	while (cursor->buckets < SYNC_BUCKETS_MAX &&
	       cursor->buckets < 2 * conversations)
		cursor->buckets *= 2;
	cursor->begin = 0;
	for (unsigned i = 0; i < cursor->buckets; i++)
		cursor->digest[i] = NEVER_SEEN;
}

bool sync_cursor_fits(const struct sync_cursor *cursor, size_t conversations)
{
	return cursor->buckets == SYNC_BUCKETS_MAX ||
	       (cursor->buckets && conversations / CROWDED <= cursor->buckets);
}

/* --- comparison ---------------------------------------------------------- */
/* The distance of a bucket from the first one: the order of a page. */
static unsigned turn_of(const struct sync_cursor *cursor,
                        const struct sync_state *state)
{
	return (bucket_of(cursor, state) - cursor->begin) &
	       (cursor->buckets - 1);
}

static int in_turn(const void *a, const void *b, void *context)
{
	const struct sync_state *x = a, *y = b;
	unsigned x_turn = turn_of(context, x), y_turn = turn_of(context, y);

	if (x_turn != y_turn)
		return x_turn < y_turn ? -1 : 1;
	return (x->conversation > y->conversation) -
	       (x->conversation < y->conversation);
}

/* The states of one bucket. */
struct content {
	size_t count;
	size_t gone;
	uint64_t digest;
};

static struct content read_bucket(const struct sync_cursor *cursor,
                                  unsigned turn,
                                  const struct sync_state *states, size_t left)
{
	struct content content = {0};
	uint64_t hash = VERSION;

	while (content.count < left &&
	       turn_of(cursor, &states[content.count]) == turn) {
		const struct sync_state *state = &states[content.count++];

		content.gone += state->gone;
		hash = add_state(hash, state);
	}
	content.digest = hash & DIGEST_MASK;
	if (content.digest == NEVER_SEEN)
		content.digest = 0;
	return content;
}

static void mark(struct sync_state *states, size_t count, bool due)
{
	for (size_t i = 0; i < count; i++)
		states[i].due = due;
}

/* The page so far. */
struct page {
	size_t cost; /* of the due states, in departures */
	unsigned first_left;
	bool more;
};

/* False: the bucket has to wait for the next page. */
static bool take(struct page *page, const struct content *content, size_t limit,
                 unsigned bucket)
{
	size_t cost = (content->count - content->gone) * SYNC_GONE_FOR_ONE +
	              content->gone;

	if (cost && page->cost >= limit * SYNC_GONE_FOR_ONE) {
		if (!page->more)
			page->first_left = bucket;
		page->more = true;
		return false;
	}
	page->cost += cost;
	return true;
}

bool sync_cursor_advance(struct sync_cursor *cursor, struct sync_state *states,
                         size_t count, size_t limit)
{
	struct page page = {.first_left = cursor->begin};
	size_t at = 0;

	if (count)
		qsort_r(states, count, sizeof(*states), in_turn, cursor);
	for (unsigned turn = 0; turn < cursor->buckets; turn++) {
		unsigned bucket =
			(turn + cursor->begin) & (cursor->buckets - 1);
		struct content content =
			read_bucket(cursor, turn, &states[at], count - at);
		bool due = content.digest != cursor->digest[bucket] &&
		           take(&page, &content, limit, bucket);

		mark(&states[at], content.count, due);
		if (due)
			cursor->digest[bucket] = content.digest;
		at += content.count;
	}
	cursor->begin = page.first_left;
	return page.more;
}

/* --- as text ------------------------------------------------------------- */
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "abcdefghijklmnopqrstuvwxyz"
			       "0123456789-_";

static void put_bytes(uint8_t *bytes, uint64_t value, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		bytes[i] = (uint8_t)(value >> (8 * (count - 1 - i)));
}

static uint64_t get_bytes(const uint8_t *bytes, unsigned count)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < count; i++)
		value = value << 8 | bytes[i];
	return value;
}

static size_t bytes_of(unsigned buckets)
{
	return HEAD_BYTES + (size_t)buckets * DIGEST_BYTES;
}

/* RFC 4648 5, without padding. */
static void encode(const uint8_t *bytes, size_t count, struct buf *out)
{
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < count; i++) {
		bits = bits << 8 | bytes[i];
		for (have += 8; have >= 6; have -= 6)
			buf_byte(out, alphabet[bits >> (have - 6) & 63]);
	}
	if (have)
		buf_byte(out, alphabet[bits << (6 - have) & 63]);
}

static bool decode(struct span text, uint8_t *bytes, size_t *ret_count)
{
	uint32_t bits = 0;
	unsigned have = 0;

	*ret_count = 0;
	if (text.len > ((size_t)BYTES_MAX * 8 + 5) / 6)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		const char *letter =
			memchr(alphabet, text.data[i], sizeof(alphabet) - 1);

		if (!letter)
			return false;
		bits = bits << 6 | (uint32_t)(letter - alphabet);
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		bytes[(*ret_count)++] = (uint8_t)(bits >> have);
	}
	/* A cursor has one text only: unused bits must be zero. */
	return have < 6 && (bits & ((1U << have) - 1)) == 0;
}

void sync_cursor_format(const struct sync_cursor *cursor, struct buf *out)
{
	uint8_t bytes[BYTES_MAX];
	unsigned log2 = 0;

	while (1U << log2 < cursor->buckets)
		log2++;
	bytes[0] = VERSION;
	bytes[1] = (uint8_t)log2;
	put_bytes(&bytes[2], cursor->begin, 2);
	for (unsigned i = 0; i < cursor->buckets; i++)
		put_bytes(&bytes[bytes_of(i)], cursor->digest[i], DIGEST_BYTES);
	encode(bytes, bytes_of(cursor->buckets), out);
}

bool sync_cursor_parse(struct span text, struct sync_cursor *ret_cursor)
{
	uint8_t bytes[BYTES_MAX];
	size_t count;
	unsigned buckets;

	if (!decode(text, bytes, &count) || count < HEAD_BYTES ||
	    bytes[0] != VERSION || bytes[1] > 16)
		return false;
	buckets = 1U << bytes[1];
	if (buckets < SYNC_BUCKETS_MIN || buckets > SYNC_BUCKETS_MAX ||
	    count != bytes_of(buckets))
		return false;
	ret_cursor->buckets = buckets;
	ret_cursor->begin = (unsigned)get_bytes(&bytes[2], 2);
	for (unsigned i = 0; i < buckets; i++)
		ret_cursor->digest[i] =
			get_bytes(&bytes[bytes_of(i)], DIGEST_BYTES);
	return ret_cursor->begin < buckets;
}
