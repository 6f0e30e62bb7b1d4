/*
 * answer_store - what gateways ask about their users: which large conversations
 * one is in and who blocks them (SAVE_ROOMS), and whom one's typing is for
 * (SAVE_ROSTER). And what a changed block list (SAVE_BLOCKED) now says.
 *
 * All calls belong to one open transaction. Errors are those of sql.h.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_CONVERSATION_QUERY_HANDLER_H
#define PARLEY_PERSISTENCE_SAVE_CONVERSATION_QUERY_HANDLER_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/batch.h"

struct answer_store;

struct answer_store *answer_store_create(struct sql *sql);
void answer_store_destroy(struct answer_store **store);
/*
 * Fills `answer` of the questions among the entries from `from` to before `to`.
 * In that to SAVE_ROOMS whom it has no room for is left out: the gateway asks
 * again.
 */
MUST_CHECK enum status answer_store_read(struct answer_store *store,
                                         struct batch *batch, unsigned from,
                                         unsigned to);

#endif
