#include "client-test/client/connection.h"
#include "client-test/client/upgrade.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/base/websocket.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

enum {
	OPEN_MS = 10000,
	SILENCE_MS = 60000,
	READ_SIZE = 64 * 1024,
	MESSAGE_MAX = 160 * 1024,
	REQUEST_MAX = 16 * 1024,
	QUEUE_MAX = 4 * 1024 * 1024,
	WHY_MAX = 256,
};

enum state { CONNECTING, UPGRADING, OPEN, ENDED };

/*
 * libuv releases a handle some time after uv_close(), so the struct outlives
 * connection_destroy() until libuv has released the last handle.
 */
struct connection {
	uv_tcp_t tcp;
	uv_timer_t timer;
	uv_getaddrinfo_t lookup;
	uv_connect_t connect;
	unsigned held; /* handles and requests in use by libuv */
	struct address address;
	struct buf request;
	struct upgrade upgrade;
	struct buf answer;
	struct websocket_reader reader;
	enum state state;
	bool orphan;   /* destroyed by its owner */
	bool cut;      /* an open socket, without a close frame */
	bool in_ended; /* the `ended` callback is running */
	enum status status;
	char why[WHY_MAX];
	const struct connection_events *events;
	void *context;
	char input[READ_SIZE];
};

struct outgoing {
	uv_write_t write;
	struct connection *connection;
	struct buf bytes;
};

static void release(struct connection *connection)
{
	if (--connection->held)
		return;
	buf_free(&connection->request);
	buf_free(&connection->answer);
	websocket_reader_free(&connection->reader);
	if (!connection->orphan) {
		connection->in_ended = true;
		connection->events->ended(connection->context,
		                          connection->status, connection->why);
		connection->in_ended = false;
	}
	/* The owner destroyed it, earlier or from within `ended`. */
	if (connection->orphan)
		mem_free(&connection);
}

static void handle_closed(uv_handle_t *handle)
{
	release(handle->data);
}

static void end(struct connection *connection, enum status status,
                const char *why)
{
	if (connection->state == ENDED)
		return;
	connection->state = ENDED;
	connection->status = status;
	(void)snprintf(connection->why, sizeof(connection->why), "%s", why);
	(void)uv_cancel((uv_req_t *)&connection->lookup);
	uv_close((uv_handle_t *)&connection->tcp, handle_closed);
	uv_close((uv_handle_t *)&connection->timer, handle_closed);
}

static void end_uv(struct connection *connection, const char *what, int error)
{
	char why[WHY_MAX];

	(void)snprintf(why, sizeof(why), "%s: %s", what, uv_strerror(error));
	connection->cut = connection->cut || connection->state == OPEN;
	end(connection, ST_UNAVAILABLE, why);
}

static void on_timer(uv_timer_t *timer)
{
	struct connection *connection = timer->data;

	end(connection, ST_UNAVAILABLE,
	    connection->state == OPEN ? "the server is silent"
	                              : "no connection in time");
}

/* --- writing ------------------------------------------------------------- */
static void written(uv_write_t *write, int status)
{
	struct outgoing *outgoing = write->data;
	struct connection *connection = outgoing->connection;

	buf_free(&outgoing->bytes);
	mem_free(&outgoing);
	if (status)
		end_uv(connection, "writing", status);
	release(connection);
}

static void put(struct connection *connection, struct buf *bytes)
{
	struct outgoing *outgoing = mem_new(sizeof(*outgoing));
	uv_buf_t piece;
	int error;

	outgoing->bytes = *bytes;
	*bytes = (struct buf){0};
	outgoing->connection = connection;
	outgoing->write.data = outgoing;
	piece = uv_buf_init(outgoing->bytes.data,
	                    (unsigned)outgoing->bytes.len);
	error = uv_write(&outgoing->write, (uv_stream_t *)&connection->tcp,
	                 &piece, 1, written);
	if (!error) {
		connection->held++;
		return;
	}
	buf_free(&outgoing->bytes);
	mem_free(&outgoing);
	end_uv(connection, "writing", error);
}

