/*
 * presence_queries - reads from Redis who is online, for the sockets that
 * subscribe to users. docs/protocol/socket.md#presence
 *
 * A `presence` frame is answered after one query for each of its users. Then
 * all users with subscriptions are polled once a second, each once, however
 * many sockets subscribe, and presence_subscriptions sends the changes. While
 * Redis is down no changes are sent and a `presence` frame is `unavailable`.
 * After that presence_state has a grace period, in which a frame is
 * `unavailable` too when it asks for a user whom neither Redis nor a
 * subscription knows: that user's gateway may not have reported the user again.
 *
 * A user who blocks another looks offline to the blocked user. Until it is
 * known who blocks a user, a `presence` frame of that user is `unavailable`.
 *
 * Bounds     PRESENCE_USERS_PER_SOCKET; PRESENCE_SUBSCRIPTIONS_MAX of all
 *            sockets and PRESENCE_REQUESTS_MAX unanswered frames, past which a
 *            frame is `unavailable`. PRESENCE_QUERIES_PER_S users are polled in
 *            a second; with more of them a round takes longer.
 * Threads    the loop's.
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
	PRESENCE_ANSWER_MS = 2000, /* time for Redis to answer a frame */
	PRESENCE_STALL_MS = 3000,  /* a later answer counts as an outage */
};

struct presence_queries;
struct connection;
struct connections;
struct redis;
struct presence_clock;
struct rooms;

struct presence_queries *
presence_queries_create(struct connections *connections, struct redis *redis,
                        const struct presence_clock *clock,
                        const struct rooms *rooms);
void presence_queries_destroy(struct presence_queries **queries);
/* Answers a `presence` frame, at once or later. */
void presence_queries_request(struct presence_queries *queries,
                              struct connection *connection,
                              const struct client_frame *frame);
/* rooms_blocked() may have changed for the user. */
void presence_queries_blockers_known(struct presence_queries *queries,
                                     uint64_t user);
/* Ends the subscriptions of a socket. */
void presence_queries_socket_closed(struct presence_queries *queries,
                                    uint64_t connection);
/*
 * Redis is back: starts the grace period of presence_state.h. After an outage
 * (`lost`) nothing is known in that time of a user whom no gateway has
 * reported.
 */
void presence_queries_redis_up(struct presence_queries *queries, bool lost);
/* Once per second: begins a poll. */
void presence_queries_tick(struct presence_queries *queries);
/*
 * Call it about every 50 ms: the next queries of the poll, and the next sockets
 * to notify.
 */
void presence_queries_step(struct presence_queries *queries);
uint32_t presence_queries_subscriptions(const struct presence_queries *queries);

#endif
