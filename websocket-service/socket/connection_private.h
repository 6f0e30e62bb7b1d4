/*
 * connection_private - what the files of the connection module share.
 *
 * connection.c          close, deadlines, events of the socket
 * connection_upgrade.c  from the accepted socket to 101 or a refusal
 * connection_in.c       frames from the client
 * connection_token.c    the end of the token, and a new token in its place
 * connection_out.c      bytes to the client: one write per turn
 * connections.c         the set of all connections
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

enum {
	/* Sockets past connections_max, while they are being refused. */
	CONNECTION_REFUSED_MAX = 1024,
	CONNECTION_HEAD_WAIT_S = 10, /* for the whole request head */
	/* Bytes that are read and discarded after our close or refusal. */
	CONNECTION_LINGER_BYTES = 1024 * 1024,
};

enum state {
	STATE_HEAD,    /* reading the request head */
	STATE_LOOKUP,  /* waiting for the owner of the token */
	STATE_OPEN,    /* 101 is sent or queued */
	STATE_CLOSING, /* a close or a refusal is queued, input is discarded */
};

struct connection {
	/* The members that an event touches stand together: large rooms, small
	   caches. */
	struct user_link link;
	struct connections *set;
	struct connection *dirty_prev, *dirty_next;
	struct send_buffer send_buffer;
	struct socket *socket;
	uint64_t id;
	uint32_t unsent;       /* upper bound of the bytes that lws keeps */
	uint16_t response_len; /* of the 101, until it is written */
	uint8_t state;
	bool dirty;
	bool shutdown_after_flush;
	bool unreadable; /* what follows is no frame, or not to be read */

	bool subprotocol;
	bool ignored_logged;
	bool token_notified; /* the client knows that the token ends soon */
	struct connection *prev, *next; /* in `all` */
	/* In `handshakes`, while in STATE_HEAD. */
	struct connection *handshake_prev, *handshake_next;
	struct timer_wheel_entry timer;
	struct identity_waiter waiter; /* of the upgrade, then of new tokens */
	struct websocket_reader reader;
	struct token_bucket controls, fragments;
	struct buf head;
	char *token;
	struct new_token *new_tokens; /* the first one is looked up */
	unsigned new_token_count;
	char *session; /* not NULL: `welcome` is held back */
	struct uuid session_id;
	uint64_t user;
	uint64_t expires_at_ms; /* unix */
	uint64_t received_s;
	uint64_t lingered_bytes; /* in STATE_CLOSING */
	uint64_t deadline_s;     /* in STATE_HEAD and STATE_CLOSING */
	uint64_t token_ended_s;  /* when the end was noticed; 0: not yet */
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
	uint64_t received_floor_s; /* the process was stopped until then */
	uint64_t ticked_s;
	/* connections_close_all() goes on here; NULL: it is done. */
	struct connection *to_close;
	bool settled_only;
	enum websocket_code close_code;
	const char *close_reason;
};

/* connection.c */
/*
 * Ends delivery. The peer has CLOSE_WAIT_S to read what is queued and to close.
 * Meanwhile its bytes are read and discarded, up to CONNECTION_LINGER_BYTES:
 * with unread bytes, closing the socket would reset it, and the peer would lose
 * our close frame. A proxy closes both sides when we end ours, so our side ends
 * after the peer's close frame, if we can still read that.
 */
void connection_start_closing(struct connection *c);
/* The peer's close frame has arrived, or can no longer be read. */
void connection_finish_closing(struct connection *c);
/* Sets the timer for the ping, or for an earlier deadline. */
void connection_plan_timer(struct connection *c, uint64_t ping_at_s);
void connection_on_timer(void *context, struct timer_wheel_entry *timer);

/* connection_upgrade.c */
/* NULL when there are too many connections. */
void *connection_accept(void *connections, struct socket *socket);
void connection_read_head(struct connection *c, struct span bytes);
void connection_refuse(struct connection *c, const struct upgrade_fault *fault);
void connection_leave_handshakes(struct connection *c);

/* connection_in.c */
void connection_read_frames(struct connection *c, char *data, size_t len);
/* In STATE_CLOSING: looks for the peer's close frame. */
void connection_discard_frames(struct connection *c, char *data, size_t len);

/* connection_token.c */
/* Whether the token has expired; the first call that notices it logs it. */
bool connection_token_ended(struct connection *c);
/* When the next event of the token is due: the notice, or its end. */
uint64_t connection_token_due_s(const struct connection *c);
/* Sends the notice, once for each token, if it is due. */
void connection_notify_token(struct connection *c);
void connection_drop_new_tokens(struct connection *c);

/* connection_out.c */
/* Queues framed bytes. A peer that is too slow for its bound is closed. */
void connection_queue(struct connection *c, struct span framed);
/* Queues a close, a ping or an HTTP response, also past the bound. */
void connection_queue_control(struct connection *c, struct span bytes);
void connection_mark_dirty(struct connection *c);
void connection_send_welcome(struct connection *c, struct span session);
/* Sends a `welcome` that is held back, before the frames that wait. */
void connection_release_welcome(struct connection *c);
void connection_flush(struct connection *c);

#endif
