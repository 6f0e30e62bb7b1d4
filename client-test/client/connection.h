/*
 * connection - one WebSocket to /ws, from the TCP handshake to its end.
 *
 * Ownership  whoever creates it destroys it, after `ended` too.
 *
 * It answers pings and close frames itself, and gives up after 10 s without an
 * upgrade and after 60 s of silence (the server pings every 25 s). Opening a
 * new one when it ends is the caller's.
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
	/* A text message; lives until it returns. */
	void (*text)(void *context, struct span text);
	/*
	 * It is over; told once, never from within a call of ours but later.
	 * ST_DENIED: the token is not (or no longer) taken; ST_UNAVAILABLE:
	 * anything else, with words.
	 */
	void (*ended)(void *context, enum status status, const char *why);
};

/* Starts to connect. */
struct connection *connection_create(struct uv_loop_s *loop,
                                     const struct address *address,
                                     struct span token,
                                     const struct connection_events *events,
                                     void *context);
/* Closes with 1000 where it is open; no event comes any more. */
void connection_destroy(struct connection **connection);
/* False when it is not open. */
bool connection_send(struct connection *connection, struct span text);

#endif
