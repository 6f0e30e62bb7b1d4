#include "common/base/websocket.h"

#include <assert.h>

enum {
	FINAL_BIT = 0x80,
	RESERVED_BITS = 0x70,
	OP_BITS = 0x0f,
	CONTROL_BIT = 0x08,
	MASK_BIT = 0x80,
	LENGTH_BITS = 0x7f,
	LENGTH_16 = 126,
	LENGTH_64 = 127,
	CONTROL_MAX = 125,
};

void websocket_reader_start(struct websocket_reader *reader, bool server,
                            bool binary_taken, size_t max)
{
	*reader = (struct websocket_reader){
		.partial = BUF(max),
		.control = BUF(CONTROL_MAX),
		.server = server,
		.binary_taken = binary_taken,
	};
}

void websocket_reader_free(struct websocket_reader *reader)
{
	buf_free(&reader->partial);
	buf_free(&reader->control);
}

static enum websocket_event fault(struct websocket_message *message,
                                  enum websocket_code code, const char *why)
{
	message->code = code;
	message->why = why;
	return WEBSOCKET_FAULT;
}

static bool is_control(unsigned op)
{
	return op & CONTROL_BIT;
}

/* --- the head of a frame ------------------------------------------------- */

/* Length of the head, as far as the bytes received so far say. */
static unsigned head_wanted(const struct websocket_reader *reader)
{
	unsigned wanted = 2;
	unsigned length;

	if (reader->head_len < 2)
		return wanted;
	length = reader->head[1] & LENGTH_BITS;
	if (length == LENGTH_16)
		wanted += 2;
	else if (length == LENGTH_64)
		wanted += 8;
	return reader->head[1] & MASK_BIT ? wanted + 4 : wanted;
}

/* Checks the first two bytes before the rest of the head arrives. */
static enum websocket_event check_start(struct websocket_reader *reader,
                                        struct websocket_message *message)
{
	unsigned op = reader->head[0] & OP_BITS;
	bool final = reader->head[0] & FINAL_BIT;
	bool masked = reader->head[1] & MASK_BIT;

	if (reader->head[0] & RESERVED_BITS)
		return fault(message, WEBSOCKET_PROTOCOL_ERROR,
		             "a reserved bit is set");
	if ((op > WEBSOCKET_BINARY && op < WEBSOCKET_CLOSE) ||
	    op > WEBSOCKET_PONG)
		return fault(message, WEBSOCKET_PROTOCOL_ERROR,
		             "the opcode is reserved");
	if (masked != reader->server)
		return fault(message, WEBSOCKET_PROTOCOL_ERROR,
		             reader->server ? "the frame is not masked"
		                            : "the frame is masked");
	if (is_control(op)) {
		if (!final)
			return fault(message, WEBSOCKET_PROTOCOL_ERROR,
			             "a control frame is fragmented");
		if ((reader->head[1] & LENGTH_BITS) > CONTROL_MAX)
			return fault(message, WEBSOCKET_PROTOCOL_ERROR,
			             "a control frame is too long");
		return WEBSOCKET_MESSAGE;
	}
	if (op == WEBSOCKET_CONTINUATION && !reader->message_op)
		return fault(message, WEBSOCKET_PROTOCOL_ERROR,
		             "there is no message to continue");
	if (op != WEBSOCKET_CONTINUATION && reader->message_op)
		return fault(message, WEBSOCKET_PROTOCOL_ERROR,
		             "the last message is not finished");
	if (op == WEBSOCKET_BINARY && !reader->binary_taken)
		return fault(message, WEBSOCKET_UNSUPPORTED,
		             "binary messages are not accepted");
	return WEBSOCKET_MESSAGE;
}

static uint64_t big_endian(const uint8_t *bytes, unsigned count)
{
	uint64_t number = 0;

	for (unsigned i = 0; i < count; i++)
		number = number << 8 | bytes[i];
	return number;
}

static enum websocket_event start_payload(struct websocket_reader *reader,
                                          struct websocket_message *message)
{
	unsigned op = reader->head[0] & OP_BITS;
	unsigned length = reader->head[1] & LENGTH_BITS;
	unsigned extended = length == LENGTH_16   ? 2
	                    : length == LENGTH_64 ? 8
	                                          : 0;

