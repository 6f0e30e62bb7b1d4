/* How a connection opens, or is refused: the upgrade and the look-up. */
#include "websocket-service/socket/tests/connection_fixture.h"

#include "common/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void the_upgrade_is_answered_only_after_the_lookup(void **state)
{
	struct socket *socket = arrives(0);

	(void)state;
	answers_at_once = false;
	says(socket, SPAN(HEAD));
	assert_int_equal(unread(socket).len, 0);
	assert_true(socket->paused);
	assert_null(opened);
	identity_answers(ST_OK);
	assert_true(has(unread(socket), "HTTP/1.1 101 "));
	assert_true(has(unread(socket), "\"welcome\",\"user\":7"));
	assert_false(socket->paused);
	assert_int_equal(socket->writes, 1);
	assert_true(connections_has_user(set, 7));
}

static void a_head_can_arrive_byte_by_byte(void **state)
{
	struct socket *socket = arrives(0);

	(void)state;
	for (size_t i = 0; i < sizeof(HEAD) - 1; i++) {
		assert_int_equal(asked, 0);
		says(socket, span_make(&HEAD[i], 1));
	}
	assert_true(has(unread(socket), "HTTP/1.1 101 "));
}

static void a_token_without_an_owner_is_refused_with_401(void **state)
{
	struct socket *socket = arrives(0);

	(void)state;
	answers_at_once = false;
	says(socket, SPAN(HEAD));
	identity_answers(ST_DENIED);
	refused_with(socket, 401);
	assert_false(connections_has_user(set, 7));
}

static void a_token_that_has_ended_meanwhile_is_refused_with_401(void **state)
{
	struct socket *socket = arrives(0);

	(void)state;
	answers_at_once = false;
	says(socket, SPAN(HEAD));
	owner.expires_at_ms = clock_unix_ms();
	identity_answers(ST_OK);
	refused_with(socket, 401);
}

static void a_missing_token_is_refused_without_a_lookup(void **state)
{
	struct socket *socket = arrives(0);

	(void)state;
	says(socket, SPAN(REQUEST "\r\n"));
	refused_with(socket, 401);
	assert_int_equal(asked, 0);
}

static void a_user_of_another_shard_is_refused_with_421(void **state)
{
	struct socket *socket = arrives(0);

	(void)state;
	not_served = owner.user;
	says(socket, SPAN(HEAD));
	refused_with(socket, 421);
	assert_null(opened);
}

static void identity_away_is_503_not_401(void **state)
{
	struct socket *socket = arrives(0);

	(void)state;
	answers_at_once = false;
	says(socket, SPAN(HEAD));
	identity_answers(ST_UNAVAILABLE);
	refused_with(socket, 503);
	assert_true(has(unread(socket), "Retry-After: "));
}

static void bytes_behind_the_head_are_refused_with_400(void **state)
{
	struct socket *socket = arrives(0);

	(void)state;
	says(socket, SPAN(HEAD "x"));
	refused_with(socket, 400);
	assert_int_equal(asked, 0);
}

static void a_head_without_end_is_refused_with_431(void **state)
{
	struct socket *socket = arrives(0);
	char line[1024];

	(void)state;
	memset(line, 'a', sizeof(line));
	for (unsigned i = 0; i < UPGRADE_HEAD_MAX / sizeof(line); i++)
		says(socket, span_make(line, sizeof(line)));
	assert_int_equal(unread(socket).len, 0);
	says(socket, SPAN("a"));
	refused_with(socket, 431);
}

static void a_refused_client_can_go_on_sending(void **state)
{
	struct socket *socket = arrives(0);

	(void)state;
	says(socket, SPAN("POST /ws HTTP/1.1\r\nHost: h\r\n\r\n"));
	refused_with(socket, 405);
	says(socket, SPAN(HEAD));
	says(socket, SPAN("more"));
	assert_int_equal(socket->writes, 1);
	assert_int_equal(connections_count(set), 1);
}

static void an_incomplete_head_aborts_the_socket_in_time(void **state)
{
	struct socket *socket = arrives(0);

	(void)state;
	says(socket, SPAN("GET /ws HTTP/1.1\r\n"));
	seconds_pass(9);
	assert_false(socket->ended);
	seconds_pass(2);
	assert_true(socket->ended);
}

