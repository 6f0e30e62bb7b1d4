/* Connections and tokens: the notice before the end, a new token in place. */
#include "websocket-service/socket/tests/connection_fixture.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/support/fake_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define S1 "01936f5e-0c1d-7e2f-8a3b-000000000001"
#define S2 "01936f5e-0c1d-7e2f-8a3b-000000000002"

enum { USER = 7, NOTICE_MS = TOKEN_NOTICE_S * 1000 };

/* What identity knows of the next token. */
static void the_token_is(const char *session, uint64_t user, uint64_t life_ms)
{
	owner = (struct identity_response){.status = ST_OK,
	                                   .user = user,
	                                   .expires_at_ms =
	                                           clock_unix_ms() + life_ms};
	memcpy(owner.session, session, strlen(session) + 1);
}

/* The next frame that is no ping; the peer answers pings. */
static struct span next_text(struct socket *socket)
{
	struct websocket_message message = next_frame(socket);

	while (message.op == WEBSOCKET_PING) {
		says_frame(socket, WEBSOCKET_PONG, SPAN_NONE);
		message = next_frame(socket);
	}
	assert_int_equal(message.op, WEBSOCKET_TEXT);
	return message.payload;
}

/* Whether texts came; answers pings. */
static unsigned texts(struct socket *socket)
{
	unsigned count = 0;

	while (unread(socket).len) {
		struct websocket_message message = next_frame(socket);

		if (message.op == WEBSOCKET_PING)
			says_frame(socket, WEBSOCKET_PONG, SPAN_NONE);
		else
			count++;
	}
	return count;
}

static void replace(void)
{
	connection_replace_token(opened, SPAN("tok"));
}

static unsigned closes(const char *session)
{
	struct uuid id;

	assert_true(uuid_parse(span_of(session), &id));
	return connections_close_session(set, USER, &id, WEBSOCKET_TOKEN_ENDED,
	                                 "session_ended");
}

static struct socket *opens_with(uint64_t life_ms)
{
	the_token_is(S1, USER, life_ms);
	return opens(0);
}

static void the_notice_comes_a_minute_before_the_end(void **state)
{
	/* Whatever the phase of the second, and of the random first ping. */
	for (unsigned ms = 0; ms < 2000; ms += 125) {
		struct socket *socket = opens_with(NOTICE_MS + 100000 + ms);
		uint64_t end_ms = clock_unix_ms() + NOTICE_MS + 100000 + ms;

		while (texts(socket) == 0) {
			assert_true(clock_unix_ms() <
			            end_ms - NOTICE_MS + 2000);
			seconds_pass(1);
		}
		assert_true(clock_unix_ms() >= end_ms - NOTICE_MS);
		while (connections_has_user(set, USER)) {
			assert_int_equal(texts(socket), 0);
			seconds_pass(1);
		}
		assert_true(clock_unix_ms() >= end_ms);
		assert_true(clock_unix_ms() <= end_ms + 5000);
		(void)connection_fixture_stop(state);
		(void)connection_fixture_start(state);
	}
}

static void the_notice_comes_at_once_if_less_is_left(void **state)
{
	struct socket *socket = opens_with(NOTICE_MS);
	struct span text = next_text(socket);

	(void)state;
	assert_true(has(text, "{\"type\":\"token\",\"expires_at\":\""));
	assert_int_equal(texts(socket), 0);
}

static void the_notice_waits_for_welcome(void **state)
{
	struct socket *socket = arrives(0);

	(void)state;
	the_token_is(S1, USER, 5000);
	holds_welcome = true;
	says(socket, SPAN(HEAD));
	socket->read = upgrade_head_len(unread(socket));
	assert_int_equal(unread(socket).len, 0);
	the_token_is(S2, USER, NOTICE_MS + 1000);
	replace();
	assert_int_equal(unread(socket).len, 0);
	connections_welcome(set, USER);
	assert_true(has(next_text(socket), "\"welcome\""));
	assert_true(has(next_text(socket), "\"token\""));
	assert_true(has(next_text(socket), "\"auth\""));
	assert_int_equal(closes(S1), 0);
}

static void a_new_token_takes_the_place_of_the_old_one(void **state)
{
	struct socket *socket = opens_with(30000);

	(void)state;
	assert_true(has(next_text(socket), "\"token\""));
	for (unsigned life = 0; life < 20; life++) {
		seconds_pass(25);
		assert_int_equal(texts(socket), 0);
		the_token_is(life % 2 ? S1 : S2, USER, 30000);
		replace();
		assert_true(
			has(next_text(socket),
		            life % 2 ? "{\"type\":\"auth\",\"session\":\"" S1
		                     : "{\"type\":\"auth\",\"session\":\"" S2));
		assert_true(has(next_text(socket), "\"token\""));
		says_frame(socket, WEBSOCKET_TEXT, SPAN("hi"));
	}
	assert_int_equal(received.len, 20 * 3);
	assert_int_equal(closes(S2), 0);
	assert_int_equal(closes(S1), 1);
}

