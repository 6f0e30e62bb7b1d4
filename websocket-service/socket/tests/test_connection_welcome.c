/* A connection whose `welcome` is held back. */
#include "websocket-service/socket/tests/connection_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void only_the_101_goes_before_a_welcome_that_waits(void **state)
{
	struct socket *socket = arrives(0);

	(void)state;
	holds_welcome = true;
	says(socket, SPAN(HEAD));
	connection_send(opened, SPAN("{\"first\":1}"));
	assert_true(has(unread(socket), "HTTP/1.1 101 "));
	assert_false(has(unread(socket), "first"));
	connection_send(opened, SPAN("{\"second\":1}"));
	assert_false(has(unread(socket), "second"));
	says_frame(socket, WEBSOCKET_TEXT, SPAN("hello"));
	assert_true(has(buf_span(&received), "hello"));
	connections_welcome(set, 7);
	socket->read += upgrade_head_len(unread(socket));
	assert_true(has(next_frame(socket).payload, "\"welcome\""));
	assert_true(has(next_frame(socket).payload, "first"));
	assert_true(has(next_frame(socket).payload, "second"));
	connections_welcome(set, 7);
	connection_send(opened, SPAN("{\"third\":1}"));
	assert_true(has(next_frame(socket).payload, "third"));
}

static void a_welcome_in_the_same_turn_follows_the_101(void **state)
{
	struct socket *socket = arrives(0);

	(void)state;
	holds_welcome = true;
	says(socket, SPAN(HEAD));
	connection_send(opened, SPAN("{\"first\":1}"));
	connections_welcome(set, 7);
	socket->read += upgrade_head_len(unread(socket));
	assert_int_equal(socket->writes, 1);
	assert_true(has(next_frame(socket).payload, "\"welcome\""));
	assert_true(has(next_frame(socket).payload, "first"));
}

static void a_waiting_client_with_too_many_frames_gets_welcome(void **state)
{
	struct socket *socket = arrives(0);
	static char frame[1000];

	(void)state;
	holds_welcome = true;
	says(socket, SPAN(HEAD));
	memset(frame, 'x', sizeof(frame));
	for (unsigned i = 0; i * sizeof(frame) < 2 * QUEUE_BYTES; i++)
		connection_send(opened, span_make(frame, sizeof(frame)));
	socket->read += upgrade_head_len(unread(socket));
	assert_true(has(next_frame(socket).payload, "\"welcome\""));
	assert_false(socket->finished);
}

static void before_welcome_only_a_close_is_sent(void **state)
{
	struct socket *socket = arrives(0);

	(void)state;
	holds_welcome = true;
	says(socket, SPAN(HEAD));
	connection_send(opened, SPAN("{\"first\":1}"));
	connections_close_all(set, false, WEBSOCKET_GOING_AWAY, "bye");
	socket->read += upgrade_head_len(unread(socket));
	gets_close(socket, 1001);
}

static void only_welcomed_sockets_are_closed_for_a_late_answer(void **state)
{
	struct socket *early = opens(0);
	struct socket *late;

	(void)state;
	holds_welcome = true;
	late = arrives(1);
	says(late, SPAN(HEAD));
	assert_int_equal(connections_close_welcomed(set, 7, WEBSOCKET_TRY_LATER,
	                                            "again"),
	                 1);
	gets_close(early, 1013);
	connections_welcome(set, 7);
	late->read += upgrade_head_len(unread(late));
	assert_true(has(next_frame(late).payload, "\"welcome\""));
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, connection_fixture_start, \
	                                connection_fixture_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_the_101_goes_before_a_welcome_that_waits),
		TEST(a_welcome_in_the_same_turn_follows_the_101),
		TEST(a_waiting_client_with_too_many_frames_gets_welcome),
		TEST(before_welcome_only_a_close_is_sent),
		TEST(only_welcomed_sockets_are_closed_for_a_late_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
