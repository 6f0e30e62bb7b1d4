/*
 * history_reader - reads the whole history of every user over REST, into the
 * ledger.
 */
#ifndef PARLEY_TESTS_LEDGER_CLIENTS_HISTORY_READER_H
#define PARLEY_TESTS_LEDGER_CLIENTS_HISTORY_READER_H

#include "tests/ledger/clients/user.h"

struct history_reader;

/*
 * Starts to read; *ret_done becomes true when everything was read. A failed
 * call is repeated until it is answered: the caller sets the deadline.
 */
struct history_reader *
history_reader_create(struct uv_loop_s *loop, struct rest *rest,
                      struct ledger *ledger, struct user *const *users,
                      unsigned user_count, bool *ret_done);
/* To be destroyed after `rest`, so that no answer arrives any more. */
void history_reader_destroy(struct history_reader **reader);

#endif
