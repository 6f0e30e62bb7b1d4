/*
 * people - is there such a user, asked of identity-service with the token of
 * who wants to know. Who is there is remembered: users are never deleted.
 *
 * Threads    struct people is shared by all; struct people_asker belongs to
 *            one.
 */
#ifndef PARLEY_PERSISTENCE_PEOPLE_H
#define PARLEY_PERSISTENCE_PEOPLE_H

#include "common/wire/identity.h"

struct people;
struct people_asker;

struct people *people_create(const char *identity_url);
void people_destroy(struct people **people);

struct people_asker *people_asker_create(struct people *people);
void people_asker_destroy(struct people_asker **asker);
/*
 * ST_OK: all are there. ST_NOT_FOUND: *ret_missing is not. ST_DENIED: the token
 * is nobody's. ST_UNAVAILABLE: identity can't say now.
 */
MUST_CHECK enum status people_ask(struct people_asker *asker, struct span token,
                                  const uint64_t *users, unsigned count,
                                  uint64_t *ret_missing);

#endif
