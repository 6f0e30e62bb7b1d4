/*
 * refresh - POST /auth/refresh: a refresh token, of the body or of a cookie,
 * for a new access token and the next refresh token.
 */
#ifndef PARLEY_IDENTITY_API_REFRESH_H
#define PARLEY_IDENTITY_API_REFRESH_H

#include "identity-service/api/api_context.h"

http_handler refresh_tokens;

/*
 * In the query pool. ST_DENIED: the token is not good, or not any more, or was
 * used by two clients; then its session has ended.
 */
MUST_CHECK enum status refresh_session(const struct api_context *api,
                                       const struct session_device *device,
                                       const struct refresh_token *token,
                                       uint64_t now_ms,
                                       struct session *ret_session);

#endif
