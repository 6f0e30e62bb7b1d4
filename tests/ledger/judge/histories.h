/*
 * histories - the whole history of every user, read at the end.
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_HISTORIES_H
#define PARLEY_TESTS_LEDGER_JUDGE_HISTORIES_H

#include "client-test/client/message.h"
#include "tests/ledger/judge/ledger_types.h"

/* An entry of a user's whole history, read after `before_seq` or 0. */
void histories_entry(struct ledger *ledger, unsigned user,
                     const struct message *message, uint64_t before_seq);
/* The history was read up to `read_seq`; the list said `last_seq`. */
void histories_end(struct ledger *ledger, unsigned user, uint64_t conversation,
                   uint64_t read_seq, uint64_t last_seq);
/* A user can read a conversation that is not in the user's list. */
void histories_read_by_non_member(struct ledger *ledger, unsigned user,
                                  uint64_t conversation);

#endif
