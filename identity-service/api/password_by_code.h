/*
 * password_by_code - POST /auth/password with a code: a user without a password
 * chooses one. The code was sent to the phone of the user.
 */
#ifndef PARLEY_IDENTITY_API_PASSWORD_BY_CODE_H
#define PARLEY_IDENTITY_API_PASSWORD_BY_CODE_H

#include "common/io/http/server.h"

/* For the server's thread; the token is good. */
http_handler password_by_code;

#endif