	reader->left =
		extended ? big_endian(reader->head + 2, extended) : length;
	if ((length == LENGTH_16 && reader->left < LENGTH_16) ||
	    (length == LENGTH_64 && reader->left <= UINT16_MAX) ||
	    reader->left >> 63)
		return fault(message, WEBSOCKET_PROTOCOL_ERROR,
		             "the length is not in its shortest form");
	if (is_control(op)) {
		reader->controls++;
	} else {
		if (reader->left > reader->partial.max - reader->partial.len)
			return fault(message, WEBSOCKET_TOO_BIG,
			             "the message is too big");
		if (op != WEBSOCKET_CONTINUATION) {
			reader->message_op = (uint8_t)op;
			reader->utf8 = (struct utf8){0};
		}
	}
	reader->op = (uint8_t)op;
	reader->final = reader->head[0] & FINAL_BIT;
	if (op == WEBSOCKET_CONTINUATION || !reader->final)
		reader->fragments++;
	reader->mask_at = 0;
	if (reader->server)
		memcpy(reader->mask, reader->head + 2 + extended, 4);
	reader->in_payload = true;
	reader->head_len = 0;
	return WEBSOCKET_MESSAGE;
}

/* WEBSOCKET_MESSAGE means here: the head is complete. */
static enum websocket_event read_head(struct websocket_reader *reader,
                                      char **data, size_t *len,
                                      struct websocket_message *message)
{
	while (reader->head_len < head_wanted(reader)) {
		if (*len == 0)
			return WEBSOCKET_MORE;
		reader->head[reader->head_len++] = (uint8_t) * *data;
		(*data)++;
		(*len)--;
		if (reader->head_len == 2 &&
		    check_start(reader, message) == WEBSOCKET_FAULT)
			return WEBSOCKET_FAULT;
	}
	return start_payload(reader, message);
}

/* --- the payload --------------------------------------------------------- */

static void unmask(struct websocket_reader *reader, char *data, size_t len)
{
	uint8_t turned[8];
	uint64_t eight;
	uint64_t word;
	size_t i = 0;

	for (unsigned k = 0; k < 8; k++)
		turned[k] = reader->mask[(reader->mask_at + k) % 4];
	memcpy(&eight, turned, sizeof(eight));
	for (; len - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, data + i, sizeof(word));
		word ^= eight;
		memcpy(data + i, &word, sizeof(word));
	}
	for (; i < len; i++)
		data[i] = (char)((uint8_t)data[i] ^ turned[i % 8]);
	reader->mask_at = (uint8_t)((reader->mask_at + len) % 4);
}

