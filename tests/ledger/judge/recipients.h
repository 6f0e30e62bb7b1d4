/*
 * recipients - the users that a message may concern, each at a position: sender
 * and recipient, or all users who may ever be members of the room. Each of
 * their devices has a bit in the message's delivery sets.
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_RECIPIENTS_H
#define PARLEY_TESTS_LEDGER_JUDGE_RECIPIENTS_H

#include "tests/ledger/judge/ledger_state.h"

unsigned recipients_count(const struct ledger *ledger,
                          const struct entry *entry);
unsigned recipients_user(const struct ledger *ledger, const struct entry *entry,
                         unsigned position);
/* -1: the message does not concern the user. */
int recipients_position(const struct ledger *ledger, const struct entry *entry,
                        unsigned user);
int recipients_device_bit(const struct ledger *ledger,
                          const struct entry *entry,
                          struct ledger_device_id device);

#endif
