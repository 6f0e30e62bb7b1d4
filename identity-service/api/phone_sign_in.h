/*
 * phone_sign_in - POST /auth/phone/start, /auth/phone/verify and /auth/phone:
 * sign-in, and a new account, by a code that is sent to a phone.
 */
#ifndef PARLEY_IDENTITY_API_PHONE_SIGN_IN_H
#define PARLEY_IDENTITY_API_PHONE_SIGN_IN_H

#include "common/io/http/server.h"

http_handler phone_start;
http_handler phone_verify;
/* The user of the token gets the phone. */
http_handler phone_attach;

#endif
