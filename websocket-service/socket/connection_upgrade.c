#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/service/log.h"
#include "common/wire/frame.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/socket/connection_private.h"

#include <utlist.h>

/* --- sockets without a whole request head, oldest first ------------------ */

void connection_leave_handshakes(struct connection *c)
{
	if (!c->handshake_prev)
		return;
	DL_DELETE2(c->set->handshakes, c, handshake_prev, handshake_next);
	c->handshake_prev = NULL;
	c->set->handshake_count--;
}

/*
 * A client that only opens sockets cannot block others: a client that sends its
 * request head has done so long before it is the oldest.
 */
static void abort_oldest_handshake(struct connections *set)
{
	struct connection *c = set->handshakes;

	connection_leave_handshakes(c);
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

/* --- accepting and refusing ---------------------------------------------- */

void connection_refuse(struct connection *c, const struct upgrade_fault *fault)
{
	struct buf response CLEANUP(buf_free) = BUF(2048);

	upgrade_refuse(&response, fault);
	connection_queue_control(c, buf_span(&response));
	metric_count(&gateway_metrics.upgrades_refused, 1);
	socket_pause(c->socket, false);
	connection_start_closing(c);
}

void *connection_accept(void *connections, struct socket *socket)
{
	struct connections *set = connections;
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
	c->deadline_s = clock_mono_s() + CONNECTION_HEAD_WAIT_S;
	DL_APPEND(set->all, c);
	link_handshake(c);
	timer_wheel_set(&set->timers, &c->timer, c->deadline_s);
	metric_set(&gateway_metrics.sockets, connections_count(set));
	if (connections_count(set) > set->options.connections_max)
		connection_refuse(c, &upgrade_full);
	return c;
}

/* --- the token ----------------------------------------------------------- */

static void open_socket(struct connection *c,
                        const struct identity_response *owner)
{
	struct buf text CLEANUP(buf_free) = BUF(2048);
	struct upgrade upgrade = {.key = span_of(c->key),
	                          .subprotocol = c->subprotocol};

	c->user = owner->user;
	(void)uuid_parse(span_of(owner->session), &c->session_id);
	c->expires_at_ms = owner->expires_at_ms;
	c->received_s = clock_mono_s();
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
	/* The first ping comes at a random moment, which spreads out the pings
	   of many sockets that open together. */
	connection_plan_timer(c, clock_mono_s() + 1 +
	                                 random_u64() % c->set->options.ping_s);
	metric_count(&gateway_metrics.upgrades_opened, 1);
	connection_notify_token(c);
}

static bool has_too_many(const struct connections *set, uint64_t user)
{
	return set->options.user_sockets_max &&
	       user_connections_sockets(set->by_user, user) >=
	               set->options.user_sockets_max;
}

static void on_owner(void *context, const struct identity_response *owner)
{
	struct connection *c = context;
	const struct connections_options *options = &c->set->options;

	if (owner->status == ST_UNAVAILABLE) {
		log_event(LOG_WARN, "upgrade.identity_unavailable");
		connection_refuse(c, &upgrade_unavailable);
	} else if (owner->status != ST_OK ||
	           owner->expires_at_ms <= clock_unix_ms()) {
		log_event(LOG_WARN, "upgrade.bad_token");
		connection_refuse(c, &upgrade_unauthorized);
	} else if (!options->serves_user(options->context, owner->user)) {
		log_event(LOG_WARN, "upgrade.misdirected",
		          F_NUMBER("user", owner->user));
		connection_refuse(c, &upgrade_misdirected);
	} else if (has_too_many(c->set, owner->user)) {
		log_event(LOG_WARN, "upgrade.too_many_sockets",
		          F_NUMBER("user", owner->user));
		connection_refuse(c, &upgrade_too_many);
	} else {
		open_socket(c, owner);
	}
}

static void look_up_owner(struct connection *c, const struct upgrade *upgrade)
{
	struct identity_request request;
	struct identity_response response;

	connection_leave_handshakes(c);
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

/* --- the request head ---------------------------------------------------- */

void connection_read_head(struct connection *c, struct span bytes)
{
	static const struct upgrade_fault early = {
		400, "the client sent bytes before the response", ""};
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
