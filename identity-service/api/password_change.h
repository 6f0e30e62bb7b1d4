/*
 * password_change - POST /auth/password: a new password; all other sessions of
 * the user end.
 */
#ifndef PARLEY_IDENTITY_API_PASSWORD_CHANGE_H
#define PARLEY_IDENTITY_API_PASSWORD_CHANGE_H

#include "common/io/http/server.h"

http_handler password_change;

#endif
