/*
 * digest - SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104): what is stored or
 * cached in place of a token.
 */
#ifndef PARLEY_IO_DIGEST_H
#define PARLEY_IO_DIGEST_H

#include "common/base/span.h"

#include <stdint.h>

enum { DIGEST_LEN = 32 };

struct digest {
	uint8_t byte[DIGEST_LEN];
};

void digest_make(struct span bytes, struct digest *ret_digest);
void digest_hmac(struct span key, struct span bytes, struct digest *ret_digest);

static inline struct span digest_span(const struct digest *digest)
{
	return span_make(digest->byte, DIGEST_LEN);
}

#endif
