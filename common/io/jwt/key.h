/*
 * jwt_key - a parsed RSA key for RS256 (RFC 7518 3.3).
 *
 * Threads    any: a key is immutable.
 */
#ifndef PARLEY_IO_JWT_KEY_H
#define PARLEY_IO_JWT_KEY_H

#include "common/base/buf.h"
#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"

#include <stdbool.h>

enum {
	JWT_KEY_BITS = 2048, /* at least */
	JWT_KEY_PEM_MAX = 8192,
	JWT_SIGNATURE_MAX = 1024, /* bytes: a key of 8192 bits */
};

struct jwt_key;

/* A new private key as PEM text. */
MUST_CHECK enum status jwt_key_generate(struct buf *ret_pem);
/*
 * ST_INVALID unless `pem` is an unencrypted private RSA key of at least
 * JWT_KEY_BITS. `id` is its "kid".
 */
MUST_CHECK enum status jwt_key_create(struct span id, struct span pem,
                                      struct jwt_key **ret_key);
void jwt_key_destroy(struct jwt_key **key);
struct span jwt_key_id(const struct jwt_key *key);
/* The modulus and the exponent of the public key, big-endian. */
MUST_CHECK enum status jwt_key_public(const struct jwt_key *key,
                                      struct buf *ret_modulus,
                                      struct buf *ret_exponent);
MUST_CHECK enum status jwt_key_sign(const struct jwt_key *key,
                                    struct span bytes,
                                    struct buf *ret_signature);
/* True when this key made `signature` over `bytes`. */
bool jwt_key_verifies(const struct jwt_key *key, struct span bytes,
                      struct span signature);

#endif