static void one_handshake_too_many_aborts_the_oldest(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HEADS_MAX; i++)
		says(arrives(i), SPAN("GET /ws HTTP/1.1\r\n"));
	assert_false(sockets[0].ended);
	(void)arrives(HEADS_MAX);
	assert_true(sockets[0].ended);
	assert_false(sockets[1].ended);
	/* Bytes that it still sends are ignored. */
	says(&sockets[0], SPAN("\r\n"));
	assert_int_equal(sockets[0].writes, 0);
	peer_leaves(&sockets[0]);
	says(&sockets[HEADS_MAX], SPAN(HEAD));
	assert_true(has(unread(&sockets[HEADS_MAX]), "HTTP/1.1 101 "));
}

static void a_complete_head_makes_room(void **state)
{
	(void)state;
	(void)opens(0);
	says(arrives(1), SPAN("POST /ws HTTP/1.1\r\nHost: h\r\n\r\n"));
	refused_with(&sockets[1], 405);
	(void)arrives(2);
	peer_leaves(&sockets[2]);
	for (unsigned i = 3; i < 3 + HEADS_MAX; i++)
		(void)arrives(i);
	for (unsigned i = 3; i < 3 + HEADS_MAX; i++)
		assert_false(sockets[i].ended);
	assert_false(sockets[0].ended);
	assert_false(sockets[1].ended);
}

static void a_client_that_leaves_during_the_lookup_is_not_called(void **state)
{
	struct socket *socket = arrives(0);

	(void)state;
	answers_at_once = false;
	says(socket, SPAN(HEAD));
	assert_non_null(waiting);
	peer_leaves(socket);
	assert_null(waiting);
	assert_int_equal(connections_count(set), 0);
}

static void one_too_many_is_refused_with_503(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
		owner.user = i + 1;
		(void)opens(i);
	}
	refused_with(arrives(CONNECTIONS_MAX), 503);
	peer_leaves(&sockets[CONNECTIONS_MAX]);
	peer_leaves(&sockets[0]);
	(void)opens(CONNECTIONS_MAX + 1);
}

static void refused_for_its_user(unsigned i)
{
	says(arrives(i), SPAN(HEAD));
	refused_with(&sockets[i], 429);
	peer_leaves(&sockets[i]);
}

/* Otherwise each message of such a user is sent as often as the user likes. */
static void one_too_many_of_a_user_is_refused_with_429(void **state)
{
	(void)state;
	for (unsigned i = 0; i < USER_SOCKETS_MAX; i++)
		(void)opens(i);
	refused_for_its_user(USER_SOCKETS_MAX);
	owner.user = 8;
	(void)opens(USER_SOCKETS_MAX + 1);
	owner.user = 7;
	refused_for_its_user(USER_SOCKETS_MAX + 2);
	/* A socket that is being closed does not count. */
	says_frame(&sockets[0], WEBSOCKET_CLOSE, SPAN("\x03\xe8"));
	(void)opens(USER_SOCKETS_MAX + 3);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, connection_fixture_start, \
	                                connection_fixture_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_upgrade_is_answered_only_after_the_lookup),
		TEST(a_head_can_arrive_byte_by_byte),
		TEST(a_token_without_an_owner_is_refused_with_401),
		TEST(a_token_that_has_ended_meanwhile_is_refused_with_401),
		TEST(a_missing_token_is_refused_without_a_lookup),
		TEST(a_user_of_another_shard_is_refused_with_421),
		TEST(identity_away_is_503_not_401),
		TEST(bytes_behind_the_head_are_refused_with_400),
		TEST(a_head_without_end_is_refused_with_431),
		TEST(a_refused_client_can_go_on_sending),
		TEST(an_incomplete_head_aborts_the_socket_in_time),
		TEST(one_handshake_too_many_aborts_the_oldest),
		TEST(a_complete_head_makes_room),
		TEST(a_client_that_leaves_during_the_lookup_is_not_called),
		TEST(one_too_many_is_refused_with_503),
		TEST(one_too_many_of_a_user_is_refused_with_429),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
