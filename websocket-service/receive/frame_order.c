#include "websocket-service/receive/frame_order.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/client/identity_client.h"
#include "common/service/fault_point.h"
#include "common/wire/frame.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/receive/conversation_keys.h"
#include "websocket-service/receive/error_frame.h"
#include "websocket-service/socket/connection.h"

#include <string.h>
#include <uthash.h>
#include <utlist.h>

enum wait {
	WAIT_NONE, /* only for its turn, when it is held */
	WAIT_KEY,
	WAIT_RECIPIENT,
	WAIT_REFUSED, /* it is answered: it waits no more */
};

struct held_frame {
	struct held_frame *prev, *next; /* of the socket, in order */
	struct held_socket *socket;
	struct identity_waiter waiter;
	struct client_frame frame; /* its texts lie in `texts` */
	enum wait wait;
	uint64_t began_us;
	uint64_t until_ms; /* of WAIT_KEY */
	uint64_t asked;    /* of WAIT_KEY: as conversation_keys_ask() says */
	size_t bytes;
	char texts[];
};

/* A socket with held frames. */
struct held_socket {
	uint64_t connection;
	struct frame_order *order;
	struct held_frame *frames;
	UT_hash_handle hh;
};

struct frame_order {
	struct frame_order_options options;
	struct held_socket *sockets;
	unsigned held_count;
	size_t held_bytes;
};

struct frame_order *
frame_order_create(const struct frame_order_options *options)
{
	struct frame_order *order = mem_new(sizeof(*order));

	order->options = *options;
	return order;
}

/* --- held frames --------------------------------------------------------- */

static void drop(struct held_frame *held)
{
	struct frame_order *order = held->socket->order;

	identity_client_cancel(&held->waiter);
	DL_DELETE(held->socket->frames, held);
	order->held_count--;
	order->held_bytes -= held->bytes;
	mem_free(&held);
	metric_set(&gateway_metrics.frames_held, order->held_count);
}

static void drop_socket(struct held_socket *socket)
{
	struct frame_order *order = socket->order;

	while (socket->frames)
		drop(socket->frames);
	HASH_DEL(order->sockets, socket);
	mem_free(&socket);
}

void frame_order_destroy(struct frame_order **order)
{
	if (!*order)
		return;
	while ((*order)->sockets)
		drop_socket((*order)->sockets);
	mem_free(order);
}

static struct held_socket *find_socket(const struct frame_order *order,
                                       uint64_t connection)
{
	struct held_socket *socket;

	HASH_FIND(hh, order->sockets, &connection, sizeof(connection), socket);
	return socket;
}

static struct held_socket *get_or_make_socket(struct frame_order *order,
                                              uint64_t connection)
{
	struct held_socket *socket = find_socket(order, connection);

	if (socket)
		return socket;
	socket = mem_new(sizeof(*socket));
	socket->connection = connection;
	socket->order = order;
	HASH_ADD(hh, order->sockets, connection, sizeof(connection), socket);
	return socket;
}

static struct span copy_text(char **at, struct span text)
{
	struct span copy = span_make(*at, text.len);

	if (text.len)
		memcpy(*at, text.data, text.len);
	*at += text.len;
	return copy;
}

static struct held_frame *hold(struct frame_order *order,
                               const struct connection *connection,
                               const struct client_frame *frame, enum wait wait,
                               uint64_t began_us)
{
	size_t bytes = frame->message.len + frame->reaction.len;
	struct held_frame *held = mem_new(sizeof(*held) + bytes);
	char *at = held->texts;

	held->socket = get_or_make_socket(order, connection_id(connection));
	held->frame = *frame;
	held->frame.message = copy_text(&at, frame->message);
	held->frame.reaction = copy_text(&at, frame->reaction);
	held->frame.json = NULL;
	held->wait = wait;
	held->began_us = began_us;
	held->until_ms = clock_mono_ms() + CONVERSATION_KEYS_WAIT_MS;
	held->bytes = bytes;
	DL_APPEND(held->socket->frames, held);
	order->held_count++;
	order->held_bytes += bytes;
	metric_set(&gateway_metrics.frames_held, order->held_count);
	return held;
}

