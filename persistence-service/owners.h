/*
 * owners - whose token is this, asked of identity-service and remembered until
 * the token ends, but for 30 s at most, so that a revoked one dies soon.
 *
 * Threads    struct owners is shared by all; struct owner_asker belongs to one.
 */
#ifndef PARLEY_PERSISTENCE_OWNERS_H
#define PARLEY_PERSISTENCE_OWNERS_H

#include "common/wire/identity.h"

struct owners;
struct owner_asker;

struct owners *owners_create(const char *identity_url);
void owners_destroy(struct owners **owners);

struct owner_asker *owner_asker_create(struct owners *owners);
void owner_asker_destroy(struct owner_asker **asker);
/* ST_OK, ST_DENIED, or ST_UNAVAILABLE when identity can't say now. */
MUST_CHECK enum status owner_ask(struct owner_asker *asker, struct span token,
                                 struct token_owner *ret_owner);

#endif
