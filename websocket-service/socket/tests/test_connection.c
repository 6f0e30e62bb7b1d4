/* Connections, with fake sockets, clock and identity-service. */
#define _GNU_SOURCE /* memmem */
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/wire/frame.h"
#include "tests/support/fake_clock.h"
#include "websocket-service/socket/connection_private.h"
#include "websocket-service/socket/upgrade.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	QUEUE_BYTES = 65536,
	SOCKETS_MAX = 8,
	HEADS_MAX = 3,
	PING_S = 25,
	SILENT_S = 60,
	SENT_MAX = 1024 * 1024,
};

#define REQUEST \
	"GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n" \
	"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define HEAD REQUEST "Authorization: Bearer tok\r\n\r\n"

/* --- sockets ------------------------------------------------------------- */
struct socket {
	struct buf sent;
	size_t read; /* of `sent` */
	unsigned writes;
	bool blocked, wants_writable, paused, finished, ended, dead;
	bool takes_part; /* of the next write; lws keeps the rest */
	void *connection;
	struct websocket_reader reader;
};

bool socket_write(struct socket *socket, struct span bytes)
{
	assert_false(socket->blocked);
	assert_false(socket->finished);
	if (socket->dead)
		return false;
	buf_append(&socket->sent, bytes);
	socket->writes++;
	socket->blocked = socket->takes_part;
	socket->takes_part = false;
	return true;
}

bool socket_blocked(struct socket *socket)
{
	return socket->blocked;
}

void socket_want_writable(struct socket *socket)
{
	socket->wants_writable = true;
}

void socket_pause(struct socket *socket, bool paused)
{
	socket->paused = paused;
}

void socket_shutdown(struct socket *socket)
{
	socket->finished = true;
}

void socket_abort(struct socket *socket)
{
	socket->ended = true;
}

/* --- identity ------------------------------------------------------------ */
static struct identity_response owner;
static bool answers_at_once;
static struct identity_waiter *waiting; /* the last that asked */
static unsigned asked;

bool identity_client_get(struct identity_client *client,
                         const struct identity_request *request,
                         struct identity_waiter *waiter,
                         struct identity_response *ret_response)
{
	(void)client;
	assert_int_equal(request->kind, IDENTITY_OWNER);
	assert_int_equal(identity_request_key(request).len, 32);
	assert_true(span_equal(request->token, SPAN("tok")));
	asked++;
	if (answers_at_once) {
		*ret_response = owner;
		return true;
	}
	waiter->inflight = (struct identity_inflight *)(void *)&owner;
	waiting = waiter;
	return false;
}

void identity_client_cancel(struct identity_waiter *waiter)
{
	waiter->inflight = NULL;
	if (waiting == waiter)
		waiting = NULL;
}

static void identity_answers(enum status status)
{
	struct identity_waiter *waiter = waiting;
	struct identity_response response = owner;

	assert_non_null(waiter);
	response.status = status;
	identity_client_cancel(waiter);
	waiter->done(waiter->context, &response);
}

/* --- the gateway --------------------------------------------------------- */
static struct connections *set;
static struct socket sockets[SOCKETS_MAX + 2];
static struct buf received;       /* texts that were passed on, each with a | */
static struct connection *opened; /* the latest */
static uint64_t not_served;       /* a user of another gateway; 0: none */

static bool serves_user(void *context, uint64_t user)
{
	(void)context;
	return user != not_served;
}

static void on_text(void *context, struct connection *connection,
                    struct span text)
{
	(void)context;
	(void)connection;
	buf_append(&received, text);
	buf_byte(&received, '|');
}

static bool holds_welcome;
static unsigned closed_count;
static bool closed_last;

static bool on_opened(void *context, struct connection *connection)
{
	(void)context;
	opened = connection;
	return !holds_welcome;
}

static void on_closed(void *context, struct connection *connection, bool last)
{
	(void)context;
	(void)connection;
	closed_count++;
	closed_last = last;
}

