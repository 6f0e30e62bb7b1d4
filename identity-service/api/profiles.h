/*
 * profiles - the routes of profiles: that of the user who asks, and those of
 * other users.
 */
#ifndef PARLEY_IDENTITY_API_PROFILES_H
#define PARLEY_IDENTITY_API_PROFILES_H

#include "common/io/http/server.h"

http_handler profile_get;    /* GET /auth/profile */
http_handler profile_change; /* PATCH /auth/profile */
http_handler profile_of;     /* GET /auth/users/{} */
http_handler profiles_find;  /* GET /auth/users?name= and ?ids= */

/* For a worker of any pool: the answer of profile_get(). */
http_handler profile_answer_own;

#endif
