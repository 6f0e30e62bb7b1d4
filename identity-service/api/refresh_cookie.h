/*
 * refresh_cookie - the refresh token of a page, in a cookie that no script can
 * read (docs/adr/0036).
 *
 * A page asks for it with the header "Parley-Refresh-Token: cookie". A page of
 * another origin cannot send this header: its browser first asks the server,
 * which allows no origin (CORS). Without the header, no cookie is read, set or
 * deleted.
 */
#ifndef PARLEY_IDENTITY_API_REFRESH_COOKIE_H
#define PARLEY_IDENTITY_API_REFRESH_COOKIE_H

#include "common/base/scope.h"
#include "common/base/status.h"
#include "common/io/http/server.h"
#include "identity-service/api/same_origin.h"
#include "identity-service/session/refresh_token.h"

/* What the answers to such calls depend on, besides the body. */
#define REFRESH_COOKIE_VARY "Parley-Refresh-Token, Origin, Cookie"

struct request_origin request_origin(const struct http_request *request);

/*
 * An inline handler calls it first. False: the request is answered, with 403
 * for a page of another origin, or 400 for a header with another value.
 */
bool refresh_cookie_admit(struct http_request *request);
/* Whether the request asks for the cookie, and a page of this host sent it. */
bool refresh_cookie_asked(const struct http_request *request);

/*
 * For a request that asks. ST_NOT_FOUND: there is no such cookie. ST_CONFLICT:
 * there are several. ST_INVALID: it is no refresh token.
 */
MUST_CHECK enum status refresh_cookie_read(const struct http_request *request,
                                           struct refresh_token *ret_token);

/* Before the answer, if the request asks; else they do nothing. */
void refresh_cookie_set(struct http_request *request, const char *token,
                        uint64_t max_age_s);
void refresh_cookie_delete(struct http_request *request);

#endif
