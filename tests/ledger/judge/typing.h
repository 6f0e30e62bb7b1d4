/*
 * typing - who sees whom type: the other members of the conversation, and in a
 * direct conversation with a block nobody.
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_TYPING_H
#define PARLEY_TESTS_LEDGER_JUDGE_TYPING_H

#include "tests/ledger/judge/ledger_types.h"

/*
 * A device sends `typing`. The two users of a pair that blocks (blocks.h) must
 * send it only while blocks_first(): then a frame that arrives is a fault,
 * however late it is.
 */
void typing_sent(struct ledger *ledger, struct ledger_device_id device,
                 uint64_t conversation);
/* A `typing` frame about a user, given by id. */
void typing_received(struct ledger *ledger, struct ledger_device_id device,
                     uint64_t conversation, uint64_t user);

#endif