static void put_frame(struct connection *connection, enum websocket_op op,
                      struct span payload)
{
	struct buf frame = BUF(MESSAGE_MAX);
	uint8_t mask[4];

	random_bytes(mask, sizeof(mask));
	websocket_write(&frame, op, payload, mask);
	put(connection, &frame);
}

bool connection_send(struct connection *connection, struct span text)
{
	if (connection->state != OPEN)
		return false;
	if (connection->tcp.write_queue_size > QUEUE_MAX) {
		end(connection, ST_UNAVAILABLE, "the server does not read");
		return false;
	}
	put_frame(connection, WEBSOCKET_TEXT, text);
	return connection->state == OPEN;
}

/* --- reading ------------------------------------------------------------- */
static enum status status_of_close(unsigned code)
{
	switch (code) {
	case WEBSOCKET_TOKEN_ENDED:
		return ST_DENIED;
	case WEBSOCKET_PROTOCOL_ERROR:
	case WEBSOCKET_UNSUPPORTED:
	case WEBSOCKET_BAD_DATA:
	case WEBSOCKET_TOO_BIG:
		return ST_INVALID;
	default:
		return ST_UNAVAILABLE;
	}
}

static void take_close(struct connection *connection,
                       const struct websocket_message *message)
{
	char why[WHY_MAX];

	(void)snprintf(why, sizeof(why), "closed with %u %.*s",
	               (unsigned)message->code, (int)message->payload.len,
	               message->payload.len ? message->payload.data : "");
	end(connection, status_of_close(message->code), why);
}

static void take_message(struct connection *connection,
                         const struct websocket_message *message)
{
	switch (message->op) {
	case WEBSOCKET_TEXT:
		connection->events->text(connection->context, message->payload);
		break;
	case WEBSOCKET_PING:
		put_frame(connection, WEBSOCKET_PONG, message->payload);
		break;
	case WEBSOCKET_CLOSE:
		take_close(connection, message);
		break;
	default:
		break;
	}
}

static void take_frames(struct connection *connection, char *data, size_t len)
{
	struct websocket_message message;

	while (connection->state == OPEN) {
		switch (websocket_read(&connection->reader, &data, &len,
		                       &message)) {
		case WEBSOCKET_MORE:
			return;
		case WEBSOCKET_MESSAGE:
			take_message(connection, &message);
			break;
		case WEBSOCKET_FAULT:
			end(connection, ST_UNAVAILABLE, message.why);
			return;
		}
	}
}

static void refused(struct connection *connection, unsigned http)
{
	char why[WHY_MAX];

	(void)snprintf(why, sizeof(why), "the upgrade was answered with %u",
	               http);
	end(connection, http == 401 ? ST_DENIED : ST_UNAVAILABLE, why);
}

static void take_answer(struct connection *connection, struct span bytes)
{
	struct buf *answer = &connection->answer;
	unsigned http = 0;
	size_t head;

	buf_append(answer, bytes);
	switch (upgrade_read(&connection->upgrade, buf_span(answer), &head,
	                     &http)) {
	case UPGRADE_MORE:
		if (buf_overflowed(answer))
			end(connection, ST_UNAVAILABLE, "the answer is long");
		break;
	case UPGRADE_OPEN:
		connection->state = OPEN;
		(void)uv_timer_start(&connection->timer, on_timer, SILENCE_MS,
		                     SILENCE_MS);
		take_frames(connection, answer->data + head,
		            answer->len - head);
		break;
	case UPGRADE_REFUSED:
		refused(connection, http);
		break;
	case UPGRADE_BROKEN:
		end(connection, ST_UNAVAILABLE,
		    "the upgrade's answer is broken");
		break;
	}
}

