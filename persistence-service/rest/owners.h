/*
 * owners - whose token is this, asked of identity-service and remembered until
 * the token ends, but for 30 s at most, so that a revoked one dies soon.
 *
 * Threads    any.
 */
#ifndef PARLEY_PERSISTENCE_REST_OWNERS_H
#define PARLEY_PERSISTENCE_REST_OWNERS_H

#include "persistence-service/rest/asker.h"

struct owners;

struct owners *owners_create(void);
void owners_destroy(struct owners **owners);
/* ST_OK, ST_DENIED, or ST_UNAVAILABLE when identity can't say now. */
MUST_CHECK enum status owners_ask(struct owners *owners, struct asker *asker,
                                  struct span token,
                                  struct token_owner *ret_owner);

#endif
