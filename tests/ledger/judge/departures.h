/*
 * departures - a user who left a room, or was removed, receives the frame that
 * says so, and nothing that happens afterwards.
 *
 * Judges each socket by what it got itself. Whether a user got entries at all
 * that the user must not see is judged at the end (misrouted).
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_DEPARTURES_H
#define PARLEY_TESTS_LEDGER_JUDGE_DEPARTURES_H

#include "tests/ledger/judge/ledger_state.h"

/* A membership change arrived live. */
void departures_change(struct ledger *ledger, struct ledger_device_id device,
                       const struct message *message);
/* An entry with this seq arrived live. */
void departures_check(struct ledger *ledger, struct ledger_device_id device,
                      uint64_t conversation, uint64_t seq);
/*
 * Something without a seq arrived live: an edit, a receipt, typing. `position`:
 * its place in the order of first sendings.
 */
void departures_check_sent(struct ledger *ledger,
                           struct ledger_device_id device,
                           uint64_t conversation, uint32_t position,
                           const char *what);

#endif
