/*
 * websocket - RFC 6455 framing without sockets, for both ends.
 *
 * Reading    websocket_read() takes bytes as they come and gives whole
 *            messages: fragments joined, masks removed, text checked as UTF-8
 *            while it arrives. A message that lies whole in the input is not
 *            copied. Control frames come out between fragments.
 * Faults     come with the close code that the RFC wants: 1002 protocol,
 *            1003 kind of data not taken, 1007 not UTF-8, 1009 too big. A
 *            server's reader faults unmasked frames, a client's masked ones.
 * Memory     only an unfinished message is kept, at most `max` bytes.
 * Counting   frames that are no message of their own are cheap to send: they
 *            are counted, so that the caller can tell a flood.
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

enum websocket_code { /* RFC 6455 7.4.1; 44xx are ours */
	              WEBSOCKET_NORMAL = 1000,
	              WEBSOCKET_GOING_AWAY = 1001,
	              WEBSOCKET_PROTOCOL_ERROR = 1002,
	              WEBSOCKET_UNSUPPORTED = 1003,
	              WEBSOCKET_NO_CODE =
	                      1005, /* never on the wire: a close without one */
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
	uint32_t controls;  /* frames begun; the caller may set both to 0 */
	uint32_t fragments; /* the same: of messages that have more than one */
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
 * Reads from *data, *len bytes (which it may overwrite), and moves both behind
 * what it took. MESSAGE: *ret_message is filled, its payload lives until the
 * next call; call again for more. MORE: all was taken. FAULT: the connection
 * can't go on.
 */
enum websocket_event websocket_read(struct websocket_reader *reader,
                                    char **data, size_t *len,
                                    struct websocket_message *ret_message);

/* Appends one final frame. `mask` has 4 bytes for a client, NULL for a server.
 */
void websocket_write(struct buf *out, enum websocket_op op, struct span payload,
                     const uint8_t *mask);
/* Bytes that a server's frame has before a payload of this length: 2, 4, 10. */
size_t websocket_head_len(size_t payload);
/*
 * A close frame; `reason` is cut to what a control frame holds, between two
 * characters. WEBSOCKET_NO_CODE makes one without code and reason.
 */
void websocket_write_close(struct buf *out, enum websocket_code code,
                           const char *reason, const uint8_t *mask);

#endif
