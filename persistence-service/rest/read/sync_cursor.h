/*
 * sync_cursor - what a client knows of its conversations, as digests of the
 * state that they were in: so GET /sync can tell what is different, whatever
 * happened meanwhile and in which order it was committed.
 *
 * Conversations are spread over buckets by their id; a bucket has one digest of
 * the states of all that lie in it. What differs is told by whole buckets, so
 * an unchanged conversation may come along with a changed one.
 *
 * Text       base64url without padding of: version, log2 of the number of
 *            buckets, the bucket to begin with (two bytes, the high one first),
 *            and six bytes for each bucket. All ones: its bucket was never
 * seen. Threads    any; nothing here does I/O or keeps anything.
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
};

struct sync_cursor { /* zeroed it has seen nothing, and does not fit */
	unsigned buckets;
	unsigned
		begin; /* so that each gets its turn, however small pages are */
	uint64_t digest[SYNC_BUCKETS_MAX];
};

/* Of one conversation, as one user sees it. */
struct sync_state {
	uint64_t conversation;
	uint64_t last_seq;
	uint64_t revision;
	uint64_t read_seq;
	uint64_t delivered_seq;
	uint64_t from_seq;
	unsigned role;
	bool gone; /* the others count for nothing */
	/* Filled by sync_cursor_advance(): to be told. */
	bool due;
	/* The caller's, who finds its states in another order afterwards. */
	unsigned index;
};

/* One that has seen nothing, for about so many conversations. */
void sync_cursor_start(struct sync_cursor *cursor, size_t conversations);
/* False: there are far more conversations by now. Start again, and tell all. */
bool sync_cursor_fits(const struct sync_cursor *cursor, size_t conversations);

/*
 * Marks those states as due whose buckets differ from the cursor's, until they
 * are `limit`, at least one bucket; the cursor has seen these then. All states
 * of the user must be there; they are put into the order in which to tell them.
 * True when there are more.
 */
bool sync_cursor_advance(struct sync_cursor *cursor, struct sync_state *states,
                         size_t count, size_t limit);

/* Appends its text. */
void sync_cursor_format(const struct sync_cursor *cursor, struct buf *out);
/* False for everything that sync_cursor_format() does not write. */
bool sync_cursor_parse(struct span text, struct sync_cursor *ret_cursor);

#endif
