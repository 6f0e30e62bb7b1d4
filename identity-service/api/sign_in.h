/*
 * sign_in - POST /auth/register and /auth/login.
 *
 * A sign-in counts as a guess; see guess_limit.h. A registration does not.
 */
#ifndef PARLEY_IDENTITY_API_SIGN_IN_H
#define PARLEY_IDENTITY_API_SIGN_IN_H

#include "identity-service/api/password_check.h"

http_handler sign_in_register;
http_handler sign_in_login;

/* One sign-in. Its database tasks may run twice. */
struct sign_in {
	const struct api_context *api;
	const struct credentials *credentials;
	struct session_device device;
	struct account account;
	struct session session;
	uint64_t now_ms;
	/*
	 * Not empty: the password is right as sent, and its normal form has
	 * this hash. The account is from before passwords were normalised.
	 */
	char new_hash[PASSWORD_HASH_MAX + 1];
};

/* The texts of the device are copied into `texts`. */
void sign_in_start(struct sign_in *sign_in, const struct api_context *api,
                   const struct http_request *request,
                   const struct credentials *credentials, struct buf *texts);
/*
 * In the hash pool: starts a session if the password is right. As
 * password_check(), and *ret_check is for password_check_answer_limited().
 */
MUST_CHECK enum status sign_in_with_password(struct sign_in *sign_in,
                                             struct password_check *ret_check);

#endif
