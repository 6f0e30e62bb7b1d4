/*
 * rooms - which of this gateway's users are in which large conversations, who
 * blocks them, and when a new socket may be told `welcome`.
 * docs/protocol/message_events.md
 *
 * When a user's first socket opens, persistence is asked which rooms they are
 * in; until it answers, for at most ROOMS_WELCOME_WAIT_MS, `welcome` is held
 * back. The question is asked again, ever less often, while the user has
 * sockets; until it is answered they hear of no room. From the answer on, the
 * records that pass keep it true, also for a while after the last socket has
 * gone: coming back asks nothing.
 *
 * Answers    a change that an answer does not know of yet is read after the
 *            question was asked. So only answers to our own questions count,
 *            and of those only what was asked since the user is here.
 * Gathering  a question is asked at the end of the turn when none is out, so
 *            one alone waits for nobody; meanwhile others gather, and are asked
 *            about together when that one is answered. In a crowd the questions
 *            get longer, not more.
 * Order      a record concerns those whose partition it lies in: only so does
 *            each user's part of a room change between the right two frames.
 *            Of two statements about a user and a room the one with the higher
 *            seq is true, that somebody has gone included.
 * Cost       of a record for a room: those of its users who have sockets here
 *            and lie in its partition; when there are none, one look-up.
 * Bounds     ROOMS_ABSENT_MAX users without sockets: the longest absent is
 *            forgotten. What somebody has left is remembered for
 * ROOMS_LEFT_KEPT_S. Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_DELIVER_ROOMS_H
#define PARLEY_WEBSOCKET_DELIVER_ROOMS_H

#include "common/base/span.h"
#include "common/wire/event.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	ROOMS_WELCOME_WAIT_MS = 1000, /* for an answer, before `welcome` */
	ROOMS_ABSENT_MAX = 200000,    /* users */
	ROOMS_LEFT_KEPT_S = 120,
	ROOMS_RETRY_S = 2,      /* until the question is asked again … */
	ROOMS_RETRY_MAX_S = 60, /* … doubled each time up to this */
};

struct rooms;

struct rooms_options {
	uint32_t partitions; /* of message_events */
	uint32_t absent_max;
	/*
	 * Asks which rooms these users are in (for event_key_next(), at most
	 * SAVE_USERS_MAX), as question `number`; may fail, for it is asked
	 * again, as another.
	 */
	void (*query)(void *context, uint64_t number, uint64_t first,
	              struct span users);
	/* The user's sockets may be told `welcome` now. */
	void (*welcome)(void *context, uint64_t user);
	/* The user's sockets were welcomed too early. */
	void (*welcomed_early)(void *context, uint64_t user);
	void *context;
};

struct rooms *rooms_create(const struct rooms_options *options);
void rooms_destroy(struct rooms **rooms);

/* A socket of this user opens. False: options.welcome will be called. */
bool rooms_user_connected(struct rooms *rooms, uint64_t user);
/* The user's last socket has gone. */
void rooms_user_disconnected(struct rooms *rooms, uint64_t user);

/* The answer to our question of that number, for event_answer_next(). */
void rooms_answered(struct rooms *rooms, uint64_t number, struct span answer);
/* One user blocks another, or does so no more. */
void rooms_block(struct rooms *rooms, uint64_t user, uint64_t by, bool blocks);
/* As far as that is known: of users who are or were here. */
bool rooms_blocked(const struct rooms *rooms, uint64_t user, uint64_t by);
/*
 * A change of who is in a room, by a record of that partition. Call it before
 * the record is delivered when users come in, after it when they go.
 */
void rooms_changed(struct rooms *rooms, uint32_t partition,
                   const struct event_room *change);
/* Nothing that is known may be true any more: all is asked again. */
void rooms_invalidate_all(struct rooms *rooms);

/* Whether anybody here, of that partition, is in the room. */
bool rooms_has_members(const struct rooms *rooms, uint64_t conversation,
                       uint32_t partition);
/*
 * Calls `each` for those of them who see the entry `seq`; meanwhile the one
 * that it is called for may leave, and nobody else.
 */
void rooms_each_member(struct rooms *rooms, uint64_t conversation,
                       uint32_t partition, uint64_t seq,
                       void (*each)(void *context, uint64_t user),
                       void *context);

/* At the end of each turn: asks about those who came in it. */
void rooms_flush(struct rooms *rooms);
/* Every some 50 ms; then nobody waits any more for an answer to others. */
void rooms_tick(struct rooms *rooms);
/* Rooms that users with sockets here are in; users waiting for an answer. */
uint32_t rooms_count(const struct rooms *rooms);
uint32_t rooms_pending_users(const struct rooms *rooms);

#endif
