/*
 * bench_net - many WebSockets on one epoll, as cheap as can be: one buffer for
 * all reading, frames taken where they lie, one write per socket and turn.
 *
 * It shares the machine with what it measures, so it spends nothing on what a
 * measurement does not need: no UTF-8 check, no fragments (they end the socket
 * as an error).
 */
#ifndef PARLEY_BENCH_LOAD_BENCH_NET_H
#define PARLEY_BENCH_LOAD_BENCH_NET_H

#include "client-test/client/address.h"
#include "client-test/client/upgrade.h"
#include "common/base/buf.h"
#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct bench_net;

enum bench_peer_state { PEER_UPGRADING, PEER_OPEN, PEER_LOST };

struct bench_peer {
	int fd;
	enum bench_peer_state state;
	bool dirty;
	bool blocked;   /* waits until it can write */
	unsigned index; /* the caller's */
	struct buf out;
	struct buf partial; /* bytes of an unfinished frame */
	struct upgrade upgrade;
	struct bench_peer *next_dirty;
};

struct bench_net_events {
	/* `now_us` is when the bytes were read. */
	void (*text)(void *context, struct bench_peer *peer, struct span text,
	             uint64_t now_us);
	void (*lost)(void *context, struct bench_peer *peer, const char *why);
};

/* ST_UNAVAILABLE when the host is not found. */
MUST_CHECK enum status bench_net_create(const struct address *address,
                                        const struct bench_net_events *events,
                                        void *context,
                                        struct bench_net **ret_net);
void bench_net_destroy(struct bench_net **net);

/* `peer` is the caller's memory and must stay where it is. */
MUST_CHECK enum status bench_net_connect(struct bench_net *net,
                                         struct bench_peer *peer,
                                         unsigned index, struct span token);
void bench_net_close(struct bench_net *net, struct bench_peer *peer);
/* Appends a masked text frame; it is written at the end of the turn. */
void bench_net_send(struct bench_net *net, struct bench_peer *peer,
                    struct span text);
/* One turn: waits for something to happen, at most until `until_us`. */
void bench_net_turn(struct bench_net *net, uint64_t until_us);
/*
 * After each turn it sleeps for so long, 0 at first. A client that is faster
 * than its server would else be woken for each frame, at the server's expense,
 * since it is the writer that wakes the reader; a crowd elsewhere costs it none
 * of that. What arrives meanwhile is timed when it is read: late, never early.
 */
void bench_net_nap(struct bench_net *net, unsigned nap_us);

#endif
