/*
 * ledger_report - the verdict of a ledger run: one JSON object on stdout, a
 * table on stderr.
 */
#ifndef PARLEY_TESTS_LEDGER_LEDGER_REPORT_H
#define PARLEY_TESTS_LEDGER_LEDGER_REPORT_H

#include "tests/ledger/ledger_book.h"
#include "tests/ledger/ledger_tally.h"

enum ledger_verdict {
	LEDGER_CLEAN,
	LEDGER_VIOLATED,
	LEDGER_UNDECIDED, /* no fault seen, but not all could be looked at */
};

struct ledger_run {
	const struct ledger_plan *plan;
	const struct ledger_book *book; /* judged, when it was drained */
	const struct ledger_tally *tally;
	const char *undecided; /* why not all could be looked at, or NULL */
	uint64_t seed;
	double seconds;
	double drain_s;
};

enum ledger_verdict ledger_report(const struct ledger_run *run);

#endif
