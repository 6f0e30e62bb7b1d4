/*
 * pending - what a device sent or will send, and that has no final answer yet:
 * messages and edits, oldest first.
 *
 * It sends again what was not accepted: on a new connection, after a retryable
 * error, and when no answer comes. It never sends again what was accepted,
 * because the server said that it is safe.
 */
#ifndef PARLEY_TESTS_LEDGER_CLIENTS_PENDING_H
#define PARLEY_TESTS_LEDGER_CLIENTS_PENDING_H

#include "client-test/client/connection.h"
#include "tests/ledger/clients/timeline.h"
#include "tests/ledger/judge/ledger.h"

struct pending;

/* A message or an edit of the ledger. */
struct pending_item {
	bool edit;
	uint32_t number;
};

/* `resend_ms`: unanswered for this long, an item is sent again; 0: never. */
struct pending *pending_create(struct ledger *ledger, struct timeline *timeline,
                               uint64_t resend_ms);
void pending_destroy(struct pending **pending);

/* Sends the item now, or later when `connection` is NULL. */
void pending_add(struct pending *pending, struct pending_item item,
                 struct connection *connection);
void pending_remove(struct pending *pending, struct pending_item item);
void pending_accepted(struct pending *pending, struct pending_item item);
/* A retryable error: the item is sent again later. */
void pending_retry(struct pending *pending, struct pending_item item);
/*
 * On a new connection everything that was not accepted is due at once. Accepted
 * edits are no longer pending: no history brings their answers.
 */
void pending_restart(struct pending *pending);
/* Sends what is due. */
void pending_tick(struct pending *pending, struct connection *connection);
unsigned pending_count(const struct pending *pending);

#endif
