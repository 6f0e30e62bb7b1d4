/*
 * connection - one client's socket, from the accepted TCP connection through
 * the upgrade and its token to the close.
 *
 * Frames that are sent wait in a bounded outbox until connections_flush(),
 * which the loop calls once per turn: many frames, one write. A reader that is
 * too slow for its bound is closed with 4408.
 *
 * Ownership  struct connections makes and frees connections; others keep the
 *            number of one (connection_id) and ask for it.
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_SOCKET_CONNECTION_H
#define PARLEY_WEBSOCKET_SOCKET_CONNECTION_H

#include "common/base/span.h"
#include "common/base/websocket.h"
#include "common/client/identity_client.h"
#include "websocket-service/socket/rate_limits.h"
#include "websocket-service/socket/sockets.h"

#include <stdbool.h>
#include <stdint.h>

enum { HANDSHAKES_MAX = 4096 }; /* request heads that are being read */

/*
 * What a socket may send beside its messages; more is abuse, closed with 1008.
 * A ping costs an answer, a fragment only its reading.
 */
enum {
	CONTROLS_PER_S = 20,
	CONTROLS_BURST = 100,
	FRAGMENTS_PER_S = 1000,
	FRAGMENTS_BURST = 4000,
};

struct connections;
struct connection;

struct connections_options {
	struct identity_client *identity;
	const char *origins; /* must live on */
	unsigned ping_s;
	unsigned silent_s;
	uint32_t queue_bytes;
	uint32_t connections_max;
	uint32_t handshakes_max; /* past it the oldest is cut for a new one */
	/* Whether this gateway gets the user's events; if not: 421. */
	bool (*serves_user)(void *context, uint64_t user);
	/* A client's text, when its token is alive. It may be overwritten. */
	void (*text)(void *context, struct connection *connection,
	             struct span text);
	/*
	 * Once its socket is open. False: `welcome` is held back until
	 * connections_welcome(), and whatever else it is sent waits behind it.
	 */
	bool (*opened)(void *context, struct connection *connection);
	/* Of one that was opened; `last`: its user has no other. */
	void (*closed)(void *context, struct connection *connection, bool last);
	void *context;
};

extern const struct socket_events connection_events; /* for sockets_create() */

struct connections *
connections_create(const struct connections_options *options);
void connections_destroy(struct connections **connections);

/* Once per turn of the loop: sends what waits. */
void connections_flush(struct connections *connections);
/* Once per second: pings, silence, tokens that ended, slow handshakes. */
void connections_tick(struct connections *connections);
uint32_t connections_count(const struct connections *connections);
/*
 * Closes all, politely; with settled_only not those that have messages under
 * way.
 */
void connections_close_all(struct connections *connections, bool settled_only,
                           enum websocket_code code, const char *reason);

/* NULL when it is gone or no longer open. */
struct connection *connections_find(const struct connections *connections,
                                    uint64_t id);
bool connections_has_user(const struct connections *connections, uint64_t user);
/*
 * Hands a frame, already framed as a server's, to a user's sockets but `except`
 * (0: none). Returns how many got it.
 */
unsigned connections_deliver(struct connections *connections, uint64_t user,
                             struct span framed, uint64_t except);
/* Says `welcome` to those of a user's sockets that wait for it. */
void connections_welcome(struct connections *connections, uint64_t user);
/* Closes those that do not; how many. */
unsigned connections_close_welcomed(struct connections *connections,
                                    uint64_t user, enum websocket_code code,
                                    const char *reason);

uint64_t connection_id(const struct connection *connection);
uint64_t connection_user(const struct connection *connection);
struct span connection_token(const struct connection *connection);
/* Messages of this socket that are under way; for whoever counts them. */
unsigned *connection_unsettled(struct connection *connection);
/* For whoever counts what it was refused. */
struct refusals *connection_refusals(struct connection *connection);
/* One text frame. */
void connection_send(struct connection *connection, struct span text);
/* A close frame; what waits before it is still sent. */
void connection_close(struct connection *connection, enum websocket_code code,
                      const char *reason);

#endif