/* A token that ends earlier than the old one counts as well. */
static void a_shorter_token_ends_the_socket_earlier(void **state)
{
	struct socket *socket = opens_with(3600000);

	(void)state;
	the_token_is(S2, USER, 2000);
	replace();
	assert_true(has(next_text(socket), "\"auth\""));
	assert_true(has(next_text(socket), "\"token\""));
	seconds_pass(7);
	gets_close(socket, 4401);
}

static void a_refused_token_leaves_the_old_one(void **state)
{
	static const struct {
		enum status status;
		const char *code;
	} rows[] = {
		{ST_DENIED, "\"code\":\"bad_token\""},
		{ST_OK, "\"code\":\"bad_token\""}, /* it has expired */
		{ST_UNAVAILABLE, "\"code\":\"unavailable\""},
	};
	struct socket *socket = opens_with(3600000);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		the_token_is(S2, USER, 0);
		owner.status = rows[i].status;
		replace();
		assert_true(has(next_text(socket), rows[i].code));
		answers_at_once = false;
		replace();
		assert_int_equal(unread(socket).len, 0);
		identity_answers(rows[i].status);
		assert_true(has(next_text(socket), rows[i].code));
		answers_at_once = true;
	}
	assert_true(span_equal(connection_token(opened), SPAN("tok")));
	assert_int_equal(closes(S2), 0);
	assert_int_equal(closes(S1), 1);
}

static void the_token_of_another_user_closes_the_socket(void **state)
{
	(void)state;
	for (unsigned at_once = 0; at_once < 2; at_once++) {
		struct socket *socket;

		the_token_is(S1, USER, 3600000);
		socket = opens(at_once);
		answers_at_once = at_once;
		the_token_is(S2, USER + 1, 3600000);
		replace();
		replace();
		if (!at_once)
			identity_answers(ST_OK);
		assert_null(waiting);
		gets_close(socket, 4401);
		answers_at_once = true;
		peer_leaves(socket);
	}
}

static void frames_go_on_while_tokens_are_looked_up_in_order(void **state)
{
	struct socket *socket = opens_with(3600000);

	(void)state;
	answers_at_once = false;
	for (unsigned i = 0; i < NEW_TOKENS_MAX; i++)
		replace();
	assert_int_equal(asked, 2); /* one of the upgrade */
	replace();
	assert_true(has(next_text(socket), "\"code\":\"too_fast\""));
	says_frame(socket, WEBSOCKET_TEXT, SPAN("hi"));
	assert_int_equal(received.len, 3);
	for (unsigned i = 0; i < NEW_TOKENS_MAX; i++) {
		the_token_is(i % 2 ? S2 : S1, USER, 3600000);
		identity_answers(ST_OK);
		assert_true(has(next_text(socket), i % 2 ? S2 : S1));
	}
	assert_null(waiting);
	replace();
	assert_non_null(waiting);
	peer_leaves(socket);
	assert_null(waiting);
}

/* The client must not take frames for delivered that were ignored. */
static void an_answer_after_the_end_comes_too_late(void **state)
{
	struct socket *socket = opens_with(2000);

	(void)state;
	assert_true(has(next_text(socket), "\"token\""));
	answers_at_once = false;
	replace();
	clock_ms += 2000;
	says_frame(socket, WEBSOCKET_TEXT, SPAN("lost"));
	the_token_is(S2, USER, 3600000);
	identity_answers(ST_OK);
	assert_int_equal(received.len, 0);
	assert_int_equal(unread(socket).len, 0);
	seconds_pass(5);
	gets_close(socket, 4401);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, connection_fixture_start, \
	                                connection_fixture_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_notice_comes_a_minute_before_the_end),
		TEST(the_notice_comes_at_once_if_less_is_left),
		TEST(the_notice_waits_for_welcome),
		TEST(a_new_token_takes_the_place_of_the_old_one),
		TEST(a_shorter_token_ends_the_socket_earlier),
		TEST(a_refused_token_leaves_the_old_one),
		TEST(the_token_of_another_user_closes_the_socket),
		TEST(frames_go_on_while_tokens_are_looked_up_in_order),
		TEST(an_answer_after_the_end_comes_too_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
