/*
 * sockets - TCP connections on the loop, through libwebsockets.
 *
 * libwebsockets owns the descriptors: it watches them on our libuv loop and
 * keeps what the kernel did not take of a write. Its raw role is used, so the
 * bytes are ours: see docs/adr/0003. This is the only file that knows it.
 *
 * Ownership  a struct socket lives from events.opened until events.closed has
 *            returned. What `opened` returns is given to the other events.
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_SOCKET_SOCKETS_H
#define PARLEY_WEBSOCKET_SOCKET_SOCKETS_H

#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct sockets;
struct socket;
struct uv_loop_s;

struct socket_events {
	/* NULL refuses the socket. */
	void *(*opened)(void *context, struct socket *socket);
	/* The bytes may be overwritten. False ends the socket. */
	bool (*received)(void *connection, char *data, size_t len);
	void (*writable)(void *connection);
	void (*closed)(void *connection);
};

/* Nothing listens yet. */
MUST_CHECK enum status sockets_create(struct uv_loop_s *loop,
                                      const struct socket_events *events,
                                      void *context,
                                      struct sockets **ret_sockets);
/* ST_UNAVAILABLE when the port can't be bound; errno says why. */
MUST_CHECK enum status sockets_listen(struct sockets *sockets,
                                      const char *bind_address, uint16_t port);
void sockets_stop_listening(struct sockets *sockets);
/* Closes all that is open. The loop must run on for a turn. */
void sockets_destroy(struct sockets **sockets);

/* One write(2) as a rule; the rest is kept and sent first. False: it is dead.
 */
bool socket_write(struct socket *socket, struct span bytes);
/* True while a rest is kept: don't write, wait for `writable`. */
bool socket_blocked(struct socket *socket);
void socket_want_writable(struct socket *socket);
/* Stops or goes on reading. */
void socket_pause(struct socket *socket, bool paused);
/* No more from us: the peer reads to the end. */
void socket_shutdown(struct socket *socket);
/*
 * Ends it soon, from the loop: events.closed follows. What is unsent is
 * dropped.
 */
void socket_abort(struct socket *socket);

#endif
