/*
 * seal - secrets at rest: AES-256-GCM (NIST SP 800-38D) under a key that
 * HKDF-SHA-256 (RFC 5869) derives from a longer-lived secret.
 *
 * A sealed text: a version byte (1), a nonce of 12 random bytes, the
 * ciphertext, and a tag of 16 bytes. The associated text is authenticated, but
 * not a part of it: it says which thing the sealed text belongs to.
 *
 * Threads    any.
 */
#ifndef PARLEY_IO_SEAL_H
#define PARLEY_IO_SEAL_H

#include "common/base/buf.h"
#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"

enum { SEAL_KEY_LEN = 32, SEAL_OVERHEAD = 1 + 12 + 16 };

/* Wipe it after use. */
struct seal_key {
	unsigned char byte[SEAL_KEY_LEN];
};

/* `purpose` keeps apart the keys that one secret is used for. */
void seal_key_derive(struct span secret, struct span purpose,
                     struct seal_key *ret_key);

MUST_CHECK enum status seal_close(const struct seal_key *key,
                                  struct span associated, struct span plain,
                                  struct buf *ret_sealed);
/*
 * ST_INVALID: not of this form. ST_DENIED: sealed under another key, for
 * another associated text, or changed.
 */
MUST_CHECK enum status seal_open(const struct seal_key *key,
                                 struct span associated, struct span sealed,
                                 struct buf *ret_plain);

#endif
