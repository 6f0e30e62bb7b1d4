/*
 * recipients - the rosters of entries whose outcomes are committed but that
 * have none: duplicates, and the entries of a batch that was tried again. They
 * get the present members; none when the conversation is gone.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_CONVERSATION_RECIPIENTS_H
#define PARLEY_PERSISTENCE_SAVE_CONVERSATION_RECIPIENTS_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/batch/batch.h"
#include "persistence-service/save/conversation/roster.h"

struct recipients;

struct recipients *recipients_create(struct sql *sql, struct rosters *rosters);
void recipients_destroy(struct recipients **recipients);
/* In a transaction of its own, when an entry needs it. Errors as in sql.h. */
MUST_CHECK enum status recipients_complete(struct recipients *recipients,
                                           struct batch *batch);

#endif
