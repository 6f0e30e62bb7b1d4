/*
 * people - is there such a user, asked of identity-service with the token of
 * who wants to know. Who is there is remembered: users are never deleted.
 *
 * Threads    any.
 */
#ifndef PARLEY_PERSISTENCE_REST_PEOPLE_H
#define PARLEY_PERSISTENCE_REST_PEOPLE_H

#include "persistence-service/rest/asker.h"

struct people;

struct people *people_create(void);
void people_destroy(struct people **people);
/*
 * ST_OK: all are there. ST_NOT_FOUND: *ret_missing is not. ST_DENIED: the token
 * is nobody's. ST_UNAVAILABLE: identity can't say now.
 */
MUST_CHECK enum status people_ask(struct people *people, struct asker *asker,
                                  struct span token, const uint64_t *users,
                                  unsigned count, uint64_t *ret_missing);

#endif
