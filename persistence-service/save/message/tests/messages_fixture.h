/*
 * messages_fixture - the pass of the messages alone.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_MESSAGE_TESTS_MESSAGES_FIXTURE_H
#define PARLEY_PERSISTENCE_SAVE_MESSAGE_TESTS_MESSAGES_FIXTURE_H

#include "persistence-service/save/message/messages.h"
#include "persistence-service/save/tests/pass_fixture.h"

extern struct messages *messages;

int messages_fixture_start(void **state); /* of the group of tests */
int messages_fixture_stop(void **state);
int messages_fixture_empty(void **state); /* a group and a channel only */
/* Nothing is known but what the database has. */
void messages_fixture_evict(void);

#endif
