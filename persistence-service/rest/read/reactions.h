/*
 * reactions - the reactions to the messages of a page, as JSON:
 * [{"reaction":"👍","users":[1,2],"count":2}], with at most 100 users each.
 */
#ifndef PARLEY_PERSISTENCE_REST_READ_REACTIONS_H
#define PARLEY_PERSISTENCE_REST_READ_REACTIONS_H

#include "persistence-service/rest/read/entries.h"

/*
 * Fills reactions, reactions_at and the reactions.len of the messages: only of
 * messages with a revision can there be any. Drops the last entries when the
 * texts and reactions of those before exceed bytes_max.
 */
MUST_CHECK enum status reactions_read(struct entries *entries,
                                      struct sql_session *session,
                                      size_t bytes_max);

#endif
