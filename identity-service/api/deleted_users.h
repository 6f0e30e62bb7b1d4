/*
 * deleted_users - GET /internal/deleted-users, for persistence-service: the
 * users whose conversations have to be left. common/wire/identity.h
 */
#ifndef PARLEY_IDENTITY_API_DELETED_USERS_H
#define PARLEY_IDENTITY_API_DELETED_USERS_H

#include "common/io/http/server.h"

http_handler deleted_users;

#endif
