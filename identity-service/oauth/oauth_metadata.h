/*
 * oauth_metadata - what OAuth 2 clients and resource servers discover:
 * /.well-known/oauth-authorization-server (RFC 8414) and
 * /.well-known/jwks.json (RFC 7517).
 */
#ifndef PARLEY_IDENTITY_OAUTH_OAUTH_METADATA_H
#define PARLEY_IDENTITY_OAUTH_OAUTH_METADATA_H

#include "common/io/http/server.h"

http_handler oauth_metadata;
http_handler oauth_keys;

#endif
