/*
 * code - the code that proves that a phone number is the user's: six digits,
 * good once, for a short time.
 *
 * Only an HMAC of phone and code is stored, because a million codes are tried
 * quickly against a digest.
 */
#ifndef PARLEY_IDENTITY_PHONE_CODE_H
#define PARLEY_IDENTITY_PHONE_CODE_H

#include "common/io/digest.h"
#include "identity-service/phone/phone.h"

enum { CODE_LEN = 6, CODE_COUNT = 1000000 };

struct code {
	char text[CODE_LEN + 1];
};

/* Each code is equally likely. */
void code_make(struct code *ret_code);
/*
 * The code of a random number. False for the few numbers that would make some
 * codes more likely than others.
 */
bool code_from(uint32_t number, struct code *ret_code);
/* NULL, or a constant text for the client that names the fault. */
MUST_CHECK const char *code_read(struct span text, struct code *ret_code);

/* The key of the HMAC, from a secret of the service. */
struct digest code_key(struct span secret);
void code_digest(const struct digest *key, const struct phone *phone,
                 const struct code *code, struct digest *ret_digest);
/* Takes the same time wherever the two differ. */
bool code_digest_equal(const struct digest *a, const struct digest *b);

#endif
