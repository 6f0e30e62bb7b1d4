/*
 * account_deletion - DELETE /auth/account and POST /auth/account/delete, for
 * clients that send no body with DELETE.
 *
 * The user proves itself with the password, or with a code that was sent to its
 * phone. Both count as guesses; see guess_limit.h and phone_check.h.
 */
#ifndef PARLEY_IDENTITY_API_ACCOUNT_DELETION_H
#define PARLEY_IDENTITY_API_ACCOUNT_DELETION_H

#include "common/io/http/server.h"

http_handler account_delete;

#endif