static void give_space(uv_handle_t *handle, size_t wished, uv_buf_t *ret_space)
{
	struct connection *connection = handle->data;

	(void)wished;
	*ret_space = uv_buf_init(connection->input, sizeof(connection->input));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *space)
{
	struct connection *connection = stream->data;

	if (got < 0) {
		end_uv(connection, "reading", (int)got);
	} else if (connection->state == OPEN) {
		(void)uv_timer_again(&connection->timer);
		take_frames(connection, space->base, (size_t)got);
	} else if (got) {
		take_answer(connection, span_make(space->base, (size_t)got));
	}
}

/* --- opening ------------------------------------------------------------- */
static void on_connect(uv_connect_t *connect, int status)
{
	struct connection *connection = connect->data;

	if (status == 0 && connection->state == CONNECTING) {
		connection->state = UPGRADING;
		(void)uv_tcp_nodelay(&connection->tcp, 1);
		put(connection, &connection->request);
		(void)uv_read_start((uv_stream_t *)&connection->tcp, give_space,
		                    on_read);
	} else if (status) {
		end_uv(connection, "connecting", status);
	}
	release(connection);
}

static void on_lookup(uv_getaddrinfo_t *lookup, int status,
                      struct addrinfo *found)
{
	struct connection *connection = lookup->data;
	int error = status;

	if (!error && connection->state == CONNECTING)
		error = uv_tcp_connect(&connection->connect, &connection->tcp,
		                       found->ai_addr, on_connect);
	if (!error && connection->state == CONNECTING)
		connection->held++;
	if (error)
		end_uv(connection, "connecting", error);
	uv_freeaddrinfo(found);
	release(connection);
}

static void start(struct connection *connection, uv_loop_t *loop)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC,
	                               .ai_socktype = SOCK_STREAM};
	int error;

	if (uv_tcp_init(loop, &connection->tcp) ||
	    uv_timer_init(loop, &connection->timer))
		abort();
	connection->tcp.data = connection;
	connection->timer.data = connection;
	connection->lookup.data = connection;
	connection->connect.data = connection;
	connection->held = 2;
	(void)uv_timer_start(&connection->timer, on_timer, OPEN_MS, 0);
	error = uv_getaddrinfo(loop, &connection->lookup, on_lookup,
	                       connection->address.host,
	                       connection->address.port, &hints);
	if (error)
		end_uv(connection, "looking up", error);
	else
		connection->held++;
}

struct connection *connection_create(uv_loop_t *loop,
                                     const struct address *address,
                                     struct span token,
                                     const struct connection_events *events,
                                     void *context)
{
	struct connection *connection = mem_new(sizeof(*connection));

	connection->address = *address;
	connection->events = events;
	connection->context = context;
	connection->request = BUF(REQUEST_MAX);
	connection->answer = BUF(UPGRADE_ANSWER_MAX + READ_SIZE);
	upgrade_request(&connection->upgrade, address->authority, token,
	                &connection->request);
	websocket_reader_start(&connection->reader, false, false, MESSAGE_MAX);
	start(connection, loop);
	return connection;
}

bool connection_was_cut(const struct connection *connection)
{
	return connection->cut;
}

static void say_goodbye(struct connection *connection)
{
	struct buf frame CLEANUP(buf_free) = BUF(256);
	uint8_t mask[4];
	uv_buf_t bytes;

	random_bytes(mask, sizeof(mask));
	websocket_write_close(&frame, WEBSOCKET_NORMAL, "", mask);
	bytes = uv_buf_init(frame.data, (unsigned)frame.len);
	(void)uv_try_write((uv_stream_t *)&connection->tcp, &bytes, 1);
}

void connection_destroy(struct connection **connection_at)
{
	struct connection *connection = MOVE(*connection_at);

	if (!connection)
		return;
	connection->orphan = true;
	if (connection->held == 0) {
		if (!connection->in_ended)
			mem_free(&connection);
		return;
	}
	if (connection->state == OPEN)
		say_goodbye(connection);
	end(connection, ST_OK, "");
}
