/*
 * verdict - the end of a run: the verdict on every message.
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_VERDICT_H
#define PARLEY_TESTS_LEDGER_JUDGE_VERDICT_H

#include "client-test/client/message.h"
#include "tests/ledger/judge/ledger_types.h"

/* To be called once, after all histories were read. */
void verdict_judge(struct ledger *ledger);

#endif
