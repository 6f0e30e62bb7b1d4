/*
 * conversation_keys - which conversations belong to a pair of users: with that
 * the gateway knows the key of their records (wire/save_record.h).
 *
 * The key of a conversation never changes, so what persistence answers is
 * cached until it is evicted, whichever query it answers. That a conversation
 * does not exist may change: it is true only of frames that were received
 * before its query was sent, so each frame keeps the number of the query that
 * settles it. Absence is known only while learned() and answered() run. A late
 * answer makes no known conversation unknown.
 *
 * Batching   a query is sent at the end of the turn when none is in flight.
 *            While one is in flight, conversations gather for the next query,
 *            at most until the next conversation_keys_tick().
 * Bounds     CONVERSATION_KEYS_MAX keys: the least recently used is evicted.
 *            CONVERSATION_KEYS_ASKED_MAX conversations without an answer, each
 *            for CONVERSATION_KEYS_WAIT_MS.
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_RECEIVE_CONVERSATION_KEYS_H
#define PARLEY_WEBSOCKET_RECEIVE_CONVERSATION_KEYS_H

#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/wire/pair.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	CONVERSATION_KEYS_MAX = 200000,
	CONVERSATION_KEYS_ASKED_MAX = 8000,
	CONVERSATION_KEYS_WAIT_MS = 1000,
};

struct conversation_keys;

struct conversation_keys_options {
	uint32_t keys_max;
	/*
	 * Asks for the keys of these conversations (a list for
	 * event_key_next(), at most SAVE_CONVERSATIONS_MAX) as query `number`,
	 * for a user whose events this gateway reads. It may fail: a client
	 * then gets no answer in time and sends again.
	 */
	void (*query)(void *context, uint64_t number, uint64_t user,
	              struct span conversations);
	/* The answer names this conversation. */
	void (*learned)(void *context, uint64_t conversation);
	/* The whole answer has arrived. */
	void (*answered)(void *context);
	void *context;
};

struct conversation_keys *
conversation_keys_create(const struct conversation_keys_options *options);
void conversation_keys_destroy(struct conversation_keys **keys);

/*
 * False when it is not known to a frame for which conversation_keys_ask()
 * returned `asked`; 0: for a frame that has not asked. *ret_pair gets the two
 * users; 0 and 0 when the conversation is a group or channel, or does not
 * exist.
 */
bool conversation_keys_find(struct conversation_keys *keys,
                            uint64_t conversation, uint64_t asked,
                            struct pair *ret_pair);
/*
 * Returns the number of the first query that can tell that the conversation
 * does not exist; 0: too many conversations are asked about.
 */
MUST_CHECK uint64_t conversation_keys_ask(struct conversation_keys *keys,
                                          uint64_t user, uint64_t conversation);
/* The conversation is a group or channel, as an event says. */
void conversation_keys_learn_group(struct conversation_keys *keys,
                                   uint64_t conversation);
/* The answer to our query of that number, for event_keys_next(). */
void conversation_keys_answered(struct conversation_keys *keys, uint64_t number,
                                struct span answer);
/* At the end of each turn: sends a query when none is in flight. */
void conversation_keys_flush(struct conversation_keys *keys);
/* Call it about every 50 ms: sends all that waits, gives up what is late. */
void conversation_keys_tick(struct conversation_keys *keys);

#endif
