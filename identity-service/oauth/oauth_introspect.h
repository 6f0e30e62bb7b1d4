/*
 * oauth_introspect - POST /auth/introspect (RFC 7662), for services that know
 * the secret, and POST /auth/revoke (RFC 7009).
 */
#ifndef PARLEY_IDENTITY_OAUTH_OAUTH_INTROSPECT_H
#define PARLEY_IDENTITY_OAUTH_OAUTH_INTROSPECT_H

#include "common/io/http/server.h"

http_handler oauth_introspect;
http_handler oauth_revoke;

#endif
