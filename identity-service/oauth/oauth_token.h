/*
 * oauth_token - POST /token: the grants `password` and `refresh_token` of
 * RFC 6749.
 */
#ifndef PARLEY_IDENTITY_OAUTH_OAUTH_TOKEN_H
#define PARLEY_IDENTITY_OAUTH_OAUTH_TOKEN_H

#include "common/io/http/server.h"

http_handler oauth_token;

#endif
