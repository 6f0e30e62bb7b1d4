/*
 * writer_fixture - a writer on the database of chat_fixture, through a
 * connection of its own.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_TESTS_TRANSACTION_FIXTURE_H
#define PARLEY_PERSISTENCE_SAVE_TESTS_TRANSACTION_FIXTURE_H

#include "persistence-service/save/transaction.h"
#include "persistence-service/tests/chat_fixture.h"

extern struct sql *sql;
extern const struct writer_options writer_options;
extern struct writer *writer;
extern struct batch *batch;

int writer_fixture_start(void **state); /* of the group of tests */
int writer_fixture_stop(void **state);
int writer_fixture_empty(void **state); /* before each test */

/* A message from one to another; without `uuid` under one of its own. */
struct batch_entry *put(uint64_t sender, uint64_t user_to,
                        const struct uuid *uuid, const char *text);
struct batch_entry *put_into(struct batch *to, uint64_t sender,
                             uint64_t user_to, const struct uuid *uuid,
                             const char *text);
/* A record about a conversation; its other members are the caller's to set. */
struct batch_entry *put_kind(enum save_kind kind, uint64_t sender,
                             uint64_t conversation, uint64_t seq);
/* The batch; afterwards none of it is open. */
void save(void);
void save_with(struct writer *by, struct sql *connection);
/* No gaps in seq, and the last one is what the conversation says. */
void assert_consistent(void);

#endif
