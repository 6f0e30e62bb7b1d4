/*
 * changes - saves the changes of existing messages of an attempt: edits,
 * deletions and reactions, in their order. Each is checked under the lock of
 * its conversation and takes the conversation's next revision.
 *
 * (sender, uuid) identifies a change, as it does a message. It is looked for
 * only when the change is refused, and after a conflict. A duplicate is
 * answered with its first result; a uuid that names something else is refused.
 *
 * Errors     those of sql.h. ST_CONFLICT: roll back and try again with
 *            attempt.after_conflict.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_CHANGES_H
#define PARLEY_PERSISTENCE_SAVE_CHANGES_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/batch/attempt.h"
#include "persistence-service/save/conversation/roster.h"

struct changes;

struct changes *changes_create(struct sql *sql, struct rosters *rosters,
                               unsigned reactions_max);
void changes_destroy(struct changes **changes);
/* After the messages of the attempt were written. */
MUST_CHECK enum status changes_save(struct changes *changes,
                                    const struct attempt *attempt);

#endif