static bool close_code_valid(unsigned code)
{
	return (code >= 1000 && code <= 1003) ||
	       (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

static enum websocket_event read_close(struct span payload,
                                       struct websocket_message *message)
{
	const uint8_t *bytes = (const uint8_t *)payload.data;

	message->code = WEBSOCKET_NO_CODE;
	message->payload = SPAN_NONE;
	if (payload.len == 0)
		return WEBSOCKET_MESSAGE;
	if (payload.len == 1)
		return fault(message, WEBSOCKET_PROTOCOL_ERROR,
		             "the close code is cut off");
	message->code = (enum websocket_code)big_endian(bytes, 2);
	if (!close_code_valid((unsigned)message->code))
		return fault(message, WEBSOCKET_PROTOCOL_ERROR,
		             "the close code is not allowed");
	message->payload = span_make(payload.data + 2, payload.len - 2);
	if (!utf8_valid(message->payload))
		return fault(message, WEBSOCKET_BAD_DATA,
		             "the close reason is not UTF-8");
	return WEBSOCKET_MESSAGE;
}

static enum websocket_event control_done(struct websocket_reader *reader,
                                         struct span piece,
                                         struct websocket_message *message)
{
	struct span payload = piece;

	if (reader->control.len) {
		buf_append(&reader->control, piece);
		payload = buf_span(&reader->control);
	}
	message->op = (enum websocket_op)reader->op;
	message->payload = payload;
	if (reader->op == WEBSOCKET_CLOSE)
		return read_close(payload, message);
	return WEBSOCKET_MESSAGE;
}

static enum websocket_event data_done(struct websocket_reader *reader,
                                      struct span piece,
                                      struct websocket_message *message)
{
	if (reader->message_op == WEBSOCKET_TEXT &&
	    !utf8_complete(&reader->utf8))
		return fault(message, WEBSOCKET_BAD_DATA,
		             "the text is not UTF-8");
	message->op = (enum websocket_op)reader->message_op;
	message->payload = piece;
	if (reader->partial.len) {
		buf_append(&reader->partial, piece);
		message->payload = buf_span(&reader->partial);
	}
	reader->message_op = 0;
	return WEBSOCKET_MESSAGE;
}

/* Takes a piece of a payload. MORE: the message is not complete. */
static enum websocket_event take_piece(struct websocket_reader *reader,
                                       struct span piece,
                                       struct websocket_message *message)
{
	bool control = is_control(reader->op);
	bool frame_ends = reader->left == 0;

	if (!control && reader->message_op == WEBSOCKET_TEXT &&
	    !utf8_feed(&reader->utf8, piece))
		return fault(message, WEBSOCKET_BAD_DATA,
		             "the text is not UTF-8");
	if (frame_ends) {
		reader->in_payload = false;
		if (control)
			return control_done(reader, piece, message);
		if (reader->final)
			return data_done(reader, piece, message);
	}
	buf_append(control ? &reader->control : &reader->partial, piece);
	return WEBSOCKET_MORE;
}

/*
 * Frees the message that the last call returned, because an idle socket should
 * hold no memory.
 */
static void release_last(struct websocket_reader *reader)
{
	if (reader->control.capacity &&
	    !(reader->in_payload && is_control(reader->op)))
		buf_free(&reader->control);
	if (reader->partial.capacity && !reader->message_op)
		buf_free(&reader->partial);
}

enum websocket_event websocket_read(struct websocket_reader *reader,
                                    char **data, size_t *len,
                                    struct websocket_message *ret_message)
{
	enum websocket_event event;

	*ret_message = (struct websocket_message){0};
	release_last(reader);
	do {
		struct span piece;

		if (!reader->in_payload) {
			event = read_head(reader, data, len, ret_message);
			if (event != WEBSOCKET_MESSAGE)
				return event;
		}
		piece = span_make(*data, *len < reader->left
		                                 ? *len
		                                 : (size_t)reader->left);
		if (reader->server)
			unmask(reader, *data, piece.len);
		*data += piece.len;
		*len -= piece.len;
		reader->left -= piece.len;
		event = take_piece(reader, piece, ret_message);
	} while (event == WEBSOCKET_MORE && *len);
	return event;
}

/* --- writing ------------------------------------------------------------- */

size_t websocket_head_len(size_t payload)
{
	if (payload < LENGTH_16)
		return 2;
	return payload <= UINT16_MAX ? 4 : 10;
}

static void write_head(struct buf *out, enum websocket_op op, size_t len,
                       unsigned mask_bit)
{
	unsigned extended = (unsigned)websocket_head_len(len) - 2;
	unsigned short_len = extended == 0   ? (unsigned)len
	                     : extended == 2 ? LENGTH_16
	                                     : LENGTH_64;

	buf_byte(out, (char)(FINAL_BIT | (unsigned)op));
	buf_byte(out, (char)(mask_bit | short_len));
	for (unsigned i = extended; i-- > 0;)
		buf_byte(out, (char)((uint64_t)len >> (8 * i) & 0xff));
}

void websocket_write(struct buf *out, enum websocket_op op, struct span payload,
                     const uint8_t *mask)
{
	size_t from;

	write_head(out, op, payload.len, mask ? MASK_BIT : 0);
	if (mask)
		buf_append(out, span_make(mask, 4));
	from = out->len;
	buf_append(out, payload);
	if (!mask || buf_overflowed(out))
		return;
	for (size_t i = 0; i < payload.len; i++)
		out->data[from + i] =
			(char)((uint8_t)out->data[from + i] ^ mask[i % 4]);
}

void websocket_write_close(struct buf *out, enum websocket_code code,
                           const char *reason, const uint8_t *mask)
{
	char payload[CONTROL_MAX] = {(char)(code >> 8), (char)(code & 0xff)};
	size_t len = strlen(reason);

	if (code == WEBSOCKET_NO_CODE) {
		websocket_write(out, WEBSOCKET_CLOSE, SPAN_NONE, mask);
		return;
	}
	if (len > CONTROL_MAX - 2) {
		len = CONTROL_MAX - 2;
		while (len && ((uint8_t)reason[len] & 0xc0) == 0x80)
			len--; /* a cut character is not UTF-8 */
	}
	memcpy(payload + 2, reason, len);
	websocket_write(out, WEBSOCKET_CLOSE, span_make(payload, len + 2),
	                mask);
}
