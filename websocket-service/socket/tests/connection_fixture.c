#define _GNU_SOURCE /* memmem */
#include "websocket-service/socket/tests/connection_fixture.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/support/fake_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { SENT_MAX = 1024 * 1024 };

/* --- sockets ------------------------------------------------------------- */
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
struct identity_response owner;
bool answers_at_once;
struct identity_waiter *waiting;
unsigned asked;

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

void identity_answers(enum status status)
{
	struct identity_waiter *waiter = waiting;
	struct identity_response response = owner;

	assert_non_null(waiter);
	response.status = status;
	identity_client_cancel(waiter);
	waiter->done(waiter->context, &response);
}

/* --- the gateway --------------------------------------------------------- */
struct connections *set;
struct socket sockets[CONNECTIONS_MAX + 2];
struct buf received;
struct connection *opened;
uint64_t not_served;

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

bool holds_welcome;
unsigned closed_count;
bool closed_last;

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

int connection_fixture_start(void **state)
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
		.connections_max = CONNECTIONS_MAX,
		.user_sockets_max = USER_SOCKETS_MAX,
		.handshakes_max = HEADS_MAX,
		.serves_user = serves_user,
		.text = on_text,
		.opened = on_opened,
		.closed = on_closed,
	});
	return 0;
}

void peer_leaves(struct socket *socket)
{
	connection_events.closed(socket->connection);
	socket->connection = NULL;
}

int connection_fixture_stop(void **state)
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

struct socket *arrives(unsigned i)
{
	sockets[i].connection = connection_events.opened(set, &sockets[i]);
	assert_non_null(sockets[i].connection);
	websocket_reader_start(&sockets[i].reader, false, false, SENT_MAX);
	return &sockets[i];
}

void says(struct socket *socket, struct span bytes)
{
	char *copy = mem_new(bytes.len + 1);

	memcpy(copy, bytes.data, bytes.len);
	assert_true(connection_events.received(socket->connection, copy,
	                                       bytes.len));
	mem_free(&copy);
}

void says_frame(struct socket *socket, enum websocket_op op,
                struct span payload)
{
	static const uint8_t mask[4] = {1, 2, 3, 4};
	struct buf frame CLEANUP(buf_free) = BUF(SENT_MAX);

	websocket_write(&frame, op, payload, mask);
	says(socket, buf_span(&frame));
}

void blocks(struct socket *socket, bool blocked)
{
	socket->blocked = blocked;
	if (!blocked && socket->wants_writable) {
		socket->wants_writable = false;
		connection_events.writable(socket->connection);
	}
}

struct span unread(struct socket *socket)
{
	connections_flush(set);
	return span_make(socket->sent.data + socket->read,
	                 socket->sent.len - socket->read);
}

bool has(struct span text, const char *part)
{
	return text.len && memmem(text.data, text.len, part, strlen(part));
}

void refused_with(struct socket *socket, unsigned http)
{
	char line[32];

	(void)snprintf(line, sizeof(line), "HTTP/1.1 %u ", http);
	assert_true(span_starts(unread(socket), span_of(line)));
	assert_true(socket->finished);
	assert_false(socket->paused);
	assert_int_equal(socket->writes, 1);
}

struct websocket_message next_frame(struct socket *socket)
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

void says_fragment(struct socket *socket, enum websocket_op op)
{
	char frame[] = {(char)op, (char)0x81, 0, 0, 0, 0, ' '};

	says(socket, span_make(frame, sizeof(frame)));
}

void gets_close_only(struct socket *socket, unsigned code)
{
	struct websocket_message message = next_frame(socket);

	assert_int_equal(message.op, WEBSOCKET_CLOSE);
	assert_int_equal(message.code, code);
	assert_int_equal(unread(socket).len, 0);
}

void gets_close(struct socket *socket, unsigned code)
{
	gets_close_only(socket, code);
	if (!socket->finished)
		says_frame(socket, WEBSOCKET_CLOSE, SPAN("\x03\xe8"));
	assert_int_equal(unread(socket).len, 0);
	assert_true(socket->finished);
}

struct socket *opens(unsigned i)
{
	struct socket *socket = arrives(i);

	says(socket, SPAN(HEAD));
	socket->read = upgrade_head_len(unread(socket));
	assert_true(socket->read > 0);
	assert_true(has(next_frame(socket).payload, "\"welcome\""));
	return socket;
}

void seconds_pass(unsigned seconds)
{
	while (seconds--) {
		clock_ms += 1000;
		connections_tick(set);
		connections_flush(set);
	}
}
