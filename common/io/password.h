/*
 * password - Argon2id hashes (RFC 9106) in the encoded text form, which states
 * its parameters: $argon2id$v=19$m=19456,t=2,p=1$salt$hash
 *
 * A call takes 19 MiB and about 20 ms of a core: call it in a bounded worker
 * pool only.
 */
#ifndef PARLEY_IO_PASSWORD_H
#define PARLEY_IO_PASSWORD_H

#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"

#include <stdbool.h>

enum { PASSWORD_HASH_MAX = 127 }; /* characters */

/* `ret_hash` has room for PASSWORD_HASH_MAX + 1. */
MUST_CHECK enum status password_hash(struct span password, char *ret_hash);
/* False also for a `hash` of another form. */
bool password_matches(struct span password, const char *hash);

#endif
