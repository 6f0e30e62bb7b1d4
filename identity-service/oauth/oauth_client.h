/*
 * oauth_client - which OAuth 2 client sends a request (RFC 6749 section 2.3).
 *
 * All clients are public: a client names itself, in the body or as the user of
 * HTTP Basic with an empty password, and proves nothing. Services that
 * introspect tokens prove that they know a secret.
 */
#ifndef PARLEY_IDENTITY_OAUTH_OAUTH_CLIENT_H
#define PARLEY_IDENTITY_OAUTH_OAUTH_CLIENT_H

#include "common/base/buf.h"
#include "common/io/http/server.h"
#include "identity-service/api/form.h"

enum { OAUTH_CLIENT_ID_MAX = 255 }; /* bytes */

/* RFC 6749 section 5.2; the request is answered. */
void oauth_answer_error(struct http_request *request, unsigned http,
                        const char *error, const char *description);

/*
 * The client_id of a request, "" for none, in *ret_id, which has room for
 * OAUTH_CLIENT_ID_MAX. False: the request is answered.
 */
bool oauth_client_read(struct http_request *request, const struct form *form,
                       struct buf *ret_id);
/*
 * True if HTTP Basic has this password, whatever the user. Takes the same time
 * for every password of its length.
 */
bool oauth_service_is_known(const struct http_request *request,
                            struct span secret);

#endif
