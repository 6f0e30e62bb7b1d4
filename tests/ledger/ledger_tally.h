/*
 * ledger_tally - what happened in a ledger run beside messages, second by
 * second: the file that says how an outage looked from outside.
 */
#ifndef PARLEY_TESTS_LEDGER_LEDGER_TALLY_H
#define PARLEY_TESTS_LEDGER_LEDGER_TALLY_H

#include "common/base/json_write.h"
#include "common/base/scope.h"
#include "common/base/status.h"
#include "tests/ledger/ledger_book.h"

struct ledger_tally;

enum ledger_count {
	LEDGER_CONNECTS,
	LEDGER_RECEIVED,
	LEDGER_RETRYABLE_ERRORS,
	LEDGER_RESENDS,
	LEDGER_COUNTS
};

struct ledger_tally *ledger_tally_create(void);
void ledger_tally_destroy(struct ledger_tally **tally);
void ledger_tally_count(struct ledger_tally *tally, enum ledger_count count);
void ledger_tally_error(struct ledger_tally *tally, struct span code);
uint64_t ledger_tally_total(const struct ledger_tally *tally,
                            enum ledger_count count);
/* The member "errors": how often each code came. */
void ledger_tally_errors(const struct ledger_tally *tally,
                         struct json_writer *w);
/*
 * CSV, a row for each second: `sent` first put on the wire in it; `acked` first
 * accepted or saved in it; `acked_after_5s` of those sent in it, answered
 * within 5 s; `saved` told in it. ST_UNAVAILABLE when it can't be written.
 */
MUST_CHECK enum status ledger_tally_write(const struct ledger_tally *tally,
                                          const struct ledger_book *book,
                                          const char *path);

#endif
