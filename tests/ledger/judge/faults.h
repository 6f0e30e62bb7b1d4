/*
 * faults - counts the faults found, with the first ones in words.
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_FAULTS_H
#define PARLEY_TESTS_LEDGER_JUDGE_FAULTS_H

#include "common/base/scope.h"
#include "tests/ledger/judge/ledger_types.h"

extern const char *const fault_names[FAULT_COUNT];
extern const char *const fault_texts[FAULT_COUNT];

/* --- for the judge only -------------------------------------------------- */
void faults_add(struct ledger *ledger, enum fault fault, const char *format,
                ...) PRINTF(3, 4);
void faults_free(struct ledger *ledger);

#endif
