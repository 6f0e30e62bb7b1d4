/*
 * connection_private - what the files of the connection module share.
 *
 * connection.c      one socket's life: upgrade, frames in, close, deadlines
 * connection_out.c  what it is sent: the outbox, one write per turn
 * connections.c     the set of them
 */
#ifndef PARLEY_WEBSOCKET_SOCKET_CONNECTION_PRIVATE_H
#define PARLEY_WEBSOCKET_SOCKET_CONNECTION_PRIVATE_H

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/token_bucket.h"
#include "common/base/websocket.h"
#include "common/client/identity_client.h"
#include "websocket-service/socket/connection.h"
#include "websocket-service/socket/send_buffer.h"
#include "websocket-service/socket/slot_map.h"
#include "websocket-service/socket/sockets.h"
#include "websocket-service/socket/timer_wheel.h"
#include "websocket-service/socket/upgrade.h"
#include "websocket-service/socket/user_connections.h"

/* Sockets past connections_max, while they are told so. */
enum { CONNECTION_REFUSED_MAX = 1024 };

enum state {
	STATE_HEAD,   /* reading the HTTP request */
	STATE_LOOKUP, /* asking whose token it is */
	STATE_OPEN,
	STATE_CLOSING, /* our close frame is written, input is dropped */
};

struct connection {
	/* What an event for it touches, side by side: rooms are large, caches
	   are not. */
	struct user_link link;
	struct connections *set;
	struct connection *dirty_next;
	struct send_buffer send_buffer;
	struct socket *socket;
	uint64_t id;
	uint32_t unsent;       /* bytes that lws still keeps, at most */
	uint16_t response_len; /* of our 101, until it is written */
	uint8_t state;
	bool dirty;
	bool shutdown_after_flush; /* no more from us once the outbox is empty
	                            */

	bool subprotocol;
	bool ignored_logged;
	struct connection *prev, *next; /* all of them */
	struct connection *handshake_prev,
		*handshake_next; /* those in STATE_HEAD */
	struct timer_wheel_entry timer;
	struct identity_waiter waiter;
	struct websocket_reader reader;
	struct token_bucket controls, fragments;
	struct buf head;
	char *token;
	char *session; /* not NULL: `welcome` is unsent back */
	uint64_t user;
	uint64_t expires_at_ms; /* unix */
	uint64_t received_s;
	uint64_t deadline_s;    /* of STATE_HEAD and STATE_CLOSING */
	uint64_t token_ended_s; /* when its token was found ended; 0: not yet */
	unsigned unsettled;
	struct refusals refusals;
	char key[25];
};

struct connections {
	struct connections_options options;
	struct connection *all;
	struct connection *dirty;
	struct connection *handshakes; /* the oldest first */
	uint32_t handshake_count;
	struct slot_map *by_id;
	struct user_connections *by_user;
	struct send_buffer_pool *send_buffers;
	struct timer_wheel timers;
	uint64_t received_floor_s;
};

static inline uint64_t connection_now_s(void)
{
	return clock_mono_ms() / 1000;
}

/* connection.c */
void connection_refuse(struct connection *c, const struct upgrade_fault *fault);
void connection_due(void *context, struct timer_wheel_entry *item);

/* connection_out.c: bytes that are framed already. */
void connection_queue(struct connection *c, struct span framed);
/* The same for what passes a full queue: a close, a ping, an HTTP answer. */
void connection_queue_control(struct connection *c, struct span bytes);
void connection_mark_dirty(struct connection *c);
void connection_send_welcome(struct connection *c, struct span session);
/* What has waited for `welcome` follows it. */
void connection_release_welcome(struct connection *c);
void connection_flush(struct connection *c);

#endif
