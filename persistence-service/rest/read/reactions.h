/*
 * reactions - how people reacted to the messages of a page:
 * [{"reaction":"👍","users":[1,2],"count":2}], at most REACTION_USERS_MAX users
 * each.
 */
#ifndef PARLEY_PERSISTENCE_REST_READ_REACTIONS_H
#define PARLEY_PERSISTENCE_REST_READ_REACTIONS_H

#include "persistence-service/rest/read/entries.h"

enum { REACTION_USERS_MAX = 100 };

/* Of a page. */
#define REACTIONS_JSON_MAX ((size_t)64 * 1024 * 1024)

/* Fills reactions_at and reactions.len of those that were changed once. */
MUST_CHECK enum status reactions_read(struct entries *entries,
                                      struct reader *reader);

#endif
