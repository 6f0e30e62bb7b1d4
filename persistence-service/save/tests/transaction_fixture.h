/*
 * transaction_fixture - a transaction on the connection of batch_fixture.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_TESTS_TRANSACTION_FIXTURE_H
#define PARLEY_PERSISTENCE_SAVE_TESTS_TRANSACTION_FIXTURE_H

#include "persistence-service/save/tests/batch_fixture.h"
#include "persistence-service/save/transaction.h"

extern const struct transaction_options transaction_options;
extern struct transaction *transaction;

int transaction_fixture_start(void **state); /* of the group of tests */
int transaction_fixture_stop(void **state);
int transaction_fixture_empty(void **state);  /* before each test */
int transaction_fixture_groups(void **state); /* with group and channel */

/* Saves the batch; afterwards no entry is open. */
void save(void);
void save_with(struct transaction *by, struct sql *connection);

#endif
