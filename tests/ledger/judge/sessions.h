/*
 * sessions - the current session of each device: from its welcome until its
 * socket is lost.
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_SESSIONS_H
#define PARLEY_TESTS_LEDGER_JUDGE_SESSIONS_H

#include "tests/ledger/judge/ledger_types.h"

struct device_session;

void sessions_welcome(struct ledger *ledger, struct ledger_device_id device,
                      uint64_t now_us);
void sessions_disconnected(struct ledger *ledger,
                           struct ledger_device_id device);

/* --- for the judge only -------------------------------------------------- */
const struct device_session *sessions_get(const struct ledger *ledger,
                                          struct ledger_device_id device);

#endif
