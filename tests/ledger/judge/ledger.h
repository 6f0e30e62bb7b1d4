/*
 * ledger - every message of a run: its sender, its answers, the devices that
 * received it. Judges observations as they arrive, and everything at the end.
 *
 * A message goes to a user or to a room: a group or channel. The room itself
 * says who its members are, by its `member` entries: an entry concerns exactly
 * the users that the entries with lower seqs made members.
 *
 * No I/O. A message is a number, from 0; its uuid and its text follow from the
 * run and that number, so an observation can be compared with what was sent.
 *
 * A user has several devices, each with one socket at a time. A session of a
 * device begins with its welcome: a message first sent after that must arrive
 * on it.
 *
 * Ownership  arguments are only read.
 * Units      _us is monotonic microseconds.
 * Source     the checks are those of Jepsen's kafka and set-full workloads,
 *            https://github.com/jepsen-io/jepsen
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_LEDGER_H
#define PARLEY_TESTS_LEDGER_JUDGE_LEDGER_H

#include "tests/ledger/judge/ledger_types.h"

struct ledger *ledger_create(const struct ledger_config *config);
void ledger_destroy(struct ledger **ledger);
/* The id of a user who signed in. Called first for each user. */
void ledger_set_user_id(struct ledger *ledger, unsigned user, uint64_t id);
uint64_t ledger_user_id(const struct ledger *ledger, unsigned user);
const struct ledger_totals *ledger_totals(const struct ledger *ledger);
/* The first faults in words; NULL past the last. */
const char *ledger_example(const struct ledger *ledger, unsigned index);

#endif
