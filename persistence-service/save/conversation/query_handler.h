/*
 * query_handler - answers the queries of gateways: the large conversations of
 * users and the users who block them (SAVE_ROOMS), the keys of conversations
 * (SAVE_KEYS), and the recipients of a user's typing (SAVE_ROSTER).
 *
 * It only reads, and needs no transaction: each statement sees what was
 * committed when it began.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_CONVERSATION_QUERY_HANDLER_H
#define PARLEY_PERSISTENCE_SAVE_CONVERSATION_QUERY_HANDLER_H

#include "common/io/sql/sql.h"
#include "common/wire/save_record.h"

struct query_handler;

/* Borrows the connection. */
struct query_handler *query_handler_create(struct sql *sql);
void query_handler_destroy(struct query_handler **handler);
/*
 * The answer lives until the next call. An answer to SAVE_ROOMS leaves out the
 * users that do not fit: the gateway asks again. Errors are those of sql.h, and
 * ST_TOO_LARGE.
 */
MUST_CHECK enum status query_handler_answer(struct query_handler *handler,
                                            const struct save_record *record,
                                            struct span *ret_answer);

#endif
