/*
 * Any cursor from a client: it is refused or valid, and a valid cursor has one
 * text form. The harness pages with it through states from the input.
 */
#include "persistence-service/rest/read/sync_cursor.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

enum { STATES_MAX = 64 };

static void check_text(struct span text, const struct sync_cursor *cursor)
{
	CLEANUP(buf_free) struct buf again = BUF(SYNC_CURSOR_TEXT_MAX);

	must(cursor->buckets >= SYNC_BUCKETS_MIN);
	must(cursor->buckets <= SYNC_BUCKETS_MAX);
	must(cursor->begin < cursor->buckets);
	sync_cursor_format(cursor, &again);
	must(!buf_overflowed(&again));
	must(span_equal(buf_span(&again), text));
}

/* Each byte is a conversation; its position gives the other members. */
static size_t make_states(struct span bytes, struct sync_state *states)
{
	size_t count = 0;

	for (size_t i = 0; i < bytes.len && count < STATES_MAX; i++) {
		uint64_t byte = (unsigned char)bytes.data[i];

		states[count] = (struct sync_state){
			.conversation = 1 + count,
			.last_seq = byte,
			.read_seq = byte / 2,
			.gone = byte % 7 == 0,
			.index = (unsigned)count,
		};
		count++;
	}
	return count;
}

/* With pages of any size, paging comes to an end. */
static void check_pages(struct sync_cursor *cursor, struct span bytes)
{
	struct sync_state states[STATES_MAX];
	size_t count = make_states(bytes, states);
	size_t limit = 1 + count / 3;
	unsigned pages = 0;

	if (!sync_cursor_fits(cursor, count))
		sync_cursor_start(cursor, count);
	while (sync_cursor_advance(cursor, states, count, limit))
		must(pages++ <= STATES_MAX);
	must(!sync_cursor_advance(cursor, states, count, limit));
	for (size_t i = 0; i < count; i++)
		must(!states[i].due);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest;
	struct span text = span_cut(span_make(data, size), '\n', &rest);
	struct sync_cursor cursor = {0};

	if (sync_cursor_parse(text, &cursor))
		check_text(text, &cursor);
	else
		cursor.buckets = 0;
	check_pages(&cursor, rest);
	return 0;
}
