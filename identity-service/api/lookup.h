/*
 * lookup - the owner of a token, for the services and for the user.
 *
 * The server's thread checks the token, without the database, and answers a
 * token look-up itself. The status of the user needs the database, and runs in
 * the query pool.
 */
#ifndef PARLEY_IDENTITY_API_LOOKUP_H
#define PARLEY_IDENTITY_API_LOOKUP_H

#include "common/io/http/server.h"

http_handler lookup_token;  /* GET /auth/getIdByToken */
http_handler lookup_status; /* GET /auth/status */

#endif
