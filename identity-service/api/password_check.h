/*
 * password_check - whether a password is that of an account.
 *
 * Each check counts as a guess; see guess_limit.h. It takes the same time for a
 * name that does not exist.
 */
#ifndef PARLEY_IDENTITY_API_PASSWORD_CHECK_H
#define PARLEY_IDENTITY_API_PASSWORD_CHECK_H

#include "identity-service/account/account.h"
#include "identity-service/api/api_context.h"
#include "identity-service/api/credentials.h"

struct password_check {
	/* Set by the caller. */
	const struct api_context *api;
	const struct credentials *credentials; /* of CREDENTIALS_LOGIN */
	struct ip_address client;
	/* Set by password_check(). */
	struct account account;
	struct guess guess;
	bool is_raw; /* the password is right as sent, not normalised */
};

/*
 * Runs in the hash pool. ST_DENIED: the password is wrong, or there is no such
 * account. ST_BUSY: nothing was checked, because there were too many failures.
 */
MUST_CHECK enum status password_check(struct password_check *check);
/* The answer to ST_BUSY: 429, when the client may try again. */
void password_check_answer_limited(struct http_request *request,
                                   const struct password_check *check);

/*
 * A transaction that takes the guess back, because it was right, and does
 * `work`, which may run again. Retried when the server rolls it back.
 */
typedef enum status password_work(struct sql *sql, void *argument);
MUST_CHECK enum status password_check_commit(struct password_check *check,
                                             password_work *work,
                                             void *argument);

/* Hashes a new password, in the hash pool. */
MUST_CHECK enum status password_check_hash(struct span password,
                                           char *ret_hash);

#endif
