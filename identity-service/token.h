/*
 * token - what our access tokens say, and which of them we believe.
 *
 * Claims: iss, aud, sub (user id as text), name, sid (session), jti, iat, exp.
 * A token that has been verified is remembered by its SHA-256 until it
 * expires; whether its session is revoked is asked each time.
 *
 * Threads    any.
 */
#ifndef PARLEY_IDENTITY_TOKEN_H
#define PARLEY_IDENTITY_TOKEN_H

#include "common/base/buf.h"
#include "common/base/uuid.h"
#include "common/wire/identity.h"
#include "identity-service/keyring.h"
#include "identity-service/session.h"

struct token_rules {
	struct keyring *keyring;         /* borrowed */
	struct revocations *revocations; /* borrowed */
	const char *issuer;
	const char *audience;
	uint64_t ttl_s;
	size_t cache_entries;
};

struct tokens;

struct tokens *tokens_create(const struct token_rules *rules);
void tokens_destroy(struct tokens **tokens);
size_t tokens_cached(struct tokens *tokens);
/* When a token that is issued now will expire; Unix milliseconds. */
uint64_t token_expiry_ms(const struct tokens *tokens, uint64_t now_unix_ms);

/* ST_UNAVAILABLE without a key. */
MUST_CHECK enum status token_issue(struct tokens *tokens, uint64_t user,
                                   struct span name, const struct uuid *session,
                                   uint64_t now_unix_ms, struct buf *ret_token);
/*
 * Whose token it is. ST_DENIED with *ret_why for the log; ST_UNAVAILABLE while
 * there are no keys to check it with.
 */
MUST_CHECK enum status token_owner(struct tokens *tokens, struct span token,
                                   uint64_t now_unix_ms,
                                   struct token_owner *ret_owner,
                                   const char **ret_why);

#endif
