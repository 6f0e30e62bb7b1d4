/*
 * account_deletion - DELETE /auth/account and POST /auth/account/delete, for
 * clients that send no body with DELETE.
 *
 * The password counts as a guess; see guess_limit.h.
 */
#ifndef PARLEY_IDENTITY_API_ACCOUNT_DELETION_H
#define PARLEY_IDENTITY_API_ACCOUNT_DELETION_H

#include "common/io/http/server.h"

http_handler account_delete;

#endif
