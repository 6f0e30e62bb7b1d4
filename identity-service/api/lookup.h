/*
 * lookup - the GET routes: the owner of a token, and users by id or name.
 *
 * The server's thread checks the token, without the database, and answers a
 * token look-up itself. Routes that read the database run in the query pool.
 */
#ifndef PARLEY_IDENTITY_API_LOOKUP_H
#define PARLEY_IDENTITY_API_LOOKUP_H

#include "common/io/http/server.h"

http_handler lookup_token;        /* GET /auth/getIdByToken */
http_handler lookup_user_by_id;   /* GET /auth/users/{} */
http_handler lookup_user_by_name; /* GET /auth/users?name= */
http_handler lookup_status;       /* GET /auth/status */

#endif
