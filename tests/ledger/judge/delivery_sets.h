/*
 * delivery_sets - which devices got a message or membership change, and how: a
 * few sets of bits, one bit for each device of each position.
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_DELIVERY_SETS_H
#define PARLEY_TESTS_LEDGER_JUDGE_DELIVERY_SETS_H

#include "tests/ledger/judge/ledger_state.h"

/* Empty sets for the devices of this many positions. */
struct delivery_sets delivery_sets_new(struct ledger *ledger,
                                       unsigned positions);
bool delivery_sets_has(const struct ledger *ledger,
                       const struct delivery_sets *sets, enum delivery_set set,
                       unsigned bit);
void delivery_sets_add(struct ledger *ledger, const struct delivery_sets *sets,
                       enum delivery_set set, unsigned bit);

#endif
