/*
 * sockets - TCP connections on the loop, through libwebsockets (lws).
 *
 * lws owns the descriptors: it watches them on our libuv loop and keeps the
 * bytes of a write that the kernel did not accept. The gateway uses its raw
 * role and does the WebSocket framing itself: see docs/adr/0003. sockets.c is
 * the only file that includes lws.
 *
 * Ownership  a struct socket lives from events.opened until events.closed has
 *            returned. The pointer that `opened` returns is passed to the other
 *            events.
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
	/* The callback may overwrite the bytes. False aborts the socket. */
	bool (*received)(void *connection, char *data, size_t len);
	void (*writable)(void *connection);
	void (*closed)(void *connection);
};

/*
 * Does not listen yet. Lowers the limit on open files to what `sockets_max`
 * sockets and all else need: each time a socket opens or closes, lws reads a
 * table with an entry for each descriptor that the process may open.
 */
MUST_CHECK enum status sockets_create(struct uv_loop_s *loop,
                                      uint32_t sockets_max,
                                      const struct socket_events *events,
                                      void *context,
                                      struct sockets **ret_sockets);
/* ST_UNAVAILABLE when the port cannot be bound; errno has the reason. */
MUST_CHECK enum status sockets_listen(struct sockets *sockets,
                                      const char *bind_address, uint16_t port);
void sockets_stop_listening(struct sockets *sockets);
/* Closes all sockets. The loop must run for one more turn. */
void sockets_destroy(struct sockets **sockets);

/*
 * Usually one write(2). lws keeps the rest and sends it first. False: the
 * socket is dead.
 */
bool socket_write(struct socket *socket, struct span bytes);
/* True while lws keeps a rest: do not write, wait for `writable`. */
bool socket_blocked(struct socket *socket);
void socket_want_writable(struct socket *socket);
/* Stops or resumes reading. */
void socket_pause(struct socket *socket, bool paused);
/* Ends our side; the peer can read all that was sent. */
void socket_shutdown(struct socket *socket);
/*
 * Aborts the socket soon, from the loop: events.closed follows. Unsent bytes
 * are dropped.
 */
void socket_abort(struct socket *socket);

#endif
