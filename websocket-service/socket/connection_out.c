#include "common/base/mem.h"
#include "common/service/log.h"
#include "common/wire/frame.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/socket/connection_private.h"

#include <utlist.h>

/* Bytes beyond queue_bytes for control frames: a close frame always fits. */
enum { CONTROL_RESERVE_BYTES = 512 };

void connection_mark_dirty(struct connection *c)
{
	if (c->dirty)
		return;
	c->dirty = true;
	DL_APPEND2(c->set->dirty, c, dirty_prev, dirty_next);
}

void connection_queue_control(struct connection *c, struct span bytes)
{
	if (send_buffer_add(&c->send_buffer, c->set->send_buffers, bytes,
	                    c->set->options.queue_bytes +
	                            CONTROL_RESERVE_BYTES))
		connection_mark_dirty(c);
}

static void too_slow(struct connection *c)
{
	log_event(LOG_WARN, "socket.too_slow", F_NUMBER("user", c->user),
	          F_NUMBER("queued", c->send_buffer.len));
	metric_count(&gateway_metrics.sockets_too_slow, 1);
	/* A peer without the whole 101 would not recognise a close frame. */
	send_buffer_cut(&c->send_buffer, c->set->send_buffers, c->response_len);
	connection_close(c, WEBSOCKET_TOO_SLOW, "too slow");
}

/* Bytes that lws keeps count as well; pings may have exceeded the bound. */
static uint32_t queue_room(const struct connection *c)
{
	uint32_t max = c->set->options.queue_bytes;

	return c->unsent < max ? max - c->unsent : 0;
}

static bool queue(struct connection *c, struct span framed)
{
	if (!send_buffer_add(&c->send_buffer, c->set->send_buffers, framed,
	                     queue_room(c)))
		return false;
	connection_mark_dirty(c);
	return true;
}

/*
 * One turn may queue more than the bound. The peer is too slow only when the
 * kernel does not take the bytes.
 */
void connection_queue(struct connection *c, struct span framed)
{
	if (queue(c, framed))
		return;
	connection_release_welcome(c);
	connection_flush(c);
	if (!queue(c, framed))
		too_slow(c);
}

void connection_send(struct connection *connection, struct span text)
{
	struct buf framed CLEANUP(buf_free) = BUF(FRAME_OUT_MAX);

	if (connection->state != STATE_OPEN)
		return;
	websocket_write(&framed, WEBSOCKET_TEXT, text, NULL);
	connection_queue(connection, buf_span(&framed));
	metric_count(&gateway_metrics.frames_out, 1);
}

void connection_send_welcome(struct connection *c, struct span session)
{
	struct buf text CLEANUP(buf_free) = BUF(1024);

	frame_welcome(&text, c->user, session, c->set->options.ping_s);
	connection_send(c, buf_span(&text));
}

void connection_release_welcome(struct connection *c)
{
	char *session CLEANUP(mem_free) = MOVE(c->session);
	struct buf rest CLEANUP(buf_free) = BUF(c->send_buffer.len);

	if (!session)
		return;
	buf_append(&rest, send_buffer_bytes(&c->send_buffer));
	buf_consume(&rest, c->response_len);
	send_buffer_cut(&c->send_buffer, c->set->send_buffers, c->response_len);
	connection_send_welcome(c, span_of(session));
	if (rest.len &&
	    send_buffer_add(&c->send_buffer, c->set->send_buffers,
	                    buf_span(&rest),
	                    UINT32_MAX)) /* `welcome` may exceed the bound */
		connection_mark_dirty(c);
}

/* While `welcome` is held back, only the 101 may leave. */
static uint32_t ready_len(const struct connection *c)
{
	return c->session ? c->response_len : c->send_buffer.len;
}

/*
 * One write for all bytes that wait; lws keeps those that the kernel does not
 * accept. The buffer always starts with a whole frame, because either all of
 * its bytes leave or none.
 */
void connection_flush(struct connection *c)
{
	if (socket_blocked(c->socket)) {
		socket_want_writable(c->socket);
		return;
	}
	c->unsent = 0;
	if (ready_len(c)) {
		uint32_t len = ready_len(c);

		if (!socket_write(c->socket,
		                  span_make(c->send_buffer.data, len))) {
			send_buffer_clear(&c->send_buffer,
			                  c->set->send_buffers);
			socket_abort(c->socket);
			return;
		}
		send_buffer_sent(&c->send_buffer, c->set->send_buffers, len);
		c->response_len = 0;
		if (socket_blocked(c->socket))
			c->unsent = len;
		metric_count(&gateway_metrics.socket_writes, 1);
	}
	if (!c->shutdown_after_flush)
		return;
	if (socket_blocked(c->socket))
		socket_want_writable(c->socket);
	else
		socket_shutdown(c->socket);
}
