/*
 * load - what the users send, at fixed times, independent of the answers.
 */
#ifndef PARLEY_TESTS_LEDGER_LOAD_H
#define PARLEY_TESTS_LEDGER_LOAD_H

#include "tests/ledger/run.h"

/* Sends what is due. */
void load_send_due(struct run *run, uint64_t now_us);

#endif
