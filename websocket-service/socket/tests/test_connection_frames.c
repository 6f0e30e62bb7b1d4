/* Frames of an open connection: texts, pings, floods, faults. */
#include "websocket-service/socket/tests/connection_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void texts_are_passed_on_whole(void **state)
{
	struct socket *socket = opens(0);

	(void)state;
	says_frame(socket, WEBSOCKET_TEXT, SPAN("one"));
	says_frame(socket, WEBSOCKET_TEXT, SPAN("two"));
	assert_true(span_equal(buf_span(&received), SPAN("one|two|")));
}

static void a_ping_is_answered_with_its_payload(void **state)
{
	struct socket *socket = opens(0);
	struct websocket_message pong;

	(void)state;
	says_frame(socket, WEBSOCKET_PING, SPAN("here?"));
	pong = next_frame(socket);
	assert_int_equal(pong.op, WEBSOCKET_PONG);
	assert_true(span_equal(pong.payload, SPAN("here?")));
}

static void pings_have_a_rate_and_a_burst(void **state)
{
	struct socket *socket = opens(0);

	(void)state;
	for (unsigned i = 0; i < CONTROLS_BURST; i++) {
		says_frame(socket, WEBSOCKET_PING, SPAN("?"));
		assert_int_equal(next_frame(socket).op, WEBSOCKET_PONG);
	}
	says_frame(socket, WEBSOCKET_PING, SPAN("?"));
	gets_close(socket, WEBSOCKET_POLICY);
	seconds_pass(4);
	assert_true(socket->ended);
}

static void unsolicited_pongs_count_too(void **state)
{
	struct socket *socket = opens(0);

	(void)state;
	for (unsigned i = 0; i < CONTROLS_BURST; i++)
		says_frame(socket, WEBSOCKET_PONG, SPAN(""));
	assert_int_equal(unread(socket).len, 0);
	says_frame(socket, WEBSOCKET_PONG, SPAN(""));
	gets_close(socket, WEBSOCKET_POLICY);
}

static void pings_in_one_read_are_counted_one_by_one(void **state)
{
	struct socket *socket = opens(0);
	struct buf flood CLEANUP(buf_free) = BUF(FLOOD_MAX);

	(void)state;
	for (unsigned i = 0; i < 10 * CONTROLS_BURST; i++)
		buf_append(&flood, SPAN("\x89\x80\0\0\0\0"));
	says(socket, buf_span(&flood));
	for (unsigned i = 0; i < CONTROLS_BURST; i++)
		assert_int_equal(next_frame(socket).op, WEBSOCKET_PONG);
	gets_close(socket, WEBSOCKET_POLICY);
}

static void a_steady_rate_of_pings_is_no_flood(void **state)
{
	struct socket *socket = opens(0);

	(void)state;
	for (unsigned second = 0; second < SILENT_S; second++) {
		for (unsigned i = 0; i < CONTROLS_PER_S; i++)
			says_frame(socket, WEBSOCKET_PING, SPAN("?"));
		seconds_pass(1);
	}
	says_frame(socket, WEBSOCKET_TEXT, SPAN("here"));
	assert_true(span_equal(buf_span(&received), SPAN("here|")));
}

static void endless_fragments_are_a_flood(void **state)
{
	struct socket *socket = opens(0);

	(void)state;
	says_fragment(socket, WEBSOCKET_TEXT);
	for (unsigned i = 1; i < FRAGMENTS_BURST; i++)
		says_fragment(socket, WEBSOCKET_CONTINUATION);
	assert_int_equal(unread(socket).len, 0);
	says_fragment(socket, WEBSOCKET_CONTINUATION);
	gets_close(socket, WEBSOCKET_POLICY);
}

static void empty_fragments_are_a_flood_too(void **state)
{
	struct socket *socket = opens(0);

	(void)state;
	says(socket, SPAN("\x01\x80\0\0\0\0"));
	for (unsigned i = 1; i < FRAGMENTS_BURST; i++)
		says(socket, SPAN("\x00\x80\0\0\0\0"));
	assert_int_equal(unread(socket).len, 0);
	says(socket, SPAN("\x00\x80\0\0\0\0"));
	gets_close(socket, WEBSOCKET_POLICY);
}

static void whole_messages_are_never_a_flood(void **state)
{
	struct socket *socket = opens(0);

	(void)state;
	for (unsigned i = 0; i < 10 * FRAGMENTS_BURST; i++)
		says_frame(socket, WEBSOCKET_TEXT, SPAN("x"));
	assert_int_equal(received.len, 20 * FRAGMENTS_BURST);
	assert_int_equal(unread(socket).len, 0);
}

struct fault {
	const char *what;
	struct span bytes;
	unsigned code;
};

#define FAULT(what_, code_, bytes_) \
	{ \
		.what = (what_), .code = (code_), .bytes = { \
			bytes_, \
			sizeof(bytes_) - 1 \
		} \
	}

static const struct fault faults[] = {
	FAULT("unmasked", 1002,
              "\x81\x01"
              "a"),
	FAULT("a reserved bit", 1002,
              "\xc1\x81"
              "\0\0\0\0"
              "a"),
	FAULT("a reserved operation", 1002,
              "\x83\x81"
              "\0\0\0\0"
              "a"),
	FAULT("a stray continuation", 1002,
              "\x80\x81"
              "\0\0\0\0"
              "a"),
	FAULT("a fragmented ping", 1002,
              "\x09\x80"
              "\0\0\0\0"),
	FAULT("a long ping", 1002,
              "\x89\xfe\x00\x7e"
              "\0\0\0\0"),
	FAULT("a close of one byte", 1002,
              "\x88\x81"
              "\0\0\0\0"
              "\x03"),
	FAULT("a close with 1005", 1002,
              "\x88\x82"
              "\0\0\0\0"
              "\x03\xed"),
	FAULT("binary", 1003,
              "\x82\x81"
              "\0\0\0\0"
              "a"),
	FAULT("not UTF-8", 1007,
              "\x81\x81"
              "\0\0\0\0"
              "\xff"),
	FAULT("over 64 KiB", 1009,
              "\x81\xff\0\0\0\0\0\1\0\1"
              "\0\0\0\0"),
	FAULT("over 2^63", 1002,
              "\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff"
              "\0\0\0\0"),
};

static void each_fault_closes_with_its_code(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		struct socket *socket = opens(0);
		struct websocket_message message;

		says(socket, faults[i].bytes);
		message = next_frame(socket);
		if (message.op != WEBSOCKET_CLOSE ||
		    message.code != faults[i].code)
			fail_msg("%s: %u", faults[i].what,
			         (unsigned)message.code);
		assert_false(connections_has_user(set, 7));
		(void)connection_fixture_stop(state);
		(void)connection_fixture_start(state);
	}
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, connection_fixture_start, \
	                                connection_fixture_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(texts_are_passed_on_whole),
		TEST(a_ping_is_answered_with_its_payload),
		TEST(pings_have_a_rate_and_a_burst),
		TEST(unsolicited_pongs_count_too),
		TEST(pings_in_one_read_are_counted_one_by_one),
		TEST(a_steady_rate_of_pings_is_no_flood),
		TEST(endless_fragments_are_a_flood),
		TEST(empty_fragments_are_a_flood_too),
		TEST(whole_messages_are_never_a_flood),
		TEST(each_fault_closes_with_its_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
