/*
 * Bytes from a socket, read whole and in random pieces: both must return the
 * same messages and the same fault. The first two bytes select the role and the
 * splits.
 */
#include "common/base/buf.h"
#include "common/base/utf8.h"
#include "common/base/websocket.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

enum { MAX = 4096, STORY_MAX = 1 << 22 };

/* Writes a message or fault as text, for comparison. */
static void tell(struct buf *story, enum websocket_event event,
                 const struct websocket_message *message)
{
	buf_format(story, "%d op %d code %d len %zu ", (int)event,
	           (int)message->op, (int)message->code, message->payload.len);
	buf_append(story, message->payload);
	buf_byte(story, '\n');
}

static void check(const struct websocket_reader *reader,
                  enum websocket_event event,
                  const struct websocket_message *message)
{
	must(reader->partial.len <= MAX);
	must(!buf_overflowed(&reader->partial));
	if (event == WEBSOCKET_FAULT) {
		must(message->why && *message->why);
		must(message->code == 1002 || message->code == 1003 ||
		     message->code == 1007 || message->code == 1009);
		return;
	}
	if (message->op >= WEBSOCKET_CLOSE)
		must(message->payload.len <= 125);
	else
		must(message->payload.len <= MAX);
	if (message->op == WEBSOCKET_TEXT || message->op == WEBSOCKET_CLOSE)
		must(utf8_valid(message->payload));
}

/* False after a fault. */
static bool read_all(struct websocket_reader *reader, char *data, size_t len,
                     struct buf *story)
{
	for (;;) {
		struct websocket_message message;
		char *before = data;
		size_t left = len;
		enum websocket_event event =
			websocket_read(reader, &data, &len, &message);

		must(data - before == (ptrdiff_t)(left - len));
		if (event == WEBSOCKET_MORE) {
			must(len == 0);
			return true;
		}
		check(reader, event, &message);
		tell(story, event, &message);
		if (event == WEBSOCKET_FAULT)
			return false;
	}
}

static void read_in_pieces(const uint8_t *data, size_t size, uint8_t flags,
                           unsigned seed, struct buf *story)
{
	struct websocket_reader reader;
	size_t at = 0;
	bool go_on = true;

	websocket_reader_start(&reader, flags & 1, flags & 2, MAX);
	while (go_on && at < size) {
		size_t len = size - at;
		char *piece;

		seed = seed * 1103515245u + 12345u;
		if (flags & 4)
			len = (seed >> 16) % (len < 9 ? len : 9) + 1;
		piece = malloc(len);
		must(piece != NULL);
		memcpy(piece, data + at, len);
		go_on = read_all(&reader, piece, len, story);
		free(piece);
		at += len;
	}
	websocket_reader_free(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole CLEANUP(buf_free) = BUF(STORY_MAX);
	struct buf pieces CLEANUP(buf_free) = BUF(STORY_MAX);

	if (size < 2)
		return 0;
	read_in_pieces(data + 2, size - 2, data[0] & 3u, 0, &whole);
	read_in_pieces(data + 2, size - 2, (data[0] & 3u) | 4u, data[1],
	               &pieces);
	must(span_equal(buf_span(&whole), buf_span(&pieces)));
	return 0;
}
