/*
 * client_sockets - many WebSockets on one epoll, at minimal cost: one buffer
 * for all reads, frames decoded in place, one write for each socket and poll.
 *
 * It shares the machine with the server under test, so it omits what a
 * measurement does not need: it does not check UTF-8, and a fragmented message
 * ends the socket as an error.
 */
#ifndef PARLEY_BENCH_LOAD_CLIENT_SOCKETS_H
#define PARLEY_BENCH_LOAD_CLIENT_SOCKETS_H

#include "client-test/client/address.h"
#include "client-test/client/upgrade.h"
#include "common/base/buf.h"
#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct client_sockets;

enum client_socket_state { SOCKET_UPGRADING, SOCKET_OPEN, SOCKET_LOST };

struct client_socket {
	int fd;
	enum client_socket_state state;
	bool dirty;
	bool blocked;   /* waits until it is writable */
	unsigned index; /* set by the caller */
	struct buf out;
	struct buf partial; /* the bytes of an incomplete frame */
	struct upgrade upgrade;
	struct client_socket *next_dirty;
};

struct client_sockets_events {
	/* `now_us`: when the bytes were read. */
	void (*text)(void *context, struct client_socket *socket,
	             struct span text, uint64_t now_us);
	void (*lost)(void *context, struct client_socket *socket,
	             const char *why);
};

/* ST_UNAVAILABLE: the host name does not resolve. */
MUST_CHECK enum status
client_sockets_create(const struct address *address,
                      const struct client_sockets_events *events, void *context,
                      struct client_sockets **ret_sockets);
void client_sockets_destroy(struct client_sockets **sockets);

/* The caller owns `socket`, which must not move. */
MUST_CHECK enum status client_sockets_connect(struct client_sockets *sockets,
                                              struct client_socket *socket,
                                              unsigned index,
                                              struct span token);
void client_sockets_close(struct client_sockets *sockets,
                          struct client_socket *socket);
/* Appends a masked text frame, which the next poll writes. */
void client_sockets_send(struct client_sockets *sockets,
                         struct client_socket *socket, struct span text);
/* Waits for events, at most until `until_us`, and handles them. */
void client_sockets_poll(struct client_sockets *sockets, uint64_t until_us);
/*
 * Sets a pause after each poll, 0 at first. Without it, a client that is faster
 * than the server is woken for each frame. The writer pays for waking the
 * reader, so the server would do work that clients on other machines do not
 * cause. Frames that arrive during the pause are timed when they are read:
 * late, never early.
 */
void client_sockets_pause(struct client_sockets *sockets, unsigned pause_us);

#endif
