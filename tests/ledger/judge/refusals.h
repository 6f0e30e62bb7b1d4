/*
 * refusals - messages that were refused for good: a refusal is final, through
 * any crash.
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_REFUSALS_H
#define PARLEY_TESTS_LEDGER_JUDGE_REFUSALS_H

#include "common/base/span.h"
#include "tests/ledger/judge/ledger_types.h"

/* An `error` that is not retryable arrived for a message. */
void refusals_told(struct ledger *ledger, struct ledger_device_id device,
                   uint32_t number, struct span code);

/* --- for the judge only -------------------------------------------------- */
/* The message is saved: it must not have been refused. */
void refusals_check(struct ledger *ledger, uint32_t number);

#endif
