/*
 * history_fixture - the reads of the REST API on the database of chat_fixture,
 * and the buffer that they write to.
 */
#ifndef PARLEY_PERSISTENCE_REST_READ_TESTS_HISTORY_FIXTURE_H
#define PARLEY_PERSISTENCE_REST_READ_TESTS_HISTORY_FIXTURE_H

#include "common/base/buf.h"
#include "persistence-service/rest/read/history.h"
#include "persistence-service/tests/chat_fixture.h"

extern struct history *history;
extern struct buf json;

int history_fixture_start(void **state); /* of the group of tests */
int history_fixture_stop(void **state);
/* What was read; fails when it is longer than the maximum. */
const char *answer_text(size_t bytes_max);

#endif
