/*
 * changes_fixture - the pass of the changes alone: edits, deletions and
 * reactions.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_CHANGE_TESTS_CHANGES_FIXTURE_H
#define PARLEY_PERSISTENCE_SAVE_CHANGE_TESTS_CHANGES_FIXTURE_H

#include "persistence-service/save/change/changes.h"
#include "persistence-service/save/tests/pass_fixture.h"

enum { PAIR = 19, REACTIONS_MAX = 3 };

int changes_fixture_start(void **state); /* of the group of tests */
int changes_fixture_stop(void **state);
/*
 * Before each test. In the group 3 has written 2 and 3, and 1 has written 4. In
 * the pair of 1 and 2, 1 has written 1. In the channel 1 has written 2.
 */
int changes_fixture_begin(void **state);
/* All that a change may write, as one text. The caller frees it. */
char *read_written(void);

#endif
