/*
 * credentials - the name and password in a request body.
 *
 * Names      a registration takes what common/wire/name.h allows. A login takes
 *            any name that may be stored.
 * Passwords  are OpaqueString of RFC 8265. A registration takes 8 to 256 bytes
 *            of it, without control characters. A login takes any string: an
 *            unfit password is wrong like any other.
 * Ownership  credentials_free() wipes the password.
 */
#ifndef PARLEY_IDENTITY_API_CREDENTIALS_H
#define PARLEY_IDENTITY_API_CREDENTIALS_H

#include "common/base/buf.h"
#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"
#include "common/wire/name.h"

#include <stdbool.h>

struct json;

enum {
	PASSWORD_MIN = 8,
	PASSWORD_MAX = 256,
};

struct credentials {
	struct buf name; /* of a registration */
	struct name_keys keys;
	struct buf password; /* normalised */
	/*
	 * Of a login: the password as sent, if normalisation changes it. An
	 * account from before passwords were normalised may have its hash.
	 */
	struct buf raw_password;
};

enum credentials_use { CREDENTIALS_REGISTER, CREDENTIALS_LOGIN };

void credentials_free(struct credentials *credentials);
/*
 * ST_INVALID: the body is not a well-formed JSON object or form. ST_DENIED: a
 * member is missing or breaks a rule. *ret_detail names the fault, for the
 * client.
 */
MUST_CHECK enum status credentials_read(struct span body, bool is_json,
                                        enum credentials_use use,
                                        struct credentials *ret_credentials,
                                        const char **ret_detail);

/* The same for a name and a password that the caller has read. */
MUST_CHECK enum status credentials_take(struct span name, struct span password,
                                        enum credentials_use use,
                                        struct credentials *ret_credentials,
                                        const char **ret_detail);
/*
 * The same for the JSON members old_password and new_password of the user with
 * this name: *ret_old is as of a login, *ret_new as of a registration.
 */
MUST_CHECK enum status credentials_read_change(struct span body,
                                               struct span name,
                                               struct credentials *ret_old,
                                               struct credentials *ret_new,
                                               const char **ret_detail);
/* The JSON member new_password of a user without a password. */
MUST_CHECK enum status credentials_read_new(const struct json *json,
                                            struct credentials *ret_new,
                                            const char **ret_detail);

#endif
