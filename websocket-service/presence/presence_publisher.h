/*
 * presence - tells Redis which users have sockets on this gateway.
 *
 * presence:<user> is a sorted set: a member for each gateway's life that the
 * user was on lately (the newest PRESENCE_LIVES), its score a time in unix ms.
 * Odd: until then that gateway answers for them, and says so again every
 * PRESENCE_REFRESH_S. Even: then their last socket there went. The highest
 * score counts; see state.h. A gateway that dies says nothing: its users look
 * online until their time is over, at most PRESENCE_ALIVE_MS.
 *
 * A gateway that drains says nothing either, so that users who come back to
 * another one were never away. Who leaves that one soon looks online for as
 * long as the first one's word holds.
 *
 * Errors     Redis may be away: then it is said when it is back.
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_PRESENCE_PUBLISHER_H
#define PARLEY_WEBSOCKET_PRESENCE_PUBLISHER_H

#include "common/base/buf.h"

#include <stdint.h>

enum {
	/* "Within 30 s" of docs/protocol/socket.md, less how often one looks.
	 */
	PRESENCE_ALIVE_MS = 27000,
	PRESENCE_REFRESH_S = 10,
	PRESENCE_LIVES = 8,
	PRESENCE_KEPT_S = 30 * 24 * 3600,
	PRESENCE_KEY_MAX = 32,
};

struct presence_publisher;
struct redis;

/* `life` is random, of this gateway's process. */
struct presence_publisher *presence_publisher_create(struct redis *redis,
                                                     uint64_t life);
void presence_publisher_destroy(struct presence_publisher **presence);
/* A user's first socket is there; their last one is gone. */
void presence_publisher_user_connected(struct presence_publisher *presence,
                                       uint64_t user);
void presence_publisher_user_disconnected(struct presence_publisher *presence,
                                          uint64_t user);
/* From now on who leaves is left to time. */
void presence_publisher_drain(struct presence_publisher *presence);
/* Redis is back: all is said again. */
void presence_publisher_publish_all(struct presence_publisher *presence);
/* Once per second. */
void presence_publisher_tick(struct presence_publisher *presence);
uint32_t presence_publisher_count(const struct presence_publisher *presence);

/* Appends a user's key. */
void presence_key(struct buf *out, uint64_t user);

#endif
