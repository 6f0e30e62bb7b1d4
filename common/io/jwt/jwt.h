/*
 * jwt - JSON web tokens in compact form (RFC 7519, 7515), RS256 and nothing
 * else (RFC 8725).
 *
 * Signed by libjwt, checked by ourselves: the algorithm is a constant, a key is
 * found by its id among ours, and a token that is not exactly of the form that
 * we make is refused. What the claims have to say is the caller's to judge.
 */
#ifndef PARLEY_IO_JWT_H
#define PARLEY_IO_JWT_H

#include "common/base/buf.h"
#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"
#include "common/io/json.h"
#include "common/io/jwt/key.h"

enum { JWT_MAX = 4096 }; /* bytes; longer tokens are refused unread */

/* Signs `claims`, the text of a JSON object. */
MUST_CHECK enum status jwt_issue(const struct jwt_key *key, struct span claims,
                                 struct buf *ret_token);

/* The key with this id, or NULL; it must live until jwt_check() returns. */
typedef const struct jwt_key *jwt_find_key(void *context, struct span id);

/*
 * The claims of a token that one of the keys has signed. ST_DENIED with
 * *ret_why a constant text for the log (not for the client).
 */
MUST_CHECK enum status jwt_check(struct span token, jwt_find_key *find,
                                 void *context, struct json **ret_claims,
                                 const char **ret_why);

#endif
