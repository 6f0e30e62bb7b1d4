/*
 * settle - the end of a run: nothing is under way any more. No clock decides
 * that something is lost: a message or edit sent after it must be saved first.
 */
#ifndef PARLEY_TESTS_LEDGER_SETTLE_H
#define PARLEY_TESTS_LEDGER_SETTLE_H

#include "tests/ledger/run.h"

/* True when everything that was sent has its outcome. */
bool settle_check(struct run *run, uint64_t now_us);
/*
 * Sends the last receipts, and waits until every socket has got everything.
 * ST_UNAVAILABLE: sockets were lost again and again, or it takes too long.
 */
MUST_CHECK enum status settle_sockets(struct run *run);
/*
 * Some users go for good; then everyone must see who is online. Judges it: what
 * is not seen within --calm seconds never comes.
 */
void settle_presence(struct run *run);

#endif
