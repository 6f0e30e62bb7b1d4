/*
 * ledger_history - reads the whole history of everybody over REST, into the
 * book.
 */
#ifndef PARLEY_TESTS_LEDGER_LEDGER_HISTORY_H
#define PARLEY_TESTS_LEDGER_LEDGER_HISTORY_H

#include "tests/ledger/ledger_user.h"

struct ledger_history;

/*
 * Starts; *ret_done becomes true when all was read. A call that fails is made
 * again until it is answered: the caller has the deadline.
 */
struct ledger_history *ledger_history_create(
	struct uv_loop_s *loop, struct rest *rest, struct ledger_book *book,
	struct ledger_user *const *users, unsigned user_count, bool *ret_done);
/* After the rest. */
void ledger_history_destroy(struct ledger_history **history);

#endif
