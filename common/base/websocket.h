/*
 * websocket - RFC 6455 framing without sockets, for both ends.
 *
 * Reading    websocket_read() takes bytes as they arrive and returns whole
 *            messages: it joins fragments, removes masks and checks text as
 *            UTF-8 byte by byte. A message that lies whole in the input is not
 *            copied. Control frames are returned between fragments.
 * Faults     have the close code of RFC 6455 7.4.1: 1002 protocol error, 1003
 *            kind of data not accepted, 1007 not UTF-8, 1009 too big. The
 *            reader of a server refuses unmasked frames, the reader of a
 *            client masked frames.
 * Memory     the reader keeps only an unfinished message, at most `max` bytes.
 * Counting   the reader counts control frames and fragments, because they are
 *            cheap to send: the caller can detect a flood.
 */
#ifndef PARLEY_BASE_WEBSOCKET_H
#define PARLEY_BASE_WEBSOCKET_H

#include "common/base/buf.h"
#include "common/base/span.h"
#include "common/base/utf8.h"

#include <stdbool.h>
#include <stdint.h>

enum websocket_op {
	WEBSOCKET_CONTINUATION = 0,
	WEBSOCKET_TEXT = 1,
	WEBSOCKET_BINARY = 2,
	WEBSOCKET_CLOSE = 8,
	WEBSOCKET_PING = 9,
	WEBSOCKET_PONG = 10,
};

/* RFC 6455 7.4.1; Parley adds 44xx. */
enum websocket_code {
	WEBSOCKET_NORMAL = 1000,
	WEBSOCKET_GOING_AWAY = 1001,
	WEBSOCKET_PROTOCOL_ERROR = 1002,
	WEBSOCKET_UNSUPPORTED = 1003,
	WEBSOCKET_NO_CODE = 1005, /* never sent: a close without a code */
	WEBSOCKET_BAD_DATA = 1007,
	WEBSOCKET_POLICY = 1008,
	WEBSOCKET_TOO_BIG = 1009,
	WEBSOCKET_TRY_LATER = 1013,
	WEBSOCKET_TOKEN_ENDED = 4401,
	WEBSOCKET_TOO_SLOW = 4408,
	WEBSOCKET_TOO_FAST = 4429,
};

struct websocket_reader {
	struct buf partial; /* an unfinished message or control frame */
	uint64_t left;      /* payload bytes of this frame still to come */
	uint8_t head[14];
	uint8_t head_len;
	uint8_t mask[4];
	uint8_t mask_at;
	uint8_t op;         /* of this frame */
	uint8_t message_op; /* of an unfinished fragmented message, or 0 */
	bool final;
	bool in_payload;
	bool server;
	bool binary_taken;
	struct utf8 utf8;
	struct buf control; /* an unfinished control frame's payload */
	uint32_t controls;  /* control frames begun; the caller may reset it */
	uint32_t fragments; /* fragments begun; the caller may reset it */
};

void websocket_reader_start(struct websocket_reader *reader, bool server,
                            bool binary_taken, size_t max);
void websocket_reader_free(struct websocket_reader *reader);

enum websocket_event { WEBSOCKET_MORE, WEBSOCKET_MESSAGE, WEBSOCKET_FAULT };

struct websocket_message {
	enum websocket_op op;
	struct span payload;      /* of a close: the reason, without the code */
	enum websocket_code code; /* of a close, or of a fault */
	const char *why;          /* of a fault: constant text */
};

/*
 * Reads from *data (*len bytes, which it may overwrite) and moves both past the
 * bytes that it used. MESSAGE: *ret_message is filled; its payload lives until
 * the next call; call again for more. MORE: all bytes are used. FAULT: close
 * the connection.
 */
enum websocket_event websocket_read(struct websocket_reader *reader,
                                    char **data, size_t *len,
                                    struct websocket_message *ret_message);

/* Appends one final frame. `mask` has 4 bytes for a client, NULL for a server.
 */
void websocket_write(struct buf *out, enum websocket_op op, struct span payload,
                     const uint8_t *mask);
/* Length of a server's frame head for this payload length: 2, 4 or 10 bytes. */
size_t websocket_head_len(size_t payload);
/*
 * Appends a close frame. A `reason` that is too long for a control frame is cut
 * between two characters. WEBSOCKET_NO_CODE writes neither code nor reason.
 */
void websocket_write_close(struct buf *out, enum websocket_code code,
                           const char *reason, const uint8_t *mask);

#endif
