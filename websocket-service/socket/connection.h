/*
 * connection - one client's socket, from the accepted TCP connection through
 * the upgrade and the look-up of its token to the close.
 *
 * Frames to the client wait in a bounded send buffer until connections_flush(),
 * which the loop calls once per turn: many frames, one write. A client that
 * reads too slowly for the bound is closed with 4408.
 *
 * Ownership  struct connections makes and frees connections; other modules keep
 *            a connection's number (connection_id) and look it up.
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_SOCKET_CONNECTION_H
#define PARLEY_WEBSOCKET_SOCKET_CONNECTION_H

#include "common/base/span.h"
#include "common/base/uuid.h"
#include "common/base/websocket.h"
#include "common/client/identity_client.h"
#include "websocket-service/socket/rate_limits.h"
#include "websocket-service/socket/sockets.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	HANDSHAKES_MAX = 4096, /* incomplete request heads */
	CONNECTIONS_PER_STEP = 2000,
	/* A socket to abort counts as this many more: docs/back-pressure.md */
	CONNECTION_ABORT_COST = 9,
};

/*
 * What a socket may send besides whole messages; past that it is closed with
 * 1008. A ping costs an answer, a fragment only costs reading it.
 */
enum {
	CONTROLS_PER_S = 20,
	CONTROLS_BURST = 100,
	FRAGMENTS_PER_S = 1000,
	FRAGMENTS_BURST = 4000,
};

enum {
	TOKEN_NOTICE_S = 60, /* between the notice and the end of a token */
	NEW_TOKENS_MAX = 8,  /* of one socket, until they are looked up */
};

struct connections;
struct connection;

struct connections_options {
	struct identity_client *identity;
	const char *origins; /* see upgrade.h; must outlive the set */
	unsigned ping_s;
	unsigned silent_s;
	uint32_t queue_bytes;
	uint32_t connections_max;
	uint32_t user_sockets_max; /* past it 429; 0: no limit */
	uint32_t handshakes_max;   /* past it the oldest is aborted */
	/* Whether this gateway gets the user's events; if not, 421. */
	bool (*serves_user)(void *context, uint64_t user);
	/* A text frame of a client with a valid token. The callback may
	 * overwrite it. */
	void (*text)(void *context, struct connection *connection,
	             struct span text);
	/*
	 * The socket is open. False: `welcome` is held back until
	 * connections_welcome(), and all other frames wait behind it.
	 */
	bool (*opened)(void *context, struct connection *connection);
	/* An opened connection closes; `last`: its user has no other. */
	void (*closed)(void *context, struct connection *connection, bool last);
	void *context;
};

extern const struct socket_events connection_events; /* for sockets_create() */

struct connections *
connections_create(const struct connections_options *options);
void connections_destroy(struct connections **connections);

/* Once per turn of the loop: sends the frames that wait. */
void connections_flush(struct connections *connections);
/*
 * Call it about every 50 ms: pings, silence, expired tokens, slow handshakes,
 * and the next sockets to close; CONNECTIONS_PER_STEP of each, fewer when they
 * are aborted.
 */
void connections_tick(struct connections *connections);
uint32_t connections_count(const struct connections *connections);
/* The most there can be at a time, with those that are being refused. */
uint32_t connections_room(const struct connections *connections);
/*
 * Closes all with a close frame; with settled_only, those without messages
 * under way. Begins with CONNECTIONS_PER_STEP; connections_tick() closes the
 * others, also those that open meanwhile. `reason` must be a constant.
 */
void connections_close_all(struct connections *connections, bool settled_only,
                           enum websocket_code code, const char *reason);

/* NULL when it does not exist or is not open. */
struct connection *connections_find(const struct connections *connections,
                                    uint64_t id);
bool connections_has_user(const struct connections *connections, uint64_t user);
/*
 * Sends a frame, framed as a server's, to the sockets of a user, without
 * `except` (0: none). Returns the number of sockets.
 */
unsigned connections_deliver(struct connections *connections, uint64_t user,
                             struct span framed, uint64_t except);
/* Sends `welcome` to the sockets of a user that wait for it. */
void connections_welcome(struct connections *connections, uint64_t user);
/* Calls `each` with the id of each socket of the user; none may close. */
void connections_each(const struct connections *connections, uint64_t user,
                      void (*each)(void *context, uint64_t connection),
                      void *context);
/* Closes the sockets of a user that got `welcome`. Returns their number. */
unsigned connections_close_welcomed(struct connections *connections,
                                    uint64_t user, enum websocket_code code,
                                    const char *reason);

/* Closes the sockets of one session of a user. Returns their number. */
unsigned connections_close_session(struct connections *connections,
                                   uint64_t user, const struct uuid *session,
                                   enum websocket_code code,
                                   const char *reason);

uint64_t connection_id(const struct connection *connection);
uint64_t connection_user(const struct connection *connection);
struct span connection_token(const struct connection *connection);
/*
 * Looks `token` up and puts it in the place of the connection's token, which
 * may belong to another session of the same user. Tokens take their turns; each
 * is answered with one frame, or the connection closes.
 */
void connection_replace_token(struct connection *connection, struct span token);
/* The number of messages of this socket under way; the callers count. */
unsigned *connection_unsettled(struct connection *connection);
/* For rate_limits.h. */
struct refusals *connection_refusals(struct connection *connection);
/* Sends one text frame. */
void connection_send(struct connection *connection, struct span text);
/* Sends a close frame, after the frames that wait. */
void connection_close(struct connection *connection, enum websocket_code code,
                      const char *reason);

#endif
