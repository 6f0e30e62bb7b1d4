/*
 * percent - hexadecimal digits and percent-encoding, RFC 3986 2.1
 */
#ifndef PARLEY_BASE_PERCENT_H
#define PARLEY_BASE_PERCENT_H

#include "common/base/span.h"

#include <stdbool.h>
#include <stddef.h>

/* 0 to 15, in either case; -1 for any other character. */
int hex_digit(char c);

/*
 * Decodes into `out`, which has room for raw.len bytes. False for a malformed
 * escape. plus_is_blank decodes a form: "a+b" becomes "a b".
 */
bool percent_decode(struct span raw, bool plus_is_blank, char *out,
                    size_t *ret_len);

#endif