/* --- refusals ------------------------------------------------------------ */

/* `typing` has no answer. */
static void refuse(struct connection *connection,
                   const struct client_frame *frame, enum frame_code code,
                   const char *detail)
{
	if (frame_has_uuid(frame))
		error_frame_send_state(connection, &frame->uuid, code, detail);
}

/* Whether one more frame may be held; answers it otherwise. */
static bool has_room(const struct frame_order *order,
                     struct connection *connection,
                     const struct client_frame *frame)
{
	if (*connection_unsettled(connection) >= order->options.unsettled_max) {
		refuse(connection, frame,
		       frame_has_uuid(frame) ? FRAME_TOO_MANY_UNSETTLED
		                             : FRAME_UNAVAILABLE,
		       "too many messages of this socket are under way");
		return false;
	}
	if (order->held_count < FRAME_ORDER_HELD_MAX &&
	    order->held_bytes < FRAME_ORDER_HELD_BYTES)
		return true;
	refuse(connection, frame, FRAME_UNAVAILABLE,
	       "too many frames wait for a look-up");
	return false;
}

/* --- the key and the recipient ------------------------------------------- */

static enum wait name_other_user(struct connection *connection,
                                 struct client_frame *frame,
                                 const struct pair *pair)
{
	uint64_t user = connection_user(connection);

	if (pair->low == 0)
		return WAIT_NONE;
	if (!pair_has(pair, user)) {
		refuse(connection, frame, FRAME_UNKNOWN_CONVERSATION,
		       "there is no such conversation");
		return WAIT_REFUSED;
	}
	frame->user_to = pair_other(pair, user);
	if (frame->kind == CLIENT_MESSAGE)
		frame->conversation = 0;
	return WAIT_NONE;
}

static enum wait judge_recipient(struct connection *connection,
                                 const struct client_frame *frame,
                                 enum status recipient)
{
	FAULT_POINT("recipient.after");
	if (recipient == ST_OK)
		return WAIT_NONE;
	if (recipient == ST_NOT_FOUND)
		refuse(connection, frame, FRAME_UNKNOWN_USER,
		       "there is no such user");
	else
		refuse(connection, frame, FRAME_UNAVAILABLE,
		       "the recipient cannot be looked up now");
	return WAIT_REFUSED;
}

/*
 * A pair that has a conversation exists: only a message that names the user
 * needs the look-up.
 */
static enum wait look_up(const struct frame_order *order,
                         struct connection *connection,
                         struct client_frame *frame, uint64_t asked)
{
	struct identity_request request =
		identity_request_user(frame->user_to, SPAN_NONE);
	struct identity_response cached;
	struct pair pair;

	if (frame->conversation)
		return conversation_keys_find(order->options.keys,
		                              frame->conversation, asked, &pair)
		               ? name_other_user(connection, frame, &pair)
		               : WAIT_KEY;
	return identity_client_peek(order->options.identity, &request, &cached)
	               ? judge_recipient(connection, frame, cached.status)
	               : WAIT_RECIPIENT;
}

/* --- order --------------------------------------------------------------- */

/* The sender is the same, so the other user names the pair. */
static bool same_conversation(const struct client_frame *a,
                              const struct client_frame *b)
{
	return a->user_to == b->user_to &&
	       (a->user_to || a->conversation == b->conversation);
}

/* Whether the frame has to wait for one of those held before `end`. */
static bool waits_behind(const struct held_socket *socket,
                         const struct client_frame *frame,
                         const struct held_frame *end)
{
	const struct held_frame *held;

	for (held = socket->frames; held && held != end; held = held->next)
		if (held->wait == WAIT_KEY ||
		    same_conversation(&held->frame, frame))
			return true;
	return false;
}

