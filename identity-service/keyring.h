/*
 * keyring - the keys of the table signing_keys, shared by all instances.
 *
 * The newest that is not retired signs; each that is not retired verifies.
 *
 * Threads    keyring_refresh() is the main thread's, everything else any. A
 *            key, once given, lives as long as the keyring.
 */
#ifndef PARLEY_IDENTITY_KEYRING_H
#define PARLEY_IDENTITY_KEYRING_H

#include "common/io/jwt/key.h"
#include "common/io/sql/sql.h"

struct keyring;

struct keyring *keyring_create(void);
void keyring_destroy(struct keyring **keyring);
/* Reads the keys; makes the first one, under a lock of the database. */
MUST_CHECK enum status keyring_refresh(struct keyring *keyring,
                                       struct sql *sql);
/* NULL before the first refresh. */
const struct jwt_key *keyring_signer(struct keyring *keyring);
/* NULL when there is none of this id, or it is retired. */
const struct jwt_key *keyring_find(struct keyring *keyring, struct span id);
/* Changes when a key is retired: what was believed before is to be doubted. */
unsigned keyring_generation(struct keyring *keyring);

#endif
