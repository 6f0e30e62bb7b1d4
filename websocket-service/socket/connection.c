#include "common/base/mem.h"
#include "common/service/log.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/socket/connection_private.h"

#include <utlist.h>

enum {
	CLOSE_WAIT_S = 3,  /* for the peer's part of a close */
	TOKEN_GRACE_S = 2, /* between the end of a token and the close */
	PING_LEN = 2,
};

uint64_t connection_id(const struct connection *connection)
{
	return connection->id;
}

uint64_t connection_user(const struct connection *connection)
{
	return connection->user;
}

struct span connection_token(const struct connection *connection)
{
	return span_of(connection->token);
}

unsigned *connection_unsettled(struct connection *connection)
{
	return &connection->unsettled;
}

struct refusals *connection_refusals(struct connection *connection)
{
	return &connection->refusals;
}

/* --- closing ------------------------------------------------------------- */

/* Deliveries to the user no longer reach it. */
static void unlink_user(struct connection *c)
{
	struct connections_options *options = &c->set->options;

	if (!c->link.user)
		return;
	user_connections_remove(c->set->by_user, &c->link);
	options->closed(options->context, c,
	                !user_connections_find(c->set->by_user, c->user));
}

void connection_finish_closing(struct connection *c)
{
	websocket_reader_free(&c->reader);
	c->unreadable = true;
	c->shutdown_after_flush = true;
	connection_mark_dirty(c);
}

void connection_start_closing(struct connection *c)
{
	bool was_open = c->state == STATE_OPEN;

	connection_leave_handshakes(c);
	c->state = STATE_CLOSING;
	c->deadline_s = clock_mono_s() + CLOSE_WAIT_S;
	unlink_user(c);
	identity_client_cancel(&c->waiter);
	connection_drop_new_tokens(c);
	mem_free(&c->session);
	timer_wheel_set(&c->set->timers, &c->timer, c->deadline_s);
	if (!was_open || c->unreadable)
		connection_finish_closing(c);
	else
		connection_mark_dirty(c);
}

void connection_close(struct connection *connection, enum websocket_code code,
                      const char *reason)
{
	struct buf frame CLEANUP(buf_free) = BUF(256);

	if (connection->state != STATE_OPEN)
		return;
	if (connection->session) /* without `welcome` only the close is sent */
		send_buffer_cut(&connection->send_buffer,
		                connection->set->send_buffers,
		                connection->response_len);
	websocket_write_close(&frame, code, reason, NULL);
	connection_queue_control(connection, buf_span(&frame));
	metric_count(&gateway_metrics.sockets_closed, 1);
	connection_start_closing(connection);
}

static void on_closed(void *connection)
{
	struct connection *c = connection;
	struct connections *set = c->set;

	if (c->dirty)
		DL_DELETE2(set->dirty, c, dirty_prev, dirty_next);
	if (set->to_close == c)
		set->to_close = c->next;
	connection_leave_handshakes(c);
	identity_client_cancel(&c->waiter);
	connection_drop_new_tokens(c);
	unlink_user(c);
	timer_wheel_clear(&set->timers, &c->timer);
	websocket_reader_free(&c->reader);
	send_buffer_clear(&c->send_buffer, set->send_buffers);
	buf_free(&c->head);
	mem_free(&c->token);
	mem_free(&c->session);
	slot_map_remove(set->by_id, c->id);
	DL_DELETE(set->all, c);
	mem_free(&c);
	metric_set(&gateway_metrics.sockets, connections_count(set));
}

/* --- deadlines ----------------------------------------------------------- */

/* While the process was stopped, it could not receive anything. */
static uint64_t silent_at_s(const struct connection *c)
{
	uint64_t floor_s = c->set->received_floor_s;

	return (c->received_s > floor_s ? c->received_s : floor_s) +
	       c->set->options.silent_s;
}

void connection_plan_timer(struct connection *c, uint64_t ping_at_s)
{
	uint64_t due_s = connection_token_due_s(c);

	if (ping_at_s < due_s)
		due_s = ping_at_s;
	if (silent_at_s(c) < due_s)
		due_s = silent_at_s(c);
	timer_wheel_set(&c->set->timers, &c->timer, due_s);
}

/* Of all timers due, an abort is the one that takes long. */
static void abort_in_time(struct connection *c)
{
	socket_abort(c->socket);
	timer_wheel_spend(&c->set->timers, CONNECTION_ABORT_COST);
}

static void check_open(struct connection *c, uint64_t now)
{
	static const char ping[PING_LEN] = {(char)(0x80 | WEBSOCKET_PING), 0};
	const struct connections_options *options = &c->set->options;

	if (connection_token_ended(c)) {
		if (now >= c->token_ended_s + TOKEN_GRACE_S)
			connection_close(c, WEBSOCKET_TOKEN_ENDED,
			                 "token_ended");
		else
			timer_wheel_set(&c->set->timers, &c->timer, now + 1);
		return;
	}
	if (now >= silent_at_s(c)) {
		log_event(LOG_INFO, "socket.silent", F_NUMBER("user", c->user));
		abort_in_time(c);
		return;
	}
	connection_queue_control(c, span_make(ping, PING_LEN));
	connection_notify_token(c);
	if (c->state == STATE_OPEN)
		connection_plan_timer(c, now + options->ping_s);
}

void connection_on_timer(void *context, struct timer_wheel_entry *timer)
{
	struct connection *c = CONTAINER_OF(timer, struct connection, timer);
	uint64_t now = clock_mono_s();

	(void)context;
	if (c->state == STATE_OPEN)
		check_open(c, now);
	else if (c->state == STATE_LOOKUP)
		timer_wheel_set(&c->set->timers, &c->timer,
		                now + CONNECTION_HEAD_WAIT_S);
	else if (now >= c->deadline_s)
		abort_in_time(c);
	else
		timer_wheel_set(&c->set->timers, &c->timer, c->deadline_s);
}

/* --- events of the socket ------------------------------------------------ */

/* Past the bound, further bytes stay in the peer's kernel until the deadline.
 */
static void discard(struct connection *c, char *data, size_t len)
{
	c->lingered_bytes += len;
	if (c->lingered_bytes > CONNECTION_LINGER_BYTES)
		socket_pause(c->socket, true);
	else if (!c->unreadable)
		connection_discard_frames(c, data, len);
}

static bool on_received(void *connection, char *data, size_t len)
{
	struct connection *c = connection;

	if (c->state == STATE_HEAD)
		connection_read_head(c, span_make(data, len));
	else if (c->state == STATE_OPEN)
		connection_read_frames(c, data, len);
	else if (c->state == STATE_CLOSING)
		discard(c, data, len);
	return true;
}

static void on_writable(void *connection)
{
	connection_flush(connection);
}

const struct socket_events connection_events = {
	.opened = connection_accept,
	.received = on_received,
	.writable = on_writable,
	.closed = on_closed,
};
