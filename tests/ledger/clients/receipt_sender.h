/*
 * receipt_sender - the receipts that a device sends.
 *
 * Every device sends `delivered`. The first device of each user also sends
 * `read`, always one round behind, so that some entries are unread. Half of the
 * users read everything at the end. It reports what it sends to the ledger.
 */
#ifndef PARLEY_TESTS_LEDGER_CLIENTS_RECEIPT_SENDER_H
#define PARLEY_TESTS_LEDGER_CLIENTS_RECEIPT_SENDER_H

#include "client-test/client/connection.h"
#include "client-test/client/inbox.h"
#include "tests/ledger/judge/ledger.h"

struct receipt_sender;

struct receipt_sender *receipt_sender_create(struct ledger *ledger,
                                             struct ledger_device_id device);
void receipt_sender_destroy(struct receipt_sender **sender);

/* Sends new receipts; `last`: all receipts, for the last time. */
void receipt_sender_send(struct receipt_sender *sender,
                         const struct inbox *inbox,
                         struct connection *connection, bool last);
/* The user left the conversation, or joined it again. */
void receipt_sender_set_gone(struct receipt_sender *sender,
                             uint64_t conversation, bool gone);
bool receipt_sender_is_gone(struct receipt_sender *sender,
                            uint64_t conversation);

#endif
