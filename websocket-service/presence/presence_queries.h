/*
 * queries - looking into Redis for who is online, for sockets that want to
 * know. docs/protocol/socket.md#presence
 *
 * A `presence` frame is answered after one look for all of its users. Then all
 * who are watched here are looked at once a second, each once, however many
 * watch them, and watchers.h tells what has changed. While Redis is away
 * nothing is told, and afterwards state.h keeps calm.
 *
 * Who blocks looks offline to whom they block.
 *
 * Bounds     PRESENCE_USERS_PER_SOCKET; PRESENCE_SUBSCRIPTIONS_MAX of all
 * sockets, PRESENCE_REQUESTS_MAX frames unanswered: beyond them `unavailable`.
 * PRESENCE_QUERIES_PER_S users are looked at in a second; when more are watched
 * it takes longer. Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_PRESENCE_QUERIES_H
#define PARLEY_WEBSOCKET_PRESENCE_QUERIES_H

#include "common/wire/frame.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	PRESENCE_USERS_PER_SOCKET = 500,
	PRESENCE_SUBSCRIPTIONS_MAX = 500000,
	PRESENCE_REQUESTS_MAX = 2000,
	PRESENCE_QUERIES_PER_S = 10000,
	PRESENCE_ANSWER_MS = 2000, /* Redis has so long for a question */
	PRESENCE_STALL_MS = 3000,  /* who answers as late as that was away */
};

struct presence_queries;
struct connection;
struct connections;
struct redis;
struct rooms;

struct presence_queries *
presence_queries_create(struct connections *connections, struct redis *redis,
                        const struct rooms *rooms);
void presence_queries_destroy(struct presence_queries **queries);
/* A `presence` frame. */
void presence_queries_request(struct presence_queries *queries,
                              struct connection *connection,
                              const struct client_frame *frame);
/* One user blocks another, or does so no more. */
void presence_queries_block_changed(struct presence_queries *queries,
                                    uint64_t user, uint64_t by, bool blocks);
/* A socket has gone. */
void presence_queries_socket_closed(struct presence_queries *queries,
                                    uint64_t connection);
/* Redis is back. */
void presence_queries_redis_up(struct presence_queries *queries);
/* Once per second. */
void presence_queries_tick(struct presence_queries *queries);
uint32_t presence_queries_subscriptions(const struct presence_queries *queries);

#endif
