/*
 * connection - one WebSocket to /ws, from the TCP handshake to its end.
 *
 * It answers pings and close frames itself. It ends after 10 s without a
 * completed upgrade and after 60 s of silence (the server pings every 25 s). To
 * reconnect, the caller creates a new connection.
 *
 * Ownership  the caller destroys it, also after `ended`.
 */
#ifndef PARLEY_CLIENT_TEST_CLIENT_CONNECTION_H
#define PARLEY_CLIENT_TEST_CLIENT_CONNECTION_H

#include "client-test/client/address.h"
#include "common/base/span.h"
#include "common/base/status.h"

#include <stdbool.h>

struct connection;
struct uv_loop_s;

struct connection_events {
	/* A text message; valid until the callback returns. */
	void (*text)(void *context, struct span text);
	/*
	 * The connection ended. Called once, never from within a call of this
	 * module. ST_DENIED: the server does not (or no longer) accept the
	 * token; ST_INVALID: it cannot read what was sent; ST_UNAVAILABLE: any
	 * other reason. `why` has the reason.
	 */
	void (*ended)(void *context, enum status status, const char *why);
};

/* Starts to connect. */
struct connection *connection_create(struct uv_loop_s *loop,
                                     const struct address *address,
                                     struct span token,
                                     const struct connection_events *events,
                                     void *context);
/* Closes an open connection with code 1000. No event follows. */
void connection_destroy(struct connection **connection);
/*
 * After `ended`: the open socket ended without a close frame of the server, and
 * not because of the server's silence.
 */
bool connection_was_cut(const struct connection *connection);
/* False if the connection is not open. */
bool connection_send(struct connection *connection, struct span text);

#endif