/* Passes on what waits no more, in order. */
static void drain(struct held_socket *socket)
{
	struct frame_order *order = socket->order;
	struct connection *connection = connections_find(
		order->options.connections, socket->connection);
	struct held_frame *held, *next;

	for (held = socket->frames; held && connection; held = next) {
		next = held->next;
		if (held->wait == WAIT_KEY)
			held->wait = look_up(order, connection, &held->frame,
			                     held->asked);
		if (held->wait == WAIT_KEY || held->wait == WAIT_RECIPIENT ||
		    (held->wait == WAIT_NONE &&
		     waits_behind(socket, &held->frame, held)))
			continue;
		(*connection_unsettled(connection))--;
		if (held->wait == WAIT_NONE)
			order->options.pass(order->options.context, connection,
			                    &held->frame, held->began_us);
		drop(held);
		/* Passing a frame on may have closed the socket. */
		connection = connections_find(order->options.connections,
		                              socket->connection);
	}
	if (!connection || !socket->frames)
		drop_socket(socket);
}

static void on_recipient(void *context,
                         const struct identity_response *response)
{
	struct held_frame *held = context;
	struct held_socket *socket = held->socket;
	struct connection *connection = connections_find(
		socket->order->options.connections, socket->connection);

	if (connection)
		held->wait = judge_recipient(connection, &held->frame,
		                             response->status);
	drain(socket);
}

static void ask_recipient(struct frame_order *order,
                          const struct connection *connection,
                          struct held_frame *held)
{
	struct identity_request request = identity_request_user(
		held->frame.user_to, connection_token(connection));
	struct identity_response response;

	held->waiter.done = on_recipient;
	held->waiter.context = held;
	if (identity_client_get(order->options.identity, &request,
	                        &held->waiter, &response))
		on_recipient(held, &response);
}

void frame_order_take(struct frame_order *order, struct connection *connection,
                      const struct client_frame *received, uint64_t began_us)
{
	struct client_frame frame = *received;
	enum wait wait = look_up(order, connection, &frame, 0);
	const struct held_socket *socket =
		order->held_count
			? find_socket(order, connection_id(connection))
			: NULL;
	struct held_frame *held;
	uint64_t asked = 0;

	if (wait == WAIT_REFUSED)
		return;
	if (wait == WAIT_NONE &&
	    !(socket && waits_behind(socket, &frame, NULL))) {
		order->options.pass(order->options.context, connection, &frame,
		                    began_us);
		return;
	}
	if (!has_room(order, connection, &frame))
		return;
	if (wait == WAIT_KEY)
		asked = conversation_keys_ask(order->options.keys,
		                              connection_user(connection),
		                              frame.conversation);
	if (wait == WAIT_KEY && !asked) {
		refuse(connection, &frame, FRAME_UNAVAILABLE,
		       "too many conversations are being looked up");
		return;
	}
	(*connection_unsettled(connection))++;
	held = hold(order, connection, &frame, wait, began_us);
	held->asked = asked;
	if (wait == WAIT_RECIPIENT)
		ask_recipient(order, connection, held);
}

void frame_order_keys_known(struct frame_order *order)
{
	struct held_socket *socket, *next;

	HASH_ITER (hh, order->sockets, socket, next)
		drain(socket);
}

static void refuse_late(struct held_socket *socket, uint64_t now_ms)
{
	struct connection *connection = connections_find(
		socket->order->options.connections, socket->connection);
	struct held_frame *held;

	DL_FOREACH (socket->frames, held)
		if (connection && held->wait == WAIT_KEY &&
		    held->until_ms <= now_ms) {
			refuse(connection, &held->frame, FRAME_UNAVAILABLE,
			       "the conversation cannot be looked up now");
			held->wait = WAIT_REFUSED;
		}
	drain(socket);
}

void frame_order_tick(struct frame_order *order)
{
	uint64_t now_ms = clock_mono_ms();
	struct held_socket *socket, *next;

	HASH_ITER (hh, order->sockets, socket, next)
		refuse_late(socket, now_ms);
}
