/*
 * connection_fixture - connections, with fake sockets, clocks and
 * identity-service. A test plays the peers: they arrive, say bytes, read what
 * was sent to them, and leave.
 */
#ifndef PARLEY_WEBSOCKET_SOCKET_TESTS_CONNECTION_FIXTURE_H
#define PARLEY_WEBSOCKET_SOCKET_TESTS_CONNECTION_FIXTURE_H

#include "common/base/buf.h"
#include "common/base/websocket.h"
#include "common/client/identity_client.h"
#include "websocket-service/socket/connection_private.h"
#include "websocket-service/socket/upgrade.h"

enum {
	QUEUE_BYTES = 65536,
	CONNECTIONS_MAX = 8,
	USER_SOCKETS_MAX = 6,
	HEADS_MAX = 3,
	PING_S = 25,
	SILENT_S = 60,
	FLOOD_MAX = 1024 * 1024, /* bytes that a test sends at once */
};

#define REQUEST \
	"GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n" \
	"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define HEAD REQUEST "Authorization: Bearer tok\r\n\r\n"

int connection_fixture_start(void **state); /* before each test */
int connection_fixture_stop(void **state);  /* after it */

/* --- identity ------------------------------------------------------------ */
extern struct identity_response owner; /* of the token */
extern bool answers_at_once;
extern struct identity_waiter *waiting; /* the last that asked */
extern unsigned asked;                  /* times */

/* Answers the last that asked. */
void identity_answers(enum status status);

/* --- the gateway --------------------------------------------------------- */
extern struct connections *set;
extern struct buf received;       /* texts that were passed on, each with a | */
extern struct connection *opened; /* the latest */
extern uint64_t not_served;       /* a user of another gateway; 0: none */
extern bool holds_welcome;        /* of the next connection */
extern unsigned closed_count;
extern bool closed_last;

void seconds_pass(unsigned seconds);

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

extern struct socket sockets[CONNECTIONS_MAX + 2];

struct socket *arrives(unsigned i);
/* An open socket whose answer and `welcome` have been read. */
struct socket *opens(unsigned i);
void peer_leaves(struct socket *socket);
void says(struct socket *socket, struct span bytes);
void says_frame(struct socket *socket, enum websocket_op op,
                struct span payload);
void says_fragment(struct socket *socket, enum websocket_op op);
void blocks(struct socket *socket, bool blocked);

/* Flushes; the bytes that were sent since the last reading. */
struct span unread(struct socket *socket);
/* The next frame that the peer gets; its payload lives until the next call. */
struct websocket_message next_frame(struct socket *socket);
bool has(struct span text, const char *part);
void refused_with(struct socket *socket, unsigned http);
/* Without an answer of the peer. */
void gets_close_only(struct socket *socket, unsigned code);
/* Our side ends at once, or else when the peer has answered. */
void gets_close(struct socket *socket, unsigned code);

#endif
