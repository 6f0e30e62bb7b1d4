#include "common/base/mem.h"
#include "common/base/websocket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { MAX = 64 * 1024 };
enum { AS_SERVER = true, AS_CLIENT = false };

static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};

/* --- the events of a reader as text: text(Hello) ping() close 1000(bye) fault
 * 1002
 */
static const char *op_name(enum websocket_op op)
{
	switch (op) {
	case WEBSOCKET_TEXT:
		return "text";
	case WEBSOCKET_BINARY:
		return "binary";
	case WEBSOCKET_PING:
		return "ping";
	case WEBSOCKET_PONG:
		return "pong";
	case WEBSOCKET_CLOSE:
		return "close";
	default:
		return "continuation";
	}
}

static void tell(struct buf *story, const struct websocket_message *message)
{
	if (story->len)
		buf_byte(story, ' ');
	buf_format(story, "%s", op_name(message->op));
	if (message->op == WEBSOCKET_CLOSE)
		buf_format(story, " %u", (unsigned)message->code);
	buf_byte(story, '(');
	buf_append(story, message->payload);
	buf_byte(story, ')');
}

/* Bytes in memory of exactly their size, so that a sanitizer sees overruns. */
static enum websocket_event feed(struct websocket_reader *reader,
                                 struct span bytes, struct buf *story)
{
	char *copy CLEANUP(mem_free) = mem_text(bytes.data, bytes.len);
	struct websocket_message message;
	enum websocket_event event;
	char *at = mem_resize(copy, bytes.len);
	size_t len = bytes.len;

	copy = at;
	for (;;) {
		event = websocket_read(reader, &at, &len, &message);
		if (event != WEBSOCKET_MESSAGE)
			break;
		tell(story, &message);
	}
	if (event == WEBSOCKET_MORE)
		assert_int_equal(len, 0);
	if (event == WEBSOCKET_FAULT) {
		assert_non_null(message.why);
		buf_format(story, "%sfault %u", story->len ? " " : "",
		           (unsigned)message.code);
	}
	return event;
}

/* The stream in pieces that end at `a`, at `b`, and then every `step` bytes. */
static void read_pieces(bool role, size_t max, struct span stream, size_t a,
                        size_t b, size_t step, struct buf *story)
{
	struct websocket_reader reader CLEANUP(websocket_reader_free);
	size_t from = 0;

	websocket_reader_start(&reader, role, true, max);
	while (from < stream.len) {
		size_t to = from < a ? a : from < b ? b : from + step;

		if (to > stream.len)
			to = stream.len;
		if (feed(&reader, span_make(stream.data + from, to - from),
		         story) == WEBSOCKET_FAULT)
			break;
		from = to;
	}
}

static void assert_pieces(bool role, struct span stream, size_t a, size_t b,
                          size_t step, const char *wanted)
{
	struct buf story CLEANUP(buf_free) = BUF(4 * MAX);

	read_pieces(role, MAX, stream, a, b, step, &story);
	assert_string_equal(buf_text(&story), wanted);
}

/* Whole, byte by byte, and cut once and twice at every position. */
static void assert_story(bool role, struct span stream, const char *wanted)
{
	assert_pieces(role, stream, 0, 0, stream.len, wanted);
	assert_pieces(role, stream, 0, 0, 1, wanted);
	for (size_t a = 1; a < stream.len; a++) {
		for (size_t b = a; b < stream.len; b++)
			assert_pieces(role, stream, a, b, stream.len, wanted);
	}
}

static size_t extended_len(uint8_t length)
{
	length &= 0x7f;
	return length == 126 ? 2 : length == 127 ? 8 : 0;
}

