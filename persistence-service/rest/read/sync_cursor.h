/*
 * sync_cursor - the state of a client's conversations, as digests. GET /sync
 * compares digests, so it finds every difference, whatever happened meanwhile
 * and in whatever order the changes were committed.
 *
 * Conversations are spread over buckets by their id. A bucket has one digest of
 * the states of all its conversations. Differences are reported by whole
 * buckets, so an unchanged conversation may come with a changed one.
 *
 * Text       base64url without padding of: version, log2 of the number of
 *            buckets, the first bucket of the next page (two bytes, high byte
 *            first), and the digest of each bucket (six bytes). A digest of all
 *            ones means that the client has not seen the bucket.
 * Threads    any; the module does no I/O and has no state.
 */
#ifndef PARLEY_PERSISTENCE_REST_READ_SYNC_CURSOR_H
#define PARLEY_PERSISTENCE_REST_READ_SYNC_CURSOR_H

#include "common/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	SYNC_BUCKETS_MIN = 16, /* powers of two */
	SYNC_BUCKETS_MAX = 512,
	SYNC_CURSOR_TEXT_MAX = 4200,
	/* A departure is only an id: so many count as one conversation. */
	SYNC_GONE_FOR_ONE = 16,
};

struct sync_cursor { /* zeroed: covers no conversation, never fits */
	unsigned buckets;
	unsigned begin; /* first bucket of the next page: each gets its turn */
	uint64_t digest[SYNC_BUCKETS_MAX];
};

/* One user's view of a conversation. */
struct sync_state {
	uint64_t conversation;
	uint64_t last_seq;
	uint64_t revision;
	uint64_t read_seq;
	uint64_t delivered_seq;
	uint64_t from_seq;
	unsigned role;
	bool gone; /* the members above are not used */
	/* Set by sync_cursor_advance(): the conversation is to be reported. */
	bool due;
	/* For the caller: sync_cursor_advance() sorts the states. */
	unsigned index;
};

/* An empty cursor for about that many conversations. */
void sync_cursor_start(struct sync_cursor *cursor, size_t conversations);
/* False: the conversations are now too many for it; start a new cursor. */
bool sync_cursor_fits(const struct sync_cursor *cursor, size_t conversations);

/*
 * Marks the states of differing buckets as due, bucket by bucket, until `limit`
 * states are due; at least one bucket. Stores the digests of these buckets in
 * the cursor. `states` must be all states of the user; they are sorted into the
 * order of the report. True when more buckets differ.
 */
bool sync_cursor_advance(struct sync_cursor *cursor, struct sync_state *states,
                         size_t count, size_t limit);

/* Appends its text. */
void sync_cursor_format(const struct sync_cursor *cursor, struct buf *out);
/* False for any text that sync_cursor_format() does not write. */
bool sync_cursor_parse(struct span text, struct sync_cursor *ret_cursor);

#endif
