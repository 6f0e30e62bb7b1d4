/*
 * base64url - RFC 4648 section 5, without padding.
 */
#ifndef PARLEY_BASE_BASE64URL_H
#define PARLEY_BASE_BASE64URL_H

#include "common/base/buf.h"

#include <stdbool.h>

void base64url_encode(struct span bytes, struct buf *out);
/*
 * False: a byte is not of the alphabet, the length is impossible, an unused bit
 * is set (so that each value has one encoding only), or `out` has overflowed.
 */
bool base64url_decode(struct span text, struct buf *out);

#endif
