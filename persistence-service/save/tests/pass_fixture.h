/*
 * pass_fixture - one pass of a transaction alone, over the records of one kind:
 * a transaction on the connection of batch_fixture that runs only this pass.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_TESTS_PASS_FIXTURE_H
#define PARLEY_PERSISTENCE_SAVE_TESTS_PASS_FIXTURE_H

#include "persistence-service/save/batch/attempt.h"
#include "persistence-service/save/conversation/roster.h"
#include "persistence-service/save/owner/refusals.h"
#include "persistence-service/save/tests/batch_fixture.h"

enum { PARTITIONS = 12, TOLD_PARTITION = 3 };

extern struct rosters *rosters;
extern struct refusals *refusals;

/* The pass of the test, which the test makes and destroys. */
struct pass {
	enum status (*run)(const struct attempt *attempt);
	/* The transaction has ended; NULL: the pass keeps nothing of it. */
	void (*ended)(bool committed);
};

void pass_fixture_start(const struct pass *pass);
void pass_fixture_stop(void);
void pass_fixture_empty(void); /* before each test: no caches */

/* One attempt that is committed, or rolled back when it fails. */
MUST_CHECK enum status pass_try(bool after_conflict);
/* Commits; tries again after a conflict, as a transaction does. */
void pass_save(void);
/* One attempt that succeeds, but whose commit fails: all is rolled back. */
void pass_save_in_vain(void);

/* Statements of the pass in the last attempt. */
unsigned pass_statements(void);

/* A record that was refused before, with this code; at an offset of its own. */
void tell_refusal(struct batch_entry *entry, const char *code);

#endif
