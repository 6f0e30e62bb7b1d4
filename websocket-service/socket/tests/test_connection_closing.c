/* How a connection closes, from either side. */
#include "websocket-service/socket/tests/connection_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_close_is_answered_with_its_code(void **state)
{
	struct socket *first = opens(0);
	struct socket *second = opens(1);

	(void)state;
	says_frame(first, WEBSOCKET_CLOSE, SPAN("\x0f\xa3"));
	gets_close(first, 4003);
	says_frame(second, WEBSOCKET_CLOSE, SPAN_NONE);
	gets_close(second, 1000);
}

static void nothing_is_read_or_delivered_after_a_close(void **state)
{
	struct socket *socket = opens(0);
	uint64_t id = connection_id(opened);

	(void)state;
	says_frame(socket, WEBSOCKET_CLOSE, SPAN("\x03\xe8"));
	says_frame(socket, WEBSOCKET_TEXT, SPAN("late"));
	assert_int_equal(connections_deliver(set, 7, SPAN("x"), 0), 0);
	assert_null(connections_find(set, id));
	gets_close(socket, 1000);
	assert_int_equal(received.len, 0);
}

static void a_peer_that_does_not_close_is_aborted(void **state)
{
	struct socket *socket = opens(0);

	(void)state;
	connection_close(opened, WEBSOCKET_POLICY, "");
	gets_close_only(socket, 1008);
	assert_false(socket->finished);
	seconds_pass(2);
	assert_false(socket->ended);
	seconds_pass(2);
	assert_true(socket->ended);
}

/* The close frame of a peer that goes on sending until it has read ours. */
static void our_side_ends_after_the_peers_close_frame(void **state)
{
	static const unsigned codes[] = {
		WEBSOCKET_GOING_AWAY,  WEBSOCKET_POLICY,   WEBSOCKET_TRY_LATER,
		WEBSOCKET_TOKEN_ENDED, WEBSOCKET_TOO_SLOW, WEBSOCKET_TOO_FAST,
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(codes); i++) {
		struct socket *socket = opens(0);

		connection_close(opened, codes[i], "why");
		says_frame(socket, WEBSOCKET_TEXT, SPAN("late"));
		gets_close_only(socket, codes[i]);
		says_frame(socket, WEBSOCKET_TEXT, SPAN("later"));
		says_frame(socket, WEBSOCKET_PING, SPAN("?"));
		says_fragment(socket, WEBSOCKET_TEXT);
		says(socket, SPAN("\x88\x82\0\0"));
		assert_int_equal(unread(socket).len, 0);
		assert_false(socket->finished);
		says(socket, SPAN("\0\0\x03\xe8"));
		assert_int_equal(unread(socket).len, 0);
		assert_true(socket->finished);
		says_frame(socket, WEBSOCKET_TEXT, SPAN("after the end"));
		assert_false(socket->ended);
		assert_false(socket->paused);
		assert_int_equal(received.len, 0);
		(void)connection_fixture_stop(&(void *){NULL});
		(void)connection_fixture_start(&(void *){NULL});
	}
}

static void what_follows_a_close_in_the_same_bytes_is_read_as_well(void **state)
{
	struct socket *socket = opens(0);
	struct buf flood CLEANUP(buf_free) = BUF(FLOOD_MAX);

	(void)state;
	for (unsigned i = 0; i < 10 * CONTROLS_BURST; i++)
		buf_append(&flood, SPAN("\x8a\x80\0\0\0\0"));
	buf_append(&flood, SPAN("\x88\x80\0\0\0\0"));
	says(socket, buf_span(&flood));
	gets_close_only(socket, WEBSOCKET_POLICY);
	assert_true(socket->finished);
}

static void a_fault_ends_our_side_at_once(void **state)
{
	struct socket *socket = opens(0);

	(void)state;
	connection_close(opened, WEBSOCKET_TOO_FAST, "");
	gets_close_only(socket, WEBSOCKET_TOO_FAST);
	assert_false(socket->finished);
	says(socket, SPAN("\xff\xff no frame"));
	connections_flush(set);
	assert_true(socket->finished);
	assert_false(socket->ended);
}

static void what_is_discarded_after_a_close_is_bounded(void **state)
{
	static char junk[16 * 1024];
	struct socket *open = opens(0);
	struct socket *refused;
	unsigned count = CONNECTION_LINGER_BYTES / sizeof(junk);

	(void)state;
	connection_close(opened, WEBSOCKET_TOO_FAST, "");
	gets_close_only(open, WEBSOCKET_TOO_FAST);
	owner.status = ST_DENIED;
	refused = arrives(1);
	says(refused, SPAN(HEAD));
	refused_with(refused, 401);
	for (unsigned i = 0; i < count; i++) {
		says(open, span_make(junk, sizeof(junk)));
		says(refused, span_make(junk, sizeof(junk)));
	}
	assert_false(open->paused);
	assert_false(refused->paused);
	says(open, SPAN("x"));
	says(refused, SPAN("x"));
	assert_true(open->paused);
	assert_true(refused->paused);
	assert_false(open->ended);
	seconds_pass(4);
	assert_true(open->ended);
	assert_true(refused->ended);
}

/* --- the end of the gateway, and of the last socket ----------------------- */
static void a_drain_spares_sockets_with_messages_under_way(void **state)
{
	struct socket *idle = opens(0);
	struct socket *busy = opens(1);
	struct connection *sender = opened;

	(void)state;
	*connection_unsettled(sender) = 1;
	connections_close_all(set, true, WEBSOCKET_GOING_AWAY, "");
	gets_close(idle, 1001);
	assert_int_equal(unread(busy).len, 0);
	*connection_unsettled(sender) = 0;
	connections_close_all(set, true, WEBSOCKET_GOING_AWAY, "");
	gets_close(busy, 1001);
}

static void a_drain_refuses_sockets_not_open_yet(void **state)
{
	struct socket *reading = arrives(0);
	struct socket *asking = arrives(1);

	(void)state;
	answers_at_once = false;
	says(asking, SPAN(HEAD));
	connections_close_all(set, true, WEBSOCKET_GOING_AWAY, "");
	refused_with(reading, 503);
	refused_with(asking, 503);
	assert_null(waiting);
}

static void closed_reports_the_last_socket_of_a_user(void **state)
{
	struct socket *one = opens(0);

	(void)state;
	(void)opens(1);
	peer_leaves(one);
	assert_int_equal(closed_count, 1);
	assert_false(closed_last);
	connection_close(opened, WEBSOCKET_POLICY, "");
	assert_int_equal(closed_count, 2);
	assert_true(closed_last);
	peer_leaves(&sockets[1]);
	assert_int_equal(closed_count, 2);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, connection_fixture_start, \
	                                connection_fixture_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_close_is_answered_with_its_code),
		TEST(nothing_is_read_or_delivered_after_a_close),
		TEST(a_peer_that_does_not_close_is_aborted),
		TEST(our_side_ends_after_the_peers_close_frame),
		TEST(what_follows_a_close_in_the_same_bytes_is_read_as_well),
		TEST(a_fault_ends_our_side_at_once),
		TEST(what_is_discarded_after_a_close_is_bounded),
		TEST(a_drain_spares_sockets_with_messages_under_way),
		TEST(a_drain_refuses_sockets_not_open_yet),
		TEST(closed_reports_the_last_socket_of_a_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
