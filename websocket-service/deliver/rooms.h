/*
 * rooms - which users of this gateway are in which large conversations
 * ("rooms"), who blocks them, and when a new socket gets its `welcome`.
 * docs/protocol/message_events.md
 *
 * When the first socket of a user opens, the gateway asks persistence which
 * rooms the user is in. It holds `welcome` back until the answer, for at most
 * welcome_wait_ms, and repeats the query while the user has sockets.
 * Until all rooms of a user are known, the user receives no room messages. From
 * the answer on, the records of message_events keep the rooms of the user up to
 * date, also for a while after the last socket has closed: a user who
 * reconnects to the same gateway needs no query.
 *
 * Answers    only an answer to one of our own queries counts, and only to one
 *            sent since the user is connected: the gateway then reads every
 *            change that the answer lacks after it has sent the query.
 * Order      a record applies only to the users of its partition, so that each
 *            user's membership changes between the right two frames. Of two
 *            statements about a user and a room, also about leaving it, the one
 *            with the higher seq is true.
 * Blockers   of a user are those of the answer to the latest query. A record
 *            about a block is no statement, because it may be late: it makes
 *            the gateway ask again. When the list of an answer is cut, each
 *            user with a higher id than the last one of it counts as a blocker,
 *            so that a block holds for all.
 * Cost       a record for a room costs one step for each member with sockets
 *            here in the record's partition, and one look-up when there are
 *            none.
 * Bounds     ROOMS_ABSENT_MAX users without sockets: the longest absent one is
 *            evicted.
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_DELIVER_ROOMS_H
#define PARLEY_WEBSOCKET_DELIVER_ROOMS_H

#include "common/base/span.h"
#include "common/wire/event.h"
#include "websocket-service/deliver/room_queries.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	ROOMS_ABSENT_MAX = 200000, /* users */
	/* Of a user with more, one change is looked up in a second. */
	ROOMS_BLOCKERS_MANY = 1000,
	ROOMS_RENEWED_PER_STEP = 2000,  /* users, after events were lost */
	ROOMS_WELCOMES_PER_STEP = 2000, /* users whose answer is late */
};

struct rooms;

struct rooms_options {
	uint32_t partitions; /* of message_events */
	uint32_t absent_max;
	uint64_t welcome_wait_ms;
	room_queries_send *query;
	/* The sockets of the user may get their `welcome` now. */
	void (*welcome)(void *context, uint64_t user);
	/* Sockets of the user got `welcome` before all rooms were known. */
	void (*welcomed_early)(void *context, uint64_t user);
	/* The users who block the user are known, or known anew. */
	void (*blockers_known)(void *context, uint64_t user);
	void *context;
};

struct rooms *rooms_create(const struct rooms_options *options);
void rooms_destroy(struct rooms **rooms);

/* A socket of the user opens. False: options.welcome is called later. */
bool rooms_user_connected(struct rooms *rooms, uint64_t user);
/* The last socket of the user has closed. */
void rooms_user_disconnected(struct rooms *rooms, uint64_t user);

/* The answer to the query of that number, for event_answer_next(). */
void rooms_answered(struct rooms *rooms, uint64_t number, struct span answer);
/* Other users than before may block the user: asks again. */
void rooms_blockers_changed(struct rooms *rooms, uint64_t user);
/* False for a connected user until the first answer about the user. */
bool rooms_blockers_known(const struct rooms *rooms, uint64_t user);
/* Whether `by` is known to block a user who is or was connected here. */
bool rooms_blocked(const struct rooms *rooms, uint64_t user, uint64_t by);
/*
 * Applies a change of a room's members, from a record of that partition. When
 * users join, call it before the record is delivered; when they leave, after.
 */
void rooms_changed(struct rooms *rooms, uint32_t partition,
                   const struct event_room *change);
/*
 * Whether the user is known to have joined the room after that entry: the
 * record about it is older than the answer to a query.
 */
bool rooms_joined_after(struct rooms *rooms, uint64_t user,
                        uint64_t conversation, uint64_t seq);
/*
 * Events were lost: from now on no user is known to be in a room. Asks about
 * the connected users again and drops the others: ROOMS_RENEWED_PER_STEP of
 * them at once, as many in each rooms_tick(), and each user at its next call.
 */
void rooms_invalidate_all(struct rooms *rooms);

/*
 * Calls `each` for the members who see the entry `seq`. During the call only
 * the user that it is about may disconnect.
 */
void rooms_each_member(struct rooms *rooms, uint64_t conversation,
                       uint32_t partition, uint64_t seq,
                       void (*each)(void *context, uint64_t user),
                       void *context);

/* At the end of each turn: sends the query about users who connected in it. */
void rooms_flush(struct rooms *rooms);
/* Call it about every 50 ms: late welcomes, retries, all waiting queries. */
void rooms_tick(struct rooms *rooms);
/* Rooms with members who have sockets here. */
uint32_t rooms_count(const struct rooms *rooms);
/* Users whose rooms, or whose blockers after a change, are not known yet. */
uint32_t rooms_pending_users(const struct rooms *rooms);

#endif
