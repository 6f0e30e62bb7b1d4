/*
 * credentials - a name and a password, as they come in a body.
 *
 * Names      as common/wire/name.h has them; `key` is name_key().
 * Passwords  8 to 256 bytes when they are chosen. When they are only tried 1
 *            to 256: a short one is wrong like any other.
 * Ownership  credentials_free() wipes the password.
 */
#ifndef PARLEY_IDENTITY_CREDENTIALS_H
#define PARLEY_IDENTITY_CREDENTIALS_H

#include "common/base/buf.h"
#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"
#include "common/wire/name.h"

#include <stdbool.h>

enum {
	PASSWORD_MIN = 8,
	PASSWORD_MAX = 256,
};

struct credentials {
	struct buf name;
	struct buf key;
	struct buf password;
};

enum credentials_use { CREDENTIALS_CHOSEN, CREDENTIALS_TRIED };

void credentials_free(struct credentials *credentials);
/*
 * ST_OK; ST_INVALID when the body is no well-formed JSON object or form;
 * ST_DENIED when a member is missing or unfit. *ret_detail says why, for the
 * client.
 */
MUST_CHECK enum status credentials_read(struct span body, bool is_json,
                                        enum credentials_use use,
                                        struct credentials *ret_credentials,
                                        const char **ret_detail);

#endif
