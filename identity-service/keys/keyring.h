/*
 * keyring - the keys of the table signing_keys, which all instances share.
 *
 * The newest key that is not retired signs; all keys that are not retired
 * verify.
 *
 * Ownership  a returned key lives as long as the keyring.
 * Threads    keyring_refresh(): the main thread; all others: any thread.
 */
#ifndef PARLEY_IDENTITY_KEYS_KEYRING_H
#define PARLEY_IDENTITY_KEYS_KEYRING_H

#include "common/io/jwt/key.h"
#include "common/io/sql/sql.h"

struct keyring;

struct keyring *keyring_create(void);
void keyring_destroy(struct keyring **keyring);
/* Reads the keys. Creates the first one under a lock of the database. */
MUST_CHECK enum status keyring_refresh(struct keyring *keyring,
                                       struct sql *sql);
/* NULL before the first refresh. */
const struct jwt_key *keyring_signer(struct keyring *keyring);
/* NULL when no key has this id, or the key is retired. */
const struct jwt_key *keyring_find(struct keyring *keyring, struct span id);
/* The keys that verify, oldest first, from *at = 0 on; NULL after the last. */
const struct jwt_key *keyring_next(struct keyring *keyring, unsigned *at);
/* Changes when a key is retired: cached verifications are then invalid. */
unsigned keyring_generation(struct keyring *keyring);

#endif