/* Plain frames, also broken ones, as a client would have sent them. */
static void mask_frames(struct span plain, struct buf *out)
{
	const uint8_t *at = (const uint8_t *)plain.data;
	const uint8_t *end = at + plain.len;

	while (end - at >= 2 && (size_t)(end - at) >= 2 + extended_len(at[1])) {
		size_t extended = extended_len(at[1]);
		uint64_t len = at[1] & 0x7f;

		if (extended)
			len = 0;
		for (size_t i = 0; i < extended; i++)
			len = len << 8 | at[2 + i];
		buf_byte(out, (char)at[0]);
		buf_byte(out, (char)(at[1] | 0x80));
		buf_append(out, span_make(at + 2, extended));
		buf_append(out, span_make(mask, 4));
		at += 2 + extended;
		for (uint64_t i = 0; i < len && at < end; i++)
			buf_byte(out, (char)(*at++ ^ mask[i % 4]));
	}
	/* the rest of a head that is cut off */
	for (size_t i = 0; at < end; i++, at++)
		buf_byte(out, (char)(i == 1 ? *at | 0x80 : *at));
}

struct row {
	struct span stream;
	const char *story;
};

static void assert_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct buf masked CLEANUP(buf_free) = BUF(4 * MAX);

		mask_frames(rows[i].stream, &masked);
		assert_story(AS_CLIENT, rows[i].stream, rows[i].story);
		assert_story(AS_SERVER, buf_span(&masked), rows[i].story);
	}
}

/* --- accepted frames -------------------------------------------------------
 */
static void messages_come_out_however_the_bytes_arrive(void **state)
{
	const struct row rows[] = {
		{SPAN("\x81\x00"), "text()"},
		{SPAN("\x82\x02\x80\xff"), "binary(\x80\xff)"},
		{SPAN("\x81\x01x\x81\x02yz"), "text(x) text(yz)"},
		{SPAN("\x89\x00\x8a\x03pqr"), "ping() pong(pqr)"},
		/* fragments, empty ones too */
		{SPAN("\x01\x03Hel\x80\x02lo"), "text(Hello)"},
		{SPAN("\x01\x00\x00\x00\x80\x00"), "text()"},
		{SPAN("\x01\x00\x00\x02hi\x80\x00"), "text(hi)"},
		{SPAN("\x02\x01\xff\x00\x01\xfe\x80\x01\xfd"),
	         "binary(\xff\xfe\xfd)"},
		{SPAN("\x01\x01m\x80\x01n\x01\x01o\x80\x01p"),
	         "text(mn) text(op)"},
		/* control frames between fragments */
		{SPAN("\x01\x01x\x89\x01!\x80\x01y"), "ping(!) text(xy)"},
		{SPAN("\x01\x01x\x89\x00\x8a\x02pp\x00\x01y\x89\x01k\x80\x00"),
	         "ping() pong(pp) ping(k) text(xy)"},
		{SPAN("\x01\x01x\x88\x02\x03\xe8"), "close 1000()"},
		/* UTF-8 cut by a fragment, with a ping in the cut */
		{SPAN("\x01\x01\xe2\x00\x01\x82\x80\x01\xac"),
	         "text(\xe2\x82\xac)"},
		{SPAN("\x01\x02\xf0\x9f\x89\x01\xff\x80\x02\x98\x80"),
	         "ping(\xff) text(\xf0\x9f\x98\x80)"},
		{SPAN("\x81\x04\xf4\x8f\xbf\xbf"), "text(\xf4\x8f\xbf\xbf)"},
		/* closes */
		{SPAN("\x88\x00"), "close 1005()"},
		{SPAN("\x88\x05\x03\xe9"
	              "bye"),
	         "close 1001(bye)"},
		{SPAN("\x88\x04\x13\x87\xc3\xa9"), "close 4999(\xc3\xa9)"},
	};

	(void)state;
	assert_rows(rows, ARRAY_LEN(rows));
}

