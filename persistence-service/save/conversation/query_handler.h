/*
 * query_handler - answers the queries of gateways: the large conversations of
 * users and the users who block them (SAVE_ROOMS), the keys of conversations
 * (SAVE_KEYS), and the recipients of a user's typing (SAVE_ROSTER). It also
 * reads a changed block list (SAVE_BLOCKED).
 *
 * All calls belong to one open transaction. Errors are those of sql.h.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_CONVERSATION_QUERY_HANDLER_H
#define PARLEY_PERSISTENCE_SAVE_CONVERSATION_QUERY_HANDLER_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/batch/attempt.h"

struct query_handler;

struct query_handler *query_handler_create(struct sql *sql);
void query_handler_destroy(struct query_handler **handler);
/*
 * Fills `answer` of the queries among the entries of the attempt. An answer to
 * SAVE_ROOMS leaves out the users that do not fit: the gateway asks again.
 */
MUST_CHECK enum status query_handler_answer(struct query_handler *handler,
                                            const struct attempt *attempt);

#endif
