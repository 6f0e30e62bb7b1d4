/*
 * key_secret - encrypts the private halves of the signing keys under
 * IDENTITY_KEY_SECRET, each for its own kid: common/io/seal.h.
 */
#ifndef PARLEY_IDENTITY_KEY_SECRET_H
#define PARLEY_IDENTITY_KEY_SECRET_H

#include "common/io/seal.h"

#include <stdbool.h>

struct key_secret {
	struct seal_key now;
	struct seal_key before; /* of a secret that was replaced */
	bool has_before;
};

/* `before` may be empty. Wipe *ret_secret after use. */
void key_secret_make(struct span now, struct span before,
                     struct key_secret *ret_secret);
MUST_CHECK enum status key_secret_close(const struct key_secret *secret,
                                        struct span kid, struct span pem,
                                        struct buf *ret_sealed);
/*
 * *ret_is_before: the secret before opened it. ST_INVALID, ST_DENIED: as
 * seal_open().
 */
MUST_CHECK enum status key_secret_open(const struct key_secret *secret,
                                       struct span kid, struct span sealed,
                                       struct buf *ret_pem,
                                       bool *ret_is_before);

#endif