static int start(void **state)
{
	(void)state;
	clock_ms = 5000000;
	memset(sockets, 0, sizeof(sockets));
	for (size_t i = 0; i < ARRAY_LEN(sockets); i++)
		sockets[i].sent = BUF(SENT_MAX);
	owner = (struct identity_response){
		.status = ST_OK,
		.user = 7,
		.expires_at_ms = clock_unix_ms() + 3600000,
		.session = "s1",
	};
	answers_at_once = true;
	waiting = NULL;
	opened = NULL;
	holds_welcome = false;
	closed_count = 0;
	not_served = 0;
	asked = 0;
	received = BUF(SENT_MAX);
	set = connections_create(&(struct connections_options){
		.origins = "",
		.ping_s = PING_S,
		.silent_s = SILENT_S,
		.queue_bytes = QUEUE_BYTES,
		.connections_max = SOCKETS_MAX,
		.handshakes_max = HEADS_MAX,
		.serves_user = serves_user,
		.text = on_text,
		.opened = on_opened,
		.closed = on_closed,
	});
	return 0;
}

static void peer_leaves(struct socket *socket)
{
	connection_events.closed(socket->connection);
	socket->connection = NULL;
}

static int stop(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sockets); i++) {
		if (sockets[i].connection)
			peer_leaves(&sockets[i]);
		buf_free(&sockets[i].sent);
		websocket_reader_free(&sockets[i].reader);
	}
	connections_destroy(&set);
	buf_free(&received);
	return set != NULL;
}

static struct socket *arrives(unsigned i)
{
	sockets[i].connection = connection_events.opened(set, &sockets[i]);
	assert_non_null(sockets[i].connection);
	websocket_reader_start(&sockets[i].reader, false, false, SENT_MAX);
	return &sockets[i];
}

static void says(struct socket *socket, struct span bytes)
{
	char *copy = mem_new(bytes.len + 1);

	memcpy(copy, bytes.data, bytes.len);
	assert_true(connection_events.received(socket->connection, copy,
	                                       bytes.len));
	mem_free(&copy);
}

static void says_frame(struct socket *socket, enum websocket_op op,
                       struct span payload)
{
	static const uint8_t mask[4] = {1, 2, 3, 4};
	struct buf frame CLEANUP(buf_free) = BUF(SENT_MAX);

	websocket_write(&frame, op, payload, mask);
	says(socket, buf_span(&frame));
}

static void blocks(struct socket *socket, bool blocked)
{
	socket->blocked = blocked;
	if (!blocked && socket->wants_writable) {
		socket->wants_writable = false;
		connection_events.writable(socket->connection);
	}
}

/* Flushes; the bytes that were sent since the last reading. */
static struct span unread(struct socket *socket)
{
	connections_flush(set);
	return span_make(socket->sent.data + socket->read,
	                 socket->sent.len - socket->read);
}

static bool has(struct span text, const char *part)
{
	return text.len && memmem(text.data, text.len, part, strlen(part));
}

static void refused_with(struct socket *socket, unsigned http)
{
	char line[32];

	(void)snprintf(line, sizeof(line), "HTTP/1.1 %u ", http);
	assert_true(span_starts(unread(socket), span_of(line)));
	assert_true(socket->finished);
	assert_false(socket->paused);
	assert_int_equal(socket->writes, 1);
}

/* The next frame that the peer gets; its payload lives until the next call. */
static struct websocket_message next_frame(struct socket *socket)
{
	struct websocket_message message;
	struct span bytes = unread(socket);
	char *data = (char *)(uintptr_t)bytes.data;
	size_t len = bytes.len;

	assert_int_equal(websocket_read(&socket->reader, &data, &len, &message),
	                 WEBSOCKET_MESSAGE);
	socket->read = socket->sent.len - len;
	return message;
}

static void says_fragment(struct socket *socket, enum websocket_op op)
{
	char frame[] = {(char)op, (char)0x81, 0, 0, 0, 0, ' '};

	says(socket, span_make(frame, sizeof(frame)));
}

/* Without an answer of the peer. */
static void gets_close_only(struct socket *socket, unsigned code)
{
	struct websocket_message message = next_frame(socket);

	assert_int_equal(message.op, WEBSOCKET_CLOSE);
	assert_int_equal(message.code, code);
	assert_int_equal(unread(socket).len, 0);
}

/* Our side ends at once, or else when the peer has answered. */
static void gets_close(struct socket *socket, unsigned code)
{
	gets_close_only(socket, code);
	if (!socket->finished)
		says_frame(socket, WEBSOCKET_CLOSE, SPAN("\x03\xe8"));
	assert_int_equal(unread(socket).len, 0);
	assert_true(socket->finished);
}

