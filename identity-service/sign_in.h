/*
 * sign_in - POST /auth/register and /auth/login.
 *
 * The body is judged on the server's thread; hashing and SQL happen in the
 * hash pool, whose workers have a struct database.
 */
#ifndef PARLEY_IDENTITY_SIGN_IN_H
#define PARLEY_IDENTITY_SIGN_IN_H

#include "common/io/http/server.h"
#include "identity-service/database.h"
#include "identity-service/token.h"

/* What the handlers' `context` is: the same for all, but for the database. */
struct api_context {
	struct tokens *tokens;
	const char *dummy_hash;    /* of a password that nobody knows */
	struct database *database; /* NULL on the server's thread */
};

enum api_pool { POOL_HASH, POOL_QUERY, POOL_COUNT };

http_handler sign_in_register;
http_handler sign_in_login;

#endif
