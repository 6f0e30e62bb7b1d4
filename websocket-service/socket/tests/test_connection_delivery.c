/* Frames for users: who gets them, and readers that are slow. */
#include "websocket-service/socket/tests/connection_fixture.h"

#include "common/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void
a_frame_reaches_all_sockets_of_a_user_except_its_origin(void **state)
{
	struct socket *origin = opens(0);
	uint64_t id = connection_id(opened);
	struct socket *other = opens(1);
	struct socket *stranger;

	(void)state;
	owner.user = 8;
	stranger = opens(2);
	assert_int_equal(connections_deliver(set, 7, SPAN("\x81\x02hi"), id),
	                 1);
	assert_true(span_equal(next_frame(other).payload, SPAN("hi")));
	assert_int_equal(unread(origin).len + unread(stranger).len, 0);
	assert_int_equal(connections_deliver(set, 7, SPAN("\x81\x02hi"), 0), 2);
	assert_int_equal(connections_deliver(set, 9, SPAN("\x81\x02hi"), 0), 0);
}

static void many_frames_leave_in_one_write(void **state)
{
	struct socket *socket = opens(0);
	unsigned writes = socket->writes;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		connection_send(opened, SPAN("frame"));
	for (unsigned i = 0; i < 100; i++)
		assert_true(
			span_equal(next_frame(socket).payload, SPAN("frame")));
	assert_int_equal(socket->writes, writes + 1);
}

static void fill(uint32_t bytes)
{
	char *frame = mem_new(bytes);

	assert_int_equal(
		connections_deliver(set, 7, span_make(frame, bytes), 0), 1);
	mem_free(&frame);
}

static void a_reader_too_slow_for_its_bound_is_closed(void **state)
{
	struct socket *socket = opens(0);

	(void)state;
	blocks(socket, true);
	for (unsigned i = 0; i < QUEUE_BYTES / 4096; i++)
		fill(4096);
	assert_true(connections_has_user(set, 7));
	fill(1);
	assert_false(connections_has_user(set, 7));
	connections_flush(set);
	blocks(socket, false);
	gets_close(socket, 4408);
}

static void a_burst_past_the_bound_does_not_make_a_reader_slow(void **state)
{
	struct socket *socket = opens(0);
	size_t before = socket->sent.len;

	(void)state;
	for (unsigned i = 0; i < 3 * QUEUE_BYTES / 4096; i++)
		fill(4096);
	assert_true(connections_has_user(set, 7));
	connections_flush(set);
	assert_int_equal(socket->sent.len - before, 3 * QUEUE_BYTES);
}

/* In one turn: the upgrade, and more than the queue holds. */
static void one_flooded_at_once_gets_its_101_before_the_close(void **state)
{
	struct socket *socket = arrives(0);

	(void)state;
	blocks(socket, true);
	says(socket, SPAN(HEAD));
	while (connections_has_user(set, 7))
		(void)connections_deliver(set, 7, SPAN("\x81\x02hi"), 0);
	blocks(socket, false);
	connections_flush(set);
	assert_true(span_starts(unread(socket), SPAN("HTTP/1.1 101 ")));
	socket->read = upgrade_head_len(unread(socket));
	gets_close(socket, 4408);
}

static void a_slow_reader_does_not_affect_the_others(void **state)
{
	struct socket *slow = opens(0);
	struct socket *quick;

	(void)state;
	owner.user = 8;
	quick = opens(1);
	blocks(slow, true);
	for (unsigned i = 0; i < 100; i++) {
		(void)connections_deliver(set, 7, SPAN("\x81\x02hi"), 0);
		(void)connections_deliver(set, 8, SPAN("\x81\x02hi"), 0);
		assert_true(span_equal(next_frame(quick).payload, SPAN("hi")));
	}
	assert_true(connections_has_user(set, 7));
}

static void bytes_that_the_kernel_refused_count(void **state)
{
	struct socket *socket = opens(0);

	(void)state;
	fill(QUEUE_BYTES - 1000);
	socket->takes_part = true;
	connections_flush(set);
	fill(1000);
	assert_true(connections_has_user(set, 7));
	fill(1);
	assert_false(connections_has_user(set, 7));
}

static void a_ping_past_the_bound_does_not_raise_it(void **state)
{
	struct socket *socket = opens(0);

	(void)state;
	blocks(socket, true);
	fill(QUEUE_BYTES);
	seconds_pass(PING_S);
	socket->takes_part = true;
	blocks(socket, false);
	assert_true(socket->blocked);
	fill(1);
	assert_false(connections_has_user(set, 7));
}

static void a_dead_socket_is_aborted_and_sends_nothing(void **state)
{
	struct socket *socket = opens(0);

	(void)state;
	socket->dead = true;
	connection_send(opened, SPAN("frame"));
	connections_flush(set);
	assert_true(socket->ended);
	peer_leaves(socket);
	connections_flush(set);
}

static void a_client_that_leaves_with_frames_waiting_is_freed(void **state)
{
	struct socket *first = opens(0);
	struct socket *second = opens(1);

	(void)state;
	assert_int_equal(connections_deliver(set, 7, SPAN("\x81\x02hi"), 0), 2);
	peer_leaves(first);
	assert_true(span_equal(next_frame(second).payload, SPAN("hi")));
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, connection_fixture_start, \
	                                connection_fixture_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_frame_reaches_all_sockets_of_a_user_except_its_origin),
		TEST(many_frames_leave_in_one_write),
		TEST(a_reader_too_slow_for_its_bound_is_closed),
		TEST(a_burst_past_the_bound_does_not_make_a_reader_slow),
		TEST(one_flooded_at_once_gets_its_101_before_the_close),
		TEST(a_slow_reader_does_not_affect_the_others),
		TEST(bytes_that_the_kernel_refused_count),
		TEST(a_ping_past_the_bound_does_not_raise_it),
		TEST(a_dead_socket_is_aborted_and_sends_nothing),
		TEST(a_client_that_leaves_with_frames_waiting_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
