/*
 * ended_sessions - GET /internal/ended-sessions: for the services that cache
 * the owners of tokens. Each asks every second, with the cursor of its last
 * answer.
 *
 * A transaction commits after the moment that it writes as revoked_at; so a
 * cursor goes back OVERLAP_MS, and a service hears of a session several times.
 */
#ifndef PARLEY_IDENTITY_API_ENDED_SESSIONS_H
#define PARLEY_IDENTITY_API_ENDED_SESSIONS_H

#include "common/io/http/server.h"

http_handler ended_sessions;

#endif
