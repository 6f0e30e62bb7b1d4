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
/*
 * The server or the network ended the socket without a close frame: a fault,
 * unless a gateway or the balancer dies or was dead in this session. Called
 * before sessions_disconnected().
 */
void sessions_cut(struct ledger *ledger, struct ledger_device_id device);
/* From now on, or no longer, sockets may be cut. */
void sessions_expect_cuts(struct ledger *ledger, bool expected);

/* --- for the judge only -------------------------------------------------- */
const struct device_session *sessions_get(const struct ledger *ledger,
                                          struct ledger_device_id device);

#endif