/* An open socket whose answer and `welcome` have been read. */
static struct socket *opens(unsigned i)
{
	struct socket *socket = arrives(i);

	says(socket, SPAN(HEAD));
	socket->read = upgrade_head_len(unread(socket));
	assert_true(socket->read > 0);
	assert_true(has(next_frame(socket).payload, "\"welcome\""));
	return socket;
}

static void seconds_pass(unsigned seconds)
{
	while (seconds--) {
		clock_ms += 1000;
		connections_tick(set);
		connections_flush(set);
	}
}

/* --- opening ------------------------------------------------------------- */
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
	for (unsigned i = 0; i < SOCKETS_MAX; i++)
		(void)opens(i);
	refused_with(arrives(SOCKETS_MAX), 503);
	peer_leaves(&sockets[SOCKETS_MAX]);
	peer_leaves(&sockets[0]);
	(void)opens(SOCKETS_MAX + 1);
}

/* --- frames -------------------------------------------------------------- */
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
	struct buf flood CLEANUP(buf_free) = BUF(SENT_MAX);

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
		(void)stop(state);
		(void)start(state);
	}
}

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
		(void)stop(&(void *){NULL});
		(void)start(&(void *){NULL});
	}
}

static void what_follows_a_close_in_the_same_bytes_is_read_as_well(void **state)
{
	struct socket *socket = opens(0);
	struct buf flood CLEANUP(buf_free) = BUF(SENT_MAX);

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

/* --- delivery ------------------------------------------------------------ */
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

/* --- time ---------------------------------------------------------------- */
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
		(void)stop(state);
		(void)start(state);
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
		end_ms = clock_ms + 10000 + ms;
		while (connections_has_user(set, 7)) {
			seconds_pass(1);
		}
		assert_true(clock_ms >= end_ms);
		assert_true(clock_ms <= end_ms + 5000);
		while (next_frame(socket).op == WEBSOCKET_PING)
			;
		(void)stop(state);
		(void)start(state);
	}
}

static void frames_after_the_token_expired_are_ignored(void **state)
{
	struct socket *socket;

	(void)state;
	owner.expires_at_ms = clock_unix_ms() + 1500;
	socket = opens(0);
	clock_ms += 1499;
	says_frame(socket, WEBSOCKET_TEXT, SPAN("in time"));
	clock_ms += 1;
	says_frame(socket, WEBSOCKET_TEXT, SPAN("late"));
	assert_true(span_equal(buf_span(&received), SPAN("in time|")));
	assert_true(connections_has_user(set, 7)); /* closed a little later */
	seconds_pass(5);
	gets_close(socket, 4401);
}

/* --- the end ------------------------------------------------------------- */
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

/* --- `welcome` held back ------------------------------------------------- */
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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
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
		TEST(a_close_is_answered_with_its_code),
		TEST(nothing_is_read_or_delivered_after_a_close),
		TEST(a_peer_that_does_not_close_is_aborted),
		TEST(our_side_ends_after_the_peers_close_frame),
		TEST(what_follows_a_close_in_the_same_bytes_is_read_as_well),
		TEST(a_fault_ends_our_side_at_once),
		TEST(what_is_discarded_after_a_close_is_bounded),
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
		TEST(an_idle_socket_that_answers_pings_stays_open),
		TEST(a_silent_socket_is_aborted_in_time),
		TEST(a_stopped_process_aborts_no_live_socket),
		TEST(an_expired_token_closes_the_socket_within_five_seconds),
		TEST(frames_after_the_token_expired_are_ignored),
		TEST(a_drain_spares_sockets_with_messages_under_way),
		TEST(a_drain_refuses_sockets_not_open_yet),
		TEST(only_the_101_goes_before_a_welcome_that_waits),
		TEST(a_welcome_in_the_same_turn_follows_the_101),
		TEST(a_waiting_client_with_too_many_frames_gets_welcome),
		TEST(before_welcome_only_a_close_is_sent),
		TEST(only_welcomed_sockets_are_closed_for_a_late_answer),
		TEST(closed_reports_the_last_socket_of_a_user),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
