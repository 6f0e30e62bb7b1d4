/*
 * rate_limits - how many frames a user may send to this gateway, over all of
 * the user's sockets.
 *
 * A frame over the limit is answered with an error. A socket that goes on
 * sending is closed: see struct refusals.
 *
 * Bounds     a user's count outlives the sockets of the user while the user is
 *            among the RATE_LIMITS_USERS_MAX most recently counted.
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_SOCKET_RATE_LIMITS_H
#define PARLEY_WEBSOCKET_SOCKET_RATE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

enum {
	RATE_LIMITS_USERS_MAX = 200000,
	/* A socket with more refusals than this within the window is closed. */
	TOO_FAST_MAX = 100,
	TOO_FAST_WINDOW_S = 10,
};

struct rate_limits;

/* The refused frames of one socket; zeroed at first. */
struct refusals {
	uint32_t count;
	uint32_t since_s;
};

/* per_s 0: no limit. */
struct rate_limits *rate_limits_create(uint32_t per_s, uint32_t burst,
                                       uint32_t users_max);
void rate_limits_destroy(struct rate_limits **limits);
/* Counts one frame of the user; false when it is over the limit. */
bool rate_limits_take(struct rate_limits *limits, uint64_t user);
/* Counts one refused frame; false when the socket must be closed. */
bool refusals_take(struct refusals *refusals);

#endif
