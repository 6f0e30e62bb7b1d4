/*
 * devices - the sessions of the user who asks: POST /auth/logout, GET
 * /auth/sessions, DELETE /auth/sessions and /auth/sessions/{}.
 */
#ifndef PARLEY_IDENTITY_API_DEVICES_H
#define PARLEY_IDENTITY_API_DEVICES_H

#include "common/io/http/server.h"

http_handler devices_log_out;
http_handler devices_list;
http_handler devices_end;
http_handler devices_end_others;

#endif
