/*
 * keyring - the signing keys in memory: one signs, all verify. signing_keys.h
 * reads them from the database.
 *
 * Ownership  a returned key lives for KEYRING_REST_S after it has left the
 *            keyring: longer than any use of it.
 * Threads    keyring_keep() and keyring_end_reading(): the main thread; all
 *            others: any thread. None waits.
 */
#ifndef PARLEY_IDENTITY_KEYRING_H
#define PARLEY_IDENTITY_KEYRING_H

#include "common/base/uuid.h"
#include "common/io/jwt/key.h"

enum { KEYRING_MAX = 64, KEYRING_REST_S = 3600 };

struct keyring;

struct keyring *keyring_create(void);
void keyring_destroy(struct keyring **keyring);
/* NULL before the first reading. */
const struct jwt_key *keyring_signer(struct keyring *keyring);
/* NULL when the keyring has no key of this id. */
const struct jwt_key *keyring_find(struct keyring *keyring, struct span id);
/* The keys that verify, from *at = 0 on; NULL after the last. */
const struct jwt_key *keyring_next(struct keyring *keyring, unsigned *at);
/* Changes when a key leaves: cached verifications are then invalid. */
unsigned keyring_generation(struct keyring *keyring);

/*
 * Adds a key that the database has. ST_INVALID: `pem` is no private key.
 * ST_TOO_LARGE: the keyring is full.
 */
MUST_CHECK enum status keyring_add(struct keyring *keyring, struct span id,
                                   struct span pem);
/* A reading of the database has this key. False: it must be added. */
bool keyring_keep(struct keyring *keyring, struct span id);
/*
 * Ends a reading: a key that it did not have leaves the keyring. The key
 * `signer` signs from now on; SPAN_NONE: the same as before.
 */
void keyring_end_reading(struct keyring *keyring, struct span signer);

#endif
