/*
 * limits - how many frames a user may send to this gateway, on all of their
 * sockets together.
 *
 * Who is over it is told so; a socket that goes on all the same is closed.
 *
 * Kept       a user's count outlives their sockets, as long as it is among the
 *            RATE_LIMITS_USERS_MAX last used.
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_SOCKET_RATE_LIMITS_H
#define PARLEY_WEBSOCKET_SOCKET_RATE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

enum {
	RATE_LIMITS_USERS_MAX = 200000,
	TOO_FAST_MAX = 100,     /* refusals of a socket … */
	TOO_FAST_WINDOW_S = 10, /* … within so long; one more closes it */
};

struct rate_limits;

/* Part of a connection; zeroed at first. */
struct refusals {
	uint32_t count;
	uint32_t since_s;
};

/* per_s 0: no limit. */
struct rate_limits *rate_limits_create(uint32_t per_s, uint32_t burst,
                                       uint32_t users_max);
void rate_limits_destroy(struct rate_limits **limits);
/* One frame; false when it is too much. */
bool rate_limits_take(struct rate_limits *limits, uint64_t user);
/* One refusal; false when the socket has had enough of them. */
bool refusals_take(struct refusals *refusals);

#endif
