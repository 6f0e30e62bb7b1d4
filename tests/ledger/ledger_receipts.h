/*
 * ledger_receipts - what a device of a ledger run says of how far it has come.
 *
 * Every device says what it has got; the first of each user also what was read:
 * always one time behind, so that some is unread. Half of the users read all in
 * the end. What is said goes into the book.
 */
#ifndef PARLEY_TESTS_LEDGER_LEDGER_RECEIPTS_H
#define PARLEY_TESTS_LEDGER_LEDGER_RECEIPTS_H

#include "client-test/client/connection.h"
#include "client-test/client/inbox.h"
#include "tests/ledger/ledger_book.h"

struct ledger_receipts;

struct ledger_receipts *ledger_receipts_create(struct ledger_book *book,
                                               struct ledger_place place);
void ledger_receipts_destroy(struct ledger_receipts **receipts);

/* Says what is new; `last`: all, new or not, for the last time. */
void ledger_receipts_say(struct ledger_receipts *receipts,
                         const struct inbox *inbox,
                         struct connection *connection, bool last);
/* The user is in that conversation no more, or is again. */
void ledger_receipts_gone(struct ledger_receipts *receipts,
                          uint64_t conversation, bool gone);

#endif
