/*
 * questions - the two that the gateway asks of identity-service, and how long
 * the answers hold.
 *
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_QUESTIONS_H
#define PARLEY_WEBSOCKET_QUESTIONS_H

#include "common/client/identity_client.h"
#include "websocket-service/settings.h"

/* Whose token is this? By the token's digest. */
struct lookups *questions_tokens(struct http_poller *poller,
                                 const struct gateway_settings *settings);
/* Is there such a user? By the user's id. */
struct lookups *questions_users(struct http_poller *poller,
                                const struct gateway_settings *settings);

#endif
