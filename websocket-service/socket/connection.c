#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/service/log.h"
#include "common/wire/frame.h"
#include "common/wire/identity.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/socket/connection_private.h"

#include <utlist.h>

enum {
	HEAD_WAIT_S = 10,  /* for the whole request head */
	CLOSE_WAIT_S = 3,  /* for the peer's side of a close */
	TOKEN_GRACE_S = 2, /* between a token's end and the close */
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

/* --- the handshakes of requests, oldest first
 * --------------------------------- */

static void unlink_handshake(struct connection *c)
{
	if (!c->handshake_prev)
		return;
	DL_DELETE2(c->set->handshakes, c, handshake_prev, handshake_next);
	c->handshake_prev = NULL;
	c->set->handshake_count--;
}

/*
 * Who only opens sockets keeps nobody out: a head that is sent at all is there
 * long before it is the oldest.
 */
static void abort_oldest_handshake(struct connections *set)
{
	struct connection *c = set->handshakes;

	unlink_handshake(c);
	c->state = STATE_CLOSING;
	metric_count(&gateway_metrics.upgrades_refused, 1);
	socket_abort(c->socket);
}

static void link_handshake(struct connection *c)
{
	DL_APPEND2(c->set->handshakes, c, handshake_prev, handshake_next);
	if (++c->set->handshake_count > c->set->options.handshakes_max)
		abort_oldest_handshake(c->set);
}

/* --- closing ------------------------------------------------------------- */

/* Nothing is delivered to it any more. */
static void unlink_user(struct connection *c)
{
	struct connections_options *options = &c->set->options;

	if (!c->link.user)
		return;
	user_connections_remove(c->set->by_user, &c->link);
	options->closed(options->context, c,
	                !user_connections_find(c->set->by_user, c->user));
}

/* Nothing is read or delivered any more; the peer may take its time. */
static void start_closing(struct connection *c)
{
	unlink_handshake(c);
	c->state = STATE_CLOSING;
	c->shutdown_after_flush = true;
	c->deadline_s = connection_now_s() + CLOSE_WAIT_S;
	unlink_user(c);
	identity_client_cancel(&c->waiter);
	websocket_reader_free(&c->reader);
	mem_free(&c->session);
	timer_wheel_set(&c->set->timers, &c->timer, c->deadline_s);
	connection_mark_dirty(c);
}

void connection_close(struct connection *connection, enum websocket_code code,
                      const char *reason)
{
	struct buf frame CLEANUP(buf_free) = BUF(256);

	if (connection->state != STATE_OPEN)
		return;
	if (connection->session) /* nothing comes before `welcome` */
		send_buffer_cut(&connection->send_buffer,
		                connection->set->send_buffers,
		                connection->response_len);
	websocket_write_close(&frame, code, reason, NULL);
	connection_queue_control(connection, buf_span(&frame));
	metric_count(&gateway_metrics.sockets_closed, 1);
	start_closing(connection);
}

void connection_refuse(struct connection *c, const struct upgrade_fault *fault)
{
	struct buf answer CLEANUP(buf_free) = BUF(2048);

	upgrade_refuse(&answer, fault);
	connection_queue_control(c, buf_span(&answer));
	metric_count(&gateway_metrics.upgrades_refused, 1);
	socket_pause(c->socket, false);
	start_closing(c);
}

static void on_closed(void *connection)
{
	struct connection *c = connection;
	struct connections *set = c->set;

	if (c->dirty)
		LL_DELETE2(set->dirty, c, dirty_next);
	unlink_handshake(c);
	identity_client_cancel(&c->waiter);
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

/* --- opening ------------------------------------------------------------- */

static void *on_opened(void *context, struct socket *socket)
{
	struct connections *set = context;
	struct connection *c;

	c = mem_new(sizeof(*c));
	c->id = slot_map_add(set->by_id, c);
	if (!c->id) {
		metric_count(&gateway_metrics.upgrades_refused, 1);
		mem_free(&c);
		return NULL;
	}
	c->set = set;
	c->socket = socket;
	c->head = BUF(UPGRADE_HEAD_MAX);
	c->deadline_s = connection_now_s() + HEAD_WAIT_S;
	DL_APPEND(set->all, c);
	link_handshake(c);
	timer_wheel_set(&set->timers, &c->timer, c->deadline_s);
	metric_set(&gateway_metrics.sockets, connections_count(set));
	if (connections_count(set) > set->options.connections_max)
		connection_refuse(c, &upgrade_full);
	return c;
}

static uint64_t token_end_s(const struct connection *c)
{
	uint64_t now_ms = clock_unix_ms();

	if (c->expires_at_ms <= now_ms)
		return connection_now_s();
	return connection_now_s() + (c->expires_at_ms - now_ms + 999) / 1000;
}

/* While we were stopped nobody could be heard. */
static uint64_t silent_from_s(const struct connection *c)
{
	uint64_t floor_s = c->set->received_floor_s;

	return (c->received_s > floor_s ? c->received_s : floor_s) +
	       c->set->options.silent_s;
}

/* The next moment at which check_open() has something to do. */
static void plan_check(struct connection *c, uint64_t ping_at_s)
{
	uint64_t due_s = token_end_s(c);

	if (ping_at_s < due_s)
		due_s = ping_at_s;
	if (silent_from_s(c) < due_s)
		due_s = silent_from_s(c);
	timer_wheel_set(&c->set->timers, &c->timer, due_s);
}

static void open_socket(struct connection *c,
                        const struct identity_response *owner)
{
	struct buf text CLEANUP(buf_free) = BUF(2048);
	struct upgrade upgrade = {.key = span_of(c->key),
	                          .subprotocol = c->subprotocol};

	c->user = owner->user;
	c->expires_at_ms = owner->expires_at_ms;
	c->received_s = connection_now_s();
	c->state = STATE_OPEN;
	websocket_reader_start(&c->reader, true, false, FRAME_MAX);
	user_connections_add(c->set->by_user, c->user, &c->link);
	upgrade_accept(&text, &upgrade);
	c->response_len = (uint16_t)text.len;
	connection_queue(c, buf_span(&text));
	if (c->set->options.opened(c->set->options.context, c))
		connection_send_welcome(c, span_of(owner->session));
	else
		c->session = mem_text(owner->session, strlen(owner->session));
	socket_pause(c->socket, false);
	/* The first ping at a random moment: a storm of sockets spreads out. */
	plan_check(c, connection_now_s() + 1 +
	                      random_u64() % c->set->options.ping_s);
	metric_count(&gateway_metrics.upgrades_opened, 1);
}

static void admit(struct connection *c, const struct identity_response *owner)
{
	struct connections_options *options = &c->set->options;

	if (options->serves_user(options->context, owner->user)) {
		open_socket(c, owner);
		return;
	}
	log_event(LOG_WARN, "upgrade.misdirected",
	          F_NUMBER("user", owner->user));
	connection_refuse(c, &upgrade_misdirected);
}

static void on_owner(void *context, const struct identity_response *response)
{
	struct connection *c = context;

	if (response->status == ST_OK &&
	    response->expires_at_ms > clock_unix_ms()) {
		admit(c, response);
		return;
	}
	if (response->status == ST_UNAVAILABLE) {
		log_event(LOG_WARN, "upgrade.identity_unavailable");
		connection_refuse(c, &upgrade_unavailable);
		return;
	}
	log_event(LOG_WARN, "upgrade.bad_token");
	connection_refuse(c, &upgrade_unauthorized);
}

static void look_up_owner(struct connection *c, const struct upgrade *upgrade)
{
	struct identity_request request;
	struct identity_response response;

	unlink_handshake(c);
	c->state = STATE_LOOKUP;
	c->subprotocol = upgrade->subprotocol;
	memcpy(c->key, upgrade->key.data, sizeof(c->key) - 1);
	if (upgrade->token.len == 0) {
		log_event(LOG_WARN, "upgrade.no_token");
		connection_refuse(c, &upgrade_unauthorized);
		return;
	}
	c->token = mem_text(upgrade->token.data, upgrade->token.len);
	request = identity_request_owner(connection_token(c));
	c->waiter.done = on_owner;
	c->waiter.context = c;
	if (identity_client_get(c->set->options.identity, &request, &c->waiter,
	                        &response))
		on_owner(c, &response);
	else
		socket_pause(c->socket, true);
}

static void read_head(struct connection *c, struct span bytes)
{
	static const struct upgrade_fault early = {
		400, "bytes follow the request head", ""};
	struct upgrade upgrade;
	struct upgrade_fault fault;
	size_t len;

	buf_append(&c->head, bytes);
	if (buf_overflowed(&c->head)) {
		connection_refuse(c, &upgrade_head_too_large);
		return;
	}
	len = upgrade_head_len(buf_span(&c->head));
	if (len == 0)
		return;
	if (len < c->head.len)
		connection_refuse(c, &early);
	else if (!upgrade_read(buf_span(&c->head), c->set->options.origins,
	                       &upgrade, &fault))
		connection_refuse(c, &fault);
	else
		look_up_owner(c, &upgrade);
	buf_free(&c->head);
}

/* --- what comes in ------------------------------------------------------- */

static bool token_ended(struct connection *c)
{
	if (c->expires_at_ms > clock_unix_ms())
		return false;
	if (!c->token_ended_s) {
		log_event(LOG_WARN, "socket.token_ended",
		          F_NUMBER("user", c->user));
		c->token_ended_s = connection_now_s();
	}
	return true;
}

static void on_text(struct connection *c, struct span text)
{
	metric_count(&gateway_metrics.frames_in, 1);
	if (token_ended(c)) {
		if (!c->ignored_logged)
			log_event(LOG_WARN, "frame.ignored_token_ended",
			          F_NUMBER("user", c->user));
		c->ignored_logged = true; /* one line, however many frames */
		return;
	}
	c->set->options.text(c->set->options.context, c, text);
}

static void on_message(struct connection *c,
                       const struct websocket_message *message)
{
	struct buf pong CLEANUP(buf_free) = BUF(256);

	switch (message->op) {
	case WEBSOCKET_TEXT:
		on_text(c, message->payload);
		break;
	case WEBSOCKET_PING:
		websocket_write(&pong, WEBSOCKET_PONG, message->payload, NULL);
		connection_queue(c, buf_span(&pong));
		break;
	case WEBSOCKET_CLOSE:
		connection_close(c,
		                 message->code == WEBSOCKET_NO_CODE
		                         ? WEBSOCKET_NORMAL
		                         : message->code,
		                 "");
		break;
	default:
		break; /* a pong: that it came is all we wanted */
	}
}

static void on_fault(struct connection *c, enum websocket_code code,
                     const char *why)
{
	log_event(LOG_WARN, "socket.fault", F_NUMBER("user", c->user),
	          F_NUMBER("code", (unsigned)code), F_TEXT("why", why));
	connection_close(c, code, why);
}

/* Whether there were too many frames that are no message of their own. */
static bool is_flood(struct connection *c)
{
	static const struct token_bucket_rate control_rate = {CONTROLS_PER_S,
	                                                      CONTROLS_BURST};
	static const struct token_bucket_rate fragment_rate = {FRAGMENTS_PER_S,
	                                                       FRAGMENTS_BURST};
	uint32_t controls = c->reader.controls;
	uint32_t fragments = c->reader.fragments;

	if (!controls && !fragments)
		return false;
	c->reader.controls = 0;
	c->reader.fragments = 0;
	return !token_bucket_take(&c->controls, &control_rate, controls,
	                          c->received_s) ||
	       !token_bucket_take(&c->fragments, &fragment_rate, fragments,
	                          c->received_s);
}

/* Nothing more is read from it: what it sends waits at its own end. */
static void on_flood(struct connection *c)
{
	on_fault(c, WEBSOCKET_POLICY, "too many control frames or fragments");
	socket_pause(c->socket, true);
}

static void read_frames(struct connection *c, char *data, size_t len)
{
	struct websocket_message message;
	enum websocket_event event;

	c->received_s = connection_now_s();
	while (c->state == STATE_OPEN) {
		event = websocket_read(&c->reader, &data, &len, &message);
		if (event == WEBSOCKET_FAULT)
			on_fault(c, message.code, message.why);
		else if (is_flood(c))
			on_flood(c);
		else if (event == WEBSOCKET_MESSAGE)
			on_message(c, &message);
		else
			return;
	}
}

static bool on_received(void *connection, char *data, size_t len)
{
	struct connection *c = connection;

	if (c->state == STATE_HEAD)
		read_head(c, span_make(data, len));
	else if (c->state == STATE_OPEN)
		read_frames(c, data, len);
	return true; /* else: dropped, until the peer is done */
}

static void on_writable(void *connection)
{
	connection_flush(connection);
}

const struct socket_events connection_events = {
	.opened = on_opened,
	.received = on_received,
	.writable = on_writable,
	.closed = on_closed,
};

/* --- time ---------------------------------------------------------------- */

static void check_open(struct connection *c, uint64_t now)
{
	static const char ping[PING_LEN] = {(char)(0x80 | WEBSOCKET_PING), 0};
	const struct connections_options *options = &c->set->options;

	if (token_ended(c)) {
		if (now >= c->token_ended_s + TOKEN_GRACE_S)
			connection_close(c, WEBSOCKET_TOKEN_ENDED,
			                 "the token has ended");
		else
			timer_wheel_set(&c->set->timers, &c->timer, now + 1);
		return;
	}
	if (now >= silent_from_s(c)) {
		log_event(LOG_INFO, "socket.silent", F_NUMBER("user", c->user));
		socket_abort(c->socket);
		return;
	}
	connection_queue_control(c, span_make(ping, PING_LEN));
	plan_check(c, now + options->ping_s);
}

void connection_due(void *context, struct timer_wheel_entry *item)
{
	struct connection *c = CONTAINER_OF(item, struct connection, timer);
	uint64_t now = connection_now_s();

	(void)context;
	if (c->state == STATE_OPEN)
		check_open(c, now);
	else if (c->state == STATE_LOOKUP)
		timer_wheel_set(&c->set->timers, &c->timer, now + HEAD_WAIT_S);
	else if (now >= c->deadline_s)
		socket_abort(c->socket);
	else
		timer_wheel_set(&c->set->timers, &c->timer, c->deadline_s);
}
