/*
 * typing - passes "the user is typing" on to the other members of a
 * conversation.
 *
 * The gateway asks persistence once for the recipients (a roster), and caches
 * the answer: after that, typing goes from gateway to gateways and touches no
 * database. Only the answer to the latest query counts: a process that was
 * stopped may send an earlier one late. The first notification waits for the
 * answer; there is no reply to the client.
 *
 * Rate       one notification per user and conversation in TYPING_INTERVAL_MS;
 *            further ones are ignored.
 * Cache      a roster is valid for TYPING_ROSTER_TTL_MS, an empty one for
 *            TYPING_EMPTY_ROSTER_TTL_MS; both end when a member joins or leaves
 *            the conversation, or when the user blocks or is blocked. Evicting
 *            takes one step for each roster that was answered since.
 * Bounds     TYPING_ROSTERS_MAX pairs of user and conversation: the least
 *            recently used one is evicted.
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_DELIVER_TYPING_H
#define PARLEY_WEBSOCKET_DELIVER_TYPING_H

#include "common/base/span.h"
#include "common/wire/event.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	TYPING_INTERVAL_MS = 2000,
	TYPING_ROSTER_TTL_MS = 60000,
	TYPING_EMPTY_ROSTER_TTL_MS = 5000,
	TYPING_ANSWER_WAIT_MS = 3000, /* a later answer sends nothing */
	TYPING_ROSTERS_MAX = 20000,
	TYPING_RECIPIENTS_MAX = 10000, /* of a roster; others get nothing */
};

struct typing;
struct ephemeral_producer;

/* The user types in the conversation; `user_to` as in typing_started(). */
struct typing_query {
	uint64_t number;
	uint64_t user;
	uint64_t conversation;
	uint64_t user_to;
};

struct typing_options {
	/* Asks for the recipients. False: it could not be sent. */
	bool (*query)(void *context, const struct typing_query *query);
	void *context;
	struct ephemeral_producer *producer;
	uint32_t partitions; /* of message_events */
	uint32_t rosters_max;
};

struct typing *typing_create(const struct typing_options *options);
void typing_destroy(struct typing **typing);
/*
 * The user types: notifies the recipients, or asks for them first. `user_to` is
 * the other user of a pair; 0: the conversation is not a pair's.
 */
void typing_started(struct typing *typing, uint64_t user, uint64_t conversation,
                    uint64_t user_to);
/* The answer to the query of that number: the recipients of the user. */
void typing_answered(struct typing *typing, uint64_t number, uint64_t user,
                     const struct event_roster *roster);
/* The members of the conversation have changed. */
void typing_evict(struct typing *typing, uint64_t conversation);
/* The user blocks or is blocked by other users than before. */
void typing_evict_user(struct typing *typing, uint64_t user);
uint32_t typing_rosters(const struct typing *typing);

#endif
