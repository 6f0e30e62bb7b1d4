/*
 * token - issues access tokens and verifies them.
 *
 * Claims: iss, aud, sub (user id as text), name, sid (session), jti, iat, exp
 * (RFC 7519 4.1). A verified token is cached by its SHA-256 until it expires;
 * the revocation of its session is checked each time.
 *
 * A token may name a key that another instance has made and this one has not
 * read: the database says whether there is such a key.
 *
 * Threads    any.
 */
#ifndef PARLEY_IDENTITY_KEYS_TOKEN_H
#define PARLEY_IDENTITY_KEYS_TOKEN_H

#include "common/base/buf.h"
#include "common/base/uuid.h"
#include "common/io/json.h"
#include "common/wire/identity.h"
#include "identity-service/database.h"
#include "identity-service/keys/signing_keys.h"
#include "identity-service/session/revocations.h"

struct token_rules {
	struct keyring *keyring;         /* borrowed */
	const struct key_rules *keys;    /* borrowed */
	struct revocations *revocations; /* borrowed */
	const char *issuer;
	const char *issuer_before; /* accepted as well */
	const char *audience;
	uint64_t ttl_s;
	size_t cache_entries;
};

struct tokens;

struct tokens *tokens_create(const struct token_rules *rules);
void tokens_destroy(struct tokens **tokens);
size_t tokens_cached(struct tokens *tokens);
/* The expiry of a token that is issued now; Unix milliseconds. */
uint64_t token_expiry_ms(const struct tokens *tokens, uint64_t now_unix_ms);

/* ST_UNAVAILABLE: no key is loaded. */
MUST_CHECK enum status token_issue(struct tokens *tokens, uint64_t user,
                                   struct span name, const struct uuid *session,
                                   uint64_t now_unix_ms, struct buf *ret_token);
/*
 * The owner of a token. ST_DENIED: the token is not valid, *ret_why is a text
 * for the log. ST_NOT_FOUND: its key is not known here; only with `database`
 * NULL, for a thread that must not wait: call it again with a database.
 * ST_UNAVAILABLE, ST_BUSY: no key is loaded, or the database does not say.
 */
MUST_CHECK enum status token_owner(struct tokens *tokens,
                                   struct database *database, struct span token,
                                   uint64_t now_unix_ms,
                                   struct token_owner *ret_owner,
                                   const char **ret_why);
/* The same, and all claims of the token. */
MUST_CHECK enum status token_claims(struct tokens *tokens,
                                    struct database *database,
                                    struct span token, uint64_t now_unix_ms,
                                    struct json **ret_claims,
                                    const char **ret_why);

#endif
