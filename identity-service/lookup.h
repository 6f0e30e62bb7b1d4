/*
 * lookup - the GET routes: whose token is this, and who is there.
 *
 * A token is judged on the server's thread and never needs the database; what
 * does is passed to the query pool.
 */
#ifndef PARLEY_IDENTITY_LOOKUP_H
#define PARLEY_IDENTITY_LOOKUP_H

#include "common/io/http/server.h"

http_handler lookup_token;        /* GET /auth/getIdByToken */
http_handler lookup_user_by_id;   /* GET /auth/users/{} */
http_handler lookup_user_by_name; /* GET /auth/users?name= */
http_handler lookup_status;       /* GET /auth/status */

#endif
