/* Connections and time: pings, silence, tokens that end. */
#include "websocket-service/socket/tests/connection_fixture.h"

#include "common/base/clock.h"
#include "tests/support/fake_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static unsigned pings(struct socket *socket)
{
	unsigned count = 0;

	while (unread(socket).len) {
		assert_int_equal(next_frame(socket).op, WEBSOCKET_PING);
		count++;
	}
	return count;
}

static void an_idle_socket_that_answers_pings_stays_open(void **state)
{
	struct socket *socket = opens(0);
	unsigned count = 0;

	(void)state;
	for (unsigned i = 0; i < 600; i++) {
		unsigned now;

		seconds_pass(1);
		now = pings(socket);
		if (now)
			says_frame(socket, WEBSOCKET_PONG, SPAN_NONE);
		count += now;
	}
	assert_false(socket->ended);
	assert_true(count >= 600 / PING_S && count <= 600 / PING_S + 1);
}

static void a_silent_socket_is_aborted_in_time(void **state)
{
	/* The first ping comes at a random moment: try many. */
	for (unsigned i = 0; i < 50; i++) {
		struct socket *socket = opens(0);

		seconds_pass(SILENT_S - 1);
		assert_false(socket->ended);
		seconds_pass(2);
		assert_true(socket->ended);
		(void)connection_fixture_stop(state);
		(void)connection_fixture_start(state);
	}
}

static void a_stopped_process_aborts_no_live_socket(void **state)
{
	struct socket *socket = opens(0);

	(void)state;
	seconds_pass(30);
	says_frame(socket, WEBSOCKET_PONG, SPAN_NONE);
	clock_ms += 70000;
	connections_tick(set);
	assert_false(socket->ended);
	connections_flush(set);
	says_frame(socket, WEBSOCKET_PONG, SPAN_NONE);
	seconds_pass(SILENT_S - 1);
	assert_false(socket->ended);
	seconds_pass(5);
	assert_true(socket->ended);
}

static void an_expired_token_closes_the_socket_within_five_seconds(void **state)
{
	for (unsigned ms = 0; ms < 2000; ms += 50) {
		uint64_t end_ms;
		struct socket *socket;

		clock_ms += ms % 1000; /* ticks at any phase of a second */
		owner.expires_at_ms = clock_unix_ms() + 10000 + ms;
		socket = opens(0);
		assert_true(has(next_frame(socket).payload, "\"token\""));
		end_ms = clock_ms + 10000 + ms;
		while (connections_has_user(set, 7)) {
			seconds_pass(1);
		}
		assert_true(clock_ms >= end_ms);
		assert_true(clock_ms <= end_ms + 5000);
		while (next_frame(socket).op == WEBSOCKET_PING)
			;
		(void)connection_fixture_stop(state);
		(void)connection_fixture_start(state);
	}
}

static void frames_after_the_token_expired_are_ignored(void **state)
{
	struct socket *socket;

	(void)state;
	owner.expires_at_ms = clock_unix_ms() + 1500;
	socket = opens(0);
	assert_true(has(next_frame(socket).payload, "\"token\""));
	clock_ms += 1499;
	says_frame(socket, WEBSOCKET_TEXT, SPAN("in time"));
	clock_ms += 1;
	says_frame(socket, WEBSOCKET_TEXT, SPAN("late"));
	assert_true(span_equal(buf_span(&received), SPAN("in time|")));
	assert_true(connections_has_user(set, 7)); /* closed a little later */
	seconds_pass(5);
	gets_close(socket, 4401);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, connection_fixture_start, \
	                                connection_fixture_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_idle_socket_that_answers_pings_stays_open),
		TEST(a_silent_socket_is_aborted_in_time),
		TEST(a_stopped_process_aborts_no_live_socket),
		TEST(an_expired_token_closes_the_socket_within_five_seconds),
		TEST(frames_after_the_token_expired_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
