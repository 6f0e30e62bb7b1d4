/*
 * presence_publisher - tells Redis which users have sockets on this gateway.
 *
 * presence:<user> is a sorted set with one member for each gateway process that
 * the user was connected to lately (the newest PRESENCE_LIVES). The score is a
 * time of Redis in unix ms (presence_clock.h):
 *   odd   the user is online until then; the gateway refreshes the score every
 *         PRESENCE_REFRESH_S;
 *   even  the last socket of the user on that gateway closed then.
 * The highest score counts; see presence_state.h. When a gateway crashes, its
 * users look online until their scores expire, at most PRESENCE_ALIVE_MS later.
 *
 * A gateway that drains writes nothing when users leave, so that users who
 * reconnect to another gateway never look offline. A user who then leaves that
 * other gateway soon looks online until the first gateway's score expires.
 *
 * Errors     while Redis is down nothing is written; everything is written when
 *            it is back.
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_PRESENCE_PUBLISHER_H
#define PARLEY_WEBSOCKET_PRESENCE_PUBLISHER_H

#include "common/base/buf.h"

#include <stdint.h>

enum {
	/* The 30 s of docs/protocol/socket.md, less the polling interval. */
	PRESENCE_ALIVE_MS = 27000,
	PRESENCE_REFRESH_S = 10,
	PRESENCE_LIVES = 8,
	PRESENCE_KEPT_S = 30 * 24 * 3600,
	PRESENCE_KEY_MAX = 32,
};

struct presence_publisher;
struct presence_clock;
struct redis;

/* `life` is a random number that identifies this process. */
struct presence_publisher *
presence_publisher_create(struct redis *redis,
                          const struct presence_clock *clock, uint64_t life);
void presence_publisher_destroy(struct presence_publisher **presence);
/* The first socket of the user has opened; the last one has closed. */
void presence_publisher_user_connected(struct presence_publisher *presence,
                                       uint64_t user);
void presence_publisher_user_disconnected(struct presence_publisher *presence,
                                          uint64_t user);
/* From now on nothing is written for users who leave: scores expire. */
void presence_publisher_drain(struct presence_publisher *presence);
/* Redis is back: writes all users again; their keys are trimmed later. */
void presence_publisher_publish_all(struct presence_publisher *presence);
/* Once per second. */
void presence_publisher_tick(struct presence_publisher *presence);
uint32_t presence_publisher_count(const struct presence_publisher *presence);

/* Appends the user's key in Redis. */
void presence_publisher_key(struct buf *out, uint64_t user);

#endif
