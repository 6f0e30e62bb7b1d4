/*
 * signing_keys - the table of that name, which all instances share: it fills a
 * keyring, and keys rotate in it.
 *
 * The newest key whose time has come (signs_from) signs. A new key is in the
 * table for `lead_s` before that, so that every instance has it, and the
 * clients that keep the JWKS read it. An older key verifies as long as a token
 * lives that it signed (verifies_until); then its row is deleted. A key with
 * retired_at is not believed from then on.
 *
 * All times are those of the database: the clocks of the instances do not
 * matter.
 */
#ifndef PARLEY_IDENTITY_SIGNING_KEYS_H
#define PARLEY_IDENTITY_SIGNING_KEYS_H

#include "common/io/sql/sql.h"
#include "identity-service/keys/key_secret.h"
#include "identity-service/keys/keyring.h"

/* Fewer than fit into a keyring, which a dead key leaves a reading later. */
enum { SIGNING_KEYS_MAX = 48 };

struct key_rules {
	struct key_secret secret;
	uint64_t rotate_days; /* 0: never by itself */
	uint64_t lead_s;
	uint64_t token_ttl_s;
};

/*
 * Reads the keys into the keyring. Makes the first key, and a new one when it
 * is time; encrypts the keys of an older version, and those of the secret
 * before; deletes dead ones. ST_DENIED: a key was encrypted with a secret that
 * `rules` does not have, *ret_why names it; the others are in the keyring, and
 * no key was made. ST_BUSY: another instance makes the first key. Only for the
 * main thread.
 */
MUST_CHECK enum status signing_keys_read(struct keyring *keyring,
                                         struct sql *sql,
                                         const struct key_rules *rules,
                                         struct buf *ret_why);
/*
 * Adds one key: for a token that names a key which the keyring does not have.
 * ST_NOT_FOUND: the database has none, either. ST_BUSY: it cannot be used now.
 */
MUST_CHECK enum status signing_keys_learn(struct keyring *keyring,
                                          struct sql *sql,
                                          const struct key_rules *rules,
                                          struct span kid);

/* A key that does not sign yet, or the first one. */
struct new_key {
	char kid[UUID_TEXT_LEN + 1];
	char signs_from[32]; /* UTC, as in RFC 3339 */
	bool was_there;      /* another call has made it */
};
/*
 * Makes a new key now, unless one waits already. ST_BUSY: another makes one.
 * ST_TOO_LARGE: there are SIGNING_KEYS_MAX keys, *ret_why says so.
 * Otherwise as signing_keys_read().
 */
MUST_CHECK enum status signing_keys_rotate(struct keyring *keyring,
                                           struct sql *sql,
                                           const struct key_rules *rules,
                                           struct new_key *ret_key,
                                           struct buf *ret_why);

#endif
