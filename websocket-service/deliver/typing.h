/*
 * typing - who is writing, told to the others in the conversation.
 *
 * Whom a user's typing in a conversation is for is asked of persistence once,
 * and kept: then it goes from gateway to gateways and touches no database. The
 * one that asks waits for the answer; none is kept otherwise, none is answered.
 *
 * Rate       of a user in a conversation one in TYPING_INTERVAL_MS; more are
 * passed over. Kept       a roster for TYPING_ROSTER_TTL_MS, one of nobody for
 * TYPING_EMPTY_ROSTER_TTL_MS, both until somebody comes into the conversation
 * or goes, or blocks the user. Bounds     TYPING_ROSTERS_MAX pairs of user and
 * conversation; the longest unused makes room. Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_DELIVER_TYPING_H
#define PARLEY_WEBSOCKET_DELIVER_TYPING_H

#include "common/base/span.h"
#include "common/wire/event.h"

#include <stdint.h>

enum {
	TYPING_INTERVAL_MS = 2000,
	TYPING_ROSTER_TTL_MS = 60000,
	TYPING_EMPTY_ROSTER_TTL_MS = 5000,
	TYPING_ANSWER_WAIT_MS =
		3000, /* an answer later than that is too late */
	TYPING_ROSTERS_MAX = 20000,
	TYPING_RECIPIENTS_MAX = 10000, /* of a roster; no more are told */
};

struct typing;
struct save_records;
struct ephemeral_producer;

struct typing_options {
	struct save_records *records;
	struct ephemeral_producer *ephemeral;
	uint32_t partitions; /* of message_events */
	uint32_t rosters_max;
};

struct typing *typing_create(const struct typing_options *options);
void typing_destroy(struct typing **typing);
void typing_started(struct typing *typing, uint64_t user,
                    uint64_t conversation);
/* An answer: whom the user's typing is for. */
void typing_answered(struct typing *typing, uint64_t user,
                     const struct event_roster *roster);
/* Who is in the conversation has changed. */
void typing_evict(struct typing *typing, uint64_t conversation);
/* Who blocks the user has changed. */
void typing_evict_user(struct typing *typing, uint64_t user);
uint32_t typing_rosters(const struct typing *typing);

#endif
