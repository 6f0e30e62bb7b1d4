/*
 * sign_in - POST /auth/register and /auth/login.
 *
 * A sign-in counts as a guess; see guess_limit.h. A registration does not.
 *
 * The server's thread checks the body; the workers of the hash pool hash
 * passwords and run SQL, each with its own struct database.
 */
#ifndef PARLEY_IDENTITY_SIGN_IN_H
#define PARLEY_IDENTITY_SIGN_IN_H

#include "common/io/http/server.h"
#include "identity-service/database.h"
#include "identity-service/guess_limit.h"
#include "identity-service/token.h"

/* The `context` of all handlers. */
struct api_context {
	struct tokens *tokens;
	const char *dummy_hash; /* of a random password */
	const struct guess_rules *guess_rules;
	const struct ip_networks *trusted_proxies;
	struct database
		*database; /* of the worker; NULL on the server's thread */
};

enum api_pool { POOL_HASH, POOL_QUERY, POOL_COUNT };

http_handler sign_in_register;
http_handler sign_in_login;

#endif
