/*
 * transaction_fixture - a transaction on the database of chat_fixture, through
 * a connection of its own.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_TESTS_TRANSACTION_FIXTURE_H
#define PARLEY_PERSISTENCE_SAVE_TESTS_TRANSACTION_FIXTURE_H

#include "persistence-service/save/transaction.h"
#include "persistence-service/tests/chat_fixture.h"

extern struct sql *sql;
extern const struct transaction_options transaction_options;
extern struct transaction *transaction;
extern struct batch *batch;

int transaction_fixture_start(void **state); /* of the group of tests */
int transaction_fixture_stop(void **state);
int transaction_fixture_empty(void **state); /* before each test */

/* Adds a message; without `uuid` it gets a new one. */
struct batch_entry *put(uint64_t sender, uint64_t user_to,
                        const struct uuid *uuid, const char *text);
struct batch_entry *put_into(struct batch *to, uint64_t sender,
                             uint64_t user_to, const struct uuid *uuid,
                             const char *text);
/* Adds a record about a conversation; the caller sets its other members. */
struct batch_entry *put_kind(enum save_kind kind, uint64_t sender,
                             uint64_t conversation, uint64_t seq);
/* Saves the batch; afterwards no entry is open. */
void save(void);
void save_with(struct transaction *by, struct sql *connection);
/* seq has no gaps, and each conversation's last_seq is its highest. */
void assert_consistent(void);

#endif
