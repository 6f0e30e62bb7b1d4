/*
 * report - prints the verdict of a run: one JSON object on stdout, a table on
 * stderr.
 */
#ifndef PARLEY_TESTS_LEDGER_REPORT_H
#define PARLEY_TESTS_LEDGER_REPORT_H

#include "tests/ledger/clients/timeline.h"
#include "tests/ledger/judge/ledger.h"

enum verdict {
	VERDICT_CLEAN,
	VERDICT_VIOLATED,
	VERDICT_UNDECIDED, /* no fault found, but not everything was checked */
};

struct report {
	const struct ledger_config *config;
	const struct ledger *ledger; /* judged, unless undecided */
	const struct timeline *timeline;
	const char *undecided; /* why not everything was checked, or NULL */
	uint64_t seed;
	double seconds;
	double drain_s;
};

enum verdict report_print(const struct report *report);

#endif