static void the_examples_of_the_rfc_are_read(void **state)
{
	(void)state; /* 5.7 */
	assert_story(AS_CLIENT, SPAN("\x81\x05Hello"), "text(Hello)");
	assert_story(AS_SERVER,
	             SPAN("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
	             "text(Hello)");
	assert_story(AS_SERVER,
	             SPAN("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
	             "pong(Hello)");
}

static void an_unfinished_frame_waits(void **state)
{
	const struct row rows[] = {
		{SPAN("\x81"), ""},
		{SPAN("\x81\x02h"), ""},
		{SPAN("\x81\x7e\x01"), ""},
		{SPAN("\x01\x01x"), ""},
		{SPAN("\x01\x01x\x89\x02?"), ""},
	};

	(void)state;
	assert_rows(rows, ARRAY_LEN(rows));
}

/* --- refused frames ----------------------------------------------------- */
static void a_broken_protocol_is_1002(void **state)
{
	const struct row rows[] = {
		/* reserved bits and opcodes */
		{SPAN("\xc1\x00"), "fault 1002"},
		{SPAN("\xa1\x00"), "fault 1002"},
		{SPAN("\x91\x00"), "fault 1002"},
		{SPAN("\xf1\x00"), "fault 1002"},
		{SPAN("\xc9\x00"), "fault 1002"},
		{SPAN("\x83\x00"), "fault 1002"},
		{SPAN("\x84\x00"), "fault 1002"},
		{SPAN("\x85\x00"), "fault 1002"},
		{SPAN("\x86\x00"), "fault 1002"},
		{SPAN("\x87\x00"), "fault 1002"},
		{SPAN("\x8b\x00"), "fault 1002"},
		{SPAN("\x8c\x00"), "fault 1002"},
		{SPAN("\x8d\x00"), "fault 1002"},
		{SPAN("\x8e\x00"), "fault 1002"},
		{SPAN("\x8f\x00"), "fault 1002"},
		/* control frames: fragmented, too long */
		{SPAN("\x09\x00"), "fault 1002"},
		{SPAN("\x0a\x00"), "fault 1002"},
		{SPAN("\x08\x00"), "fault 1002"},
		{SPAN("\x89\x7e"), "fault 1002"},
		{SPAN("\x8a\x7f"), "fault 1002"},
		{SPAN("\x88\x7e"), "fault 1002"},
		/* continuations out of place */
		{SPAN("\x80\x00"), "fault 1002"},
		{SPAN("\x00\x01x"), "fault 1002"},
		{SPAN("\x81\x01x\x80\x01y"), "text(x) fault 1002"},
		{SPAN("\x01\x01x\x81\x01y"), "fault 1002"},
		{SPAN("\x01\x01x\x01\x01y"), "fault 1002"},
		{SPAN("\x01\x01x\x82\x01y"), "fault 1002"},
		{SPAN("\x01\x01x\x89\x00\x81\x00"), "ping() fault 1002"},
		/* lengths that could be shorter, or have the top bit */
		{SPAN("\x81\x7e\x00\x7d"), "fault 1002"},
		{SPAN("\x81\x7e\x00\x00"), "fault 1002"},
		{SPAN("\x81\x7f\0\0\0\0\0\0\xff\xff"), "fault 1002"},
		{SPAN("\x81\x7f\0\0\0\0\0\0\0\x01"), "fault 1002"},
		{SPAN("\x81\x7f\x80\0\0\0\0\0\0\0"), "fault 1002"},
		{SPAN("\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff"),
	         "fault 1002"},
		/* closes */
		{SPAN("\x88\x01\x03"), "fault 1002"},
		{SPAN("\x88\x02\x03\xed"), "fault 1002"},
		{SPAN("\x81\x01x\x88\x02\0\0"), "text(x) fault 1002"},
	};

	(void)state;
	assert_rows(rows, ARRAY_LEN(rows));
}

static void text_that_is_not_utf8_is_1007(void **state)
{
	const struct row rows[] = {
		{SPAN("\x81\x01\x80"), "fault 1007"},
		{SPAN("\x81\x01\xff"), "fault 1007"},
		{SPAN("\x81\x02\xc0\xaf"), "fault 1007"},
		{SPAN("\x81\x03\xe0\x80\xaf"), "fault 1007"},
		{SPAN("\x81\x03\xed\xa0\x80"), "fault 1007"},
		{SPAN("\x81\x04\xf4\x90\x80\x80"), "fault 1007"},
		{SPAN("\x81\x04\xf5\x80\x80\x80"), "fault 1007"},
		{SPAN("\x81\x02\xe2\x82"), "fault 1007"},
		{SPAN("\x81\x03x\xe2("), "fault 1007"},
		/* over frames; the first fragment alone where it is hopeless */
		{SPAN("\x01\x02\xe2\x82\x80\x01("), "fault 1007"},
		{SPAN("\x01\x02\xe2\x82\x80\x00"), "fault 1007"},
		{SPAN("\x01\x02\xc0\xaf"), "fault 1007"},
		{SPAN("\x01\x01\xed\x89\x00\x00\x01\xa0"), "ping() fault 1007"},
		/* a state of the last text does not reach the next one */
		{SPAN("\x01\x01\xc3\x80\x01\xa9\x81\x01\xa9"),
	         "text(\xc3\xa9) fault 1007"},
		{SPAN("\x88\x03\x03\xe8\xff"), "fault 1007"},
		{SPAN("\x88\x04\x03\xe8\xe2\x82"), "fault 1007"},
	};

	(void)state;
	assert_rows(rows, ARRAY_LEN(rows));
}

static void a_mask_is_for_clients_and_only_for_them(void **state)
{
	static const char ops[] = "\x01\x81\x82\x88\x89\x8a";

	(void)state;
	for (size_t i = 0; i < sizeof(ops) - 1; i++) {
		assert_story(AS_SERVER, span_make((char[]){ops[i], 0}, 2),
		             "fault 1002");
		assert_story(AS_CLIENT,
		             span_make((char[]){ops[i], (char)0x80}, 2),
		             "fault 1002");
	}
}

static void binary_is_1003_where_it_is_not_taken(void **state)
{
	struct websocket_reader reader CLEANUP(websocket_reader_free);
	struct buf story CLEANUP(buf_free) = BUF(MAX);

	(void)state;
	websocket_reader_start(&reader, AS_CLIENT, false, MAX);
	assert_int_equal(feed(&reader, SPAN("\x81\x01x\x02\x00"), &story),
	                 WEBSOCKET_FAULT);
	assert_string_equal(buf_text(&story), "text(x) fault 1003");
}

static bool rfc_allows(unsigned code) /* 7.4, and the registry of IANA */
{
	switch (code) {
	case 1004:
	case 1005:
	case 1006:
		return false;
	default:
		return (code >= 1000 && code <= 1014) ||
		       (code >= 3000 && code < 5000);
	}
}

static void only_codes_of_the_registry_close(void **state)
{
	(void)state;
	for (unsigned code = 0; code <= UINT16_MAX; code++) {
		char bytes[] = {(char)0x88, 2, (char)(code >> 8), (char)code};
		char wanted[32] = "fault 1002";

		if (rfc_allows(code))
			(void)snprintf(wanted, sizeof(wanted), "close %u()",
			               code);
		assert_pieces(AS_CLIENT, span_make(bytes, 4), 0, 0, 4, wanted);
	}
}

/* --- limits and memory --------------------------------------------------- */
static void assert_limited(size_t max, struct span stream, const char *wanted)
{
	for (size_t step = 1; step <= stream.len; step++) {
		struct buf story CLEANUP(buf_free) = BUF(MAX);

		read_pieces(AS_CLIENT, max, stream, 0, 0, step, &story);
		assert_string_equal(buf_text(&story), wanted);
	}
}

static void the_limit_holds_over_one_frame_and_over_many(void **state)
{
	(void)state;
	assert_limited(4, SPAN("\x81\x04wxyz"), "text(wxyz)");
	assert_limited(4, SPAN("\x81\x05"), "fault 1009");
	assert_limited(4, SPAN("\x01\x05"), "fault 1009");
	assert_limited(4, SPAN("\x81\x7e\x01\x00"), "fault 1009");
	assert_limited(4, SPAN("\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"),
	               "fault 1009");
	assert_limited(4, SPAN("\x01\x02wx\x80\x02yz"), "text(wxyz)");
	assert_limited(4, SPAN("\x01\x02wx\x80\x03"), "fault 1009");
	assert_limited(4, SPAN("\x01\x01w\x00\x01x\x00\x01y\x00\x01z\x00\x01"),
	               "fault 1009");
	/* the next message has the whole limit again; control frames don't
	 * count */
	assert_limited(4, SPAN("\x01\x02wx\x89\x05.....\x80\x02yz\x81\x04qrst"),
	               "ping(.....) text(wxyz) text(qrst)");
	assert_limited(0, SPAN("\x81\x00\x81\x01"), "text() fault 1009");
}

static void a_fragmented_message_never_holds_more_than_the_limit(void **state)
{
	struct websocket_reader reader CLEANUP(websocket_reader_free);
	struct buf story CLEANUP(buf_free) = BUF(MAX);
	enum websocket_event event = WEBSOCKET_MORE;

	(void)state;
	websocket_reader_start(&reader, AS_CLIENT, false, 300);
	assert_int_equal(feed(&reader, SPAN("\x01\x01x"), &story),
	                 WEBSOCKET_MORE);
	for (unsigned i = 1; i < 300; i++) {
		event = feed(&reader, SPAN("\x00\x01x"), &story);
		assert_int_equal(event, WEBSOCKET_MORE);
		assert_int_equal(reader.partial.len, i + 1);
	}
	assert_int_equal(feed(&reader, SPAN("\x00\x01x"), &story),
	                 WEBSOCKET_FAULT);
	assert_int_equal(reader.partial.len, 300);
	assert_string_equal(buf_text(&story), "fault 1009");
}

static void a_whole_message_is_not_copied(void **state)
{
	struct websocket_reader reader CLEANUP(websocket_reader_free);
	struct websocket_message message;
	char bytes[] = "\x81\x05Hello\x89\x01!";
	char *at = bytes;
	size_t len = sizeof(bytes) - 1;

	(void)state;
	websocket_reader_start(&reader, AS_CLIENT, false, MAX);
	assert_int_equal(websocket_read(&reader, &at, &len, &message),
	                 WEBSOCKET_MESSAGE);
	assert_ptr_equal(message.payload.data, bytes + 2);
	assert_ptr_equal(at, bytes + 7);
	assert_int_equal(len, 3);
	assert_int_equal(websocket_read(&reader, &at, &len, &message),
	                 WEBSOCKET_MESSAGE);
	assert_ptr_equal(message.payload.data, bytes + 9);
	assert_int_equal(reader.partial.capacity, 0);
	assert_int_equal(reader.control.capacity, 0);
}

static void an_idle_reader_holds_no_memory(void **state)
{
	struct websocket_reader reader CLEANUP(websocket_reader_free);
	struct buf story CLEANUP(buf_free) = BUF(MAX);

	(void)state;
	websocket_reader_start(&reader, AS_CLIENT, false, MAX);
	(void)feed(&reader, SPAN("\x01\x01x\x89\x02?"), &story);
	assert_non_null(reader.partial.data);
	assert_non_null(reader.control.data);
	(void)feed(&reader, SPAN("!"), &story);
	assert_null(reader.control.data);
	(void)feed(&reader, SPAN("\x80\x01y"), &story);
	assert_null(reader.partial.data);
	assert_string_equal(buf_text(&story), "ping(?!) text(xy)");
}

static void a_reader_is_freed_in_the_middle_of_everything(void **state)
{
	struct websocket_reader reader;
	struct buf story CLEANUP(buf_free) = BUF(MAX);

	(void)state;
	websocket_reader_start(&reader, AS_CLIENT, false, MAX);
	(void)feed(&reader, SPAN("\x01\x01x\x89\x02?"), &story);
	websocket_reader_free(&reader);
	websocket_reader_free(&reader);
	assert_null(reader.partial.data);
	assert_null(reader.control.data);
}

/* --- writing ------------------------------------------------------------- */
static void assert_round_trip(enum websocket_op op, struct span payload,
                              const uint8_t *key, size_t step)
{
	struct buf frame CLEANUP(buf_free) = BUF(2 * MAX);
	struct buf wanted CLEANUP(buf_free) = BUF(2 * MAX);
	struct buf story CLEANUP(buf_free) = BUF(2 * MAX);
	bool role = key ? AS_SERVER : AS_CLIENT;

	websocket_write(&frame, op, payload, key);
	assert_int_equal(frame.len, websocket_head_len(payload.len) +
	                                    (key ? 4 : 0) + payload.len);
	buf_format(&wanted, "%s(", op_name(op));
	buf_append(&wanted, payload);
	buf_byte(&wanted, ')');
	read_pieces(role, payload.len, buf_span(&frame), 0, 0, step, &story);
	assert_true(span_equal(buf_span(&story), buf_span(&wanted)));
}

static void a_written_frame_is_read_by_the_other_end(void **state)
{
	static const size_t lens[] = {0,   1,   7,     8,     9,     124,  125,
	                              126, 127, 65534, 65535, 65536, 65537};
	static const size_t steps[] = {1, 3, 1000, 2 * MAX};
	char *payload CLEANUP(mem_free) = mem_new(65537);

	(void)state;
	for (size_t i = 0; i < 65537; i++)
		payload[i] = (char)(' ' + i % 95);
	for (size_t i = 0; i < ARRAY_LEN(lens) * ARRAY_LEN(steps); i++) {
		size_t len = lens[i % ARRAY_LEN(lens)];
		size_t step = steps[i / ARRAY_LEN(lens)];
		struct span bytes = span_make(payload, len);

		assert_round_trip(WEBSOCKET_TEXT, bytes, NULL, step);
		assert_round_trip(WEBSOCKET_TEXT, bytes, mask, step);
		assert_round_trip(WEBSOCKET_BINARY, bytes, mask, step);
		if (len > 125)
			continue;
		assert_round_trip(WEBSOCKET_PING, bytes, NULL, step);
		assert_round_trip(WEBSOCKET_PONG, bytes, mask, step);
	}
}

static void a_head_is_as_short_as_its_length_allows(void **state)
{
	const struct {
		size_t len;
		struct span head;
	} rows[] = {
		{0, SPAN("\x81\x00")},
		{125, SPAN("\x81\x7d")},
		{126, SPAN("\x81\x7e\x00\x7e")},
		{65535, SPAN("\x81\x7e\xff\xff")},
		{65536, SPAN("\x81\x7f\0\0\0\0\0\x01\0\0")},
	};
	char *zeros CLEANUP(mem_free) = mem_new(MAX);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf frame CLEANUP(buf_free) = BUF(2 * MAX);

		assert_int_equal(websocket_head_len(rows[i].len),
		                 rows[i].head.len);
		websocket_write(&frame, WEBSOCKET_TEXT,
		                span_make(zeros, rows[i].len), NULL);
		assert_true(span_starts(buf_span(&frame), rows[i].head));
	}
}

static void assert_frame(const struct buf *frame, struct span wanted)
{
	assert_int_equal(frame->len, wanted.len);
	assert_memory_equal(frame->data, wanted.data, wanted.len);
}

static void the_examples_of_the_rfc_are_written(void **state)
{
	struct buf frame CLEANUP(buf_free) = BUF(64);

	(void)state;
	websocket_write(&frame, WEBSOCKET_TEXT, SPAN("Hello"), NULL);
	assert_frame(&frame, SPAN("\x81\x05Hello"));
	buf_clear(&frame);
	websocket_write(&frame, WEBSOCKET_PONG, SPAN("Hello"), mask);
	assert_frame(&frame,
	             SPAN("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"));
}

static void a_frame_is_appended_whole_or_not_at_all(void **state)
{
	struct buf frame CLEANUP(buf_free) = BUF(9);

	(void)state;
	websocket_write(&frame, WEBSOCKET_TEXT, SPAN("x"), NULL);
	websocket_write(&frame, WEBSOCKET_PING, SPAN(""), NULL);
	assert_frame(&frame, SPAN("\x81\x01x\x89\x00"));
	websocket_write(&frame, WEBSOCKET_TEXT, SPAN("long"), mask);
	assert_true(buf_overflowed(&frame));
}

static void a_close_has_its_code_and_reason(void **state)
{
	struct buf frame CLEANUP(buf_free) = BUF(256);

	(void)state;
	websocket_write_close(&frame, WEBSOCKET_TOKEN_ENDED, "token", NULL);
	assert_frame(&frame, SPAN("\x88\x07\x11\x31token"));
	assert_story(AS_CLIENT, buf_span(&frame), "close 4401(token)");
	buf_clear(&frame);
	websocket_write_close(&frame, WEBSOCKET_NORMAL, "", mask);
	assert_story(AS_SERVER, buf_span(&frame), "close 1000()");
}

static void a_close_without_a_code_is_empty_on_the_wire(void **state)
{
	struct buf frame CLEANUP(buf_free) = BUF(256);

	(void)state;
	websocket_write_close(&frame, WEBSOCKET_NO_CODE, "", NULL);
	assert_frame(&frame, SPAN("\x88\x00"));
}

static void a_long_reason_is_cut_between_characters(void **state)
{
	for (size_t ascii = 118; ascii <= 130; ascii++) {
		struct buf frame CLEANUP(buf_free) = BUF(256);
		struct buf reason CLEANUP(buf_free) = BUF(256);
		struct buf wanted CLEANUP(buf_free) = BUF(256);
		size_t kept = ascii < 123 ? ascii : 123;

		(void)state;
		for (size_t i = 0; i < ascii; i++)
			buf_byte(&reason, 'r');
		buf_append(&reason, SPAN("\xf0\x9f\x98\x80"));
		websocket_write_close(&frame, WEBSOCKET_POLICY,
		                      buf_text(&reason), NULL);
		if (ascii + 4 <= 123)
			kept = ascii + 4;
		buf_format(&wanted, "close 1008(%.*s)", (int)kept,
		           buf_text(&reason));
		assert_story(AS_CLIENT, buf_span(&frame), buf_text(&wanted));
	}
}

static void frames_that_are_no_message_are_counted(void **state)
{
	struct websocket_reader reader CLEANUP(websocket_reader_free);
	struct buf story CLEANUP(buf_free) = BUF(MAX);
	struct span stream = SPAN("\x81\x81\0\0\0\0"
	                          "a"
	                          "\x89\x80\0\0\0\0"
	                          "\x01\x81\0\0\0\0"
	                          "b"
	                          "\x8a\x80\0\0\0\0"
	                          "\x00\x80\0\0\0\0"
	                          "\x80\x80\0\0\0\0");

	(void)state;
	websocket_reader_start(&reader, AS_SERVER, true, MAX);
	assert_int_equal(feed(&reader, stream, &story), WEBSOCKET_MORE);
	assert_string_equal(buf_text(&story), "text(a) ping() pong() text(b)");
	assert_int_equal(reader.controls, 2);
	assert_int_equal(reader.fragments, 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_come_out_however_the_bytes_arrive),
		cmocka_unit_test(the_examples_of_the_rfc_are_read),
		cmocka_unit_test(an_unfinished_frame_waits),
		cmocka_unit_test(a_broken_protocol_is_1002),
		cmocka_unit_test(text_that_is_not_utf8_is_1007),
		cmocka_unit_test(a_mask_is_for_clients_and_only_for_them),
		cmocka_unit_test(binary_is_1003_where_it_is_not_taken),
		cmocka_unit_test(only_codes_of_the_registry_close),
		cmocka_unit_test(the_limit_holds_over_one_frame_and_over_many),
		cmocka_unit_test(
			a_fragmented_message_never_holds_more_than_the_limit),
		cmocka_unit_test(a_whole_message_is_not_copied),
		cmocka_unit_test(an_idle_reader_holds_no_memory),
		cmocka_unit_test(a_reader_is_freed_in_the_middle_of_everything),
		cmocka_unit_test(a_written_frame_is_read_by_the_other_end),
		cmocka_unit_test(a_head_is_as_short_as_its_length_allows),
		cmocka_unit_test(the_examples_of_the_rfc_are_written),
		cmocka_unit_test(a_frame_is_appended_whole_or_not_at_all),
		cmocka_unit_test(a_close_has_its_code_and_reason),
		cmocka_unit_test(a_close_without_a_code_is_empty_on_the_wire),
		cmocka_unit_test(a_long_reason_is_cut_between_characters),
		cmocka_unit_test(frames_that_are_no_message_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
