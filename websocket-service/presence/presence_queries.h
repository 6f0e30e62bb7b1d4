/*
 * watches - looking into Redis for who is online, for sockets that want to
 * know. docs/protocol/socket.md#presence
 *
 * A `presence` frame is answered after one look for all of its users. Then all
 * who are watched here are looked at once a second, each once, however many
 * watch them, and watchers.h tells what has changed. While Redis is away
 * nothing is told, and afterwards belief.h keeps calm.
 *
 * Who blocks looks offline to whom they block.
 *
 * Bounds     WATCHES_OF_SOCKET; WATCHES_MAX of all sockets, WATCHES_QUESTIONS
 *            frames unanswered: beyond them `unavailable`. WATCHES_PER_TURN
 *            users are looked at in a second; when more are watched it takes
 *            longer.
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_PRESENCE_QUERIES_H
#define PARLEY_WEBSOCKET_PRESENCE_QUERIES_H

#include "common/wire/frame.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	WATCHES_OF_SOCKET = 500,
	WATCHES_MAX = 500000,
	WATCHES_QUESTIONS = 2000,
	WATCHES_PER_TURN = 10000,
	WATCHES_ANSWER_MS = 2000, /* Redis has so long for a question */
	WATCHES_STALL_MS = 3000,  /* who answers as late as that was away */
};

struct watches;
struct connection;
struct connections;
struct redis;
struct rooms;

struct watches *watches_create(struct connections *connections,
                               struct redis *redis, const struct rooms *rooms);
void watches_destroy(struct watches **watches);
/* A `presence` frame. */
void watches_take(struct watches *watches, struct connection *connection,
                  const struct client_frame *frame);
/* One user blocks another, or does so no more. */
void watches_block(struct watches *watches, uint64_t user, uint64_t by,
                   bool blocks);
/* A socket has gone. */
void watches_leave(struct watches *watches, uint64_t connection);
/* Redis is back. */
void watches_calm(struct watches *watches);
/* Once per second. */
void watches_tick(struct watches *watches);
uint32_t watches_count(const struct watches *watches);

#endif
