/*
 * jwt - JSON web tokens in compact form (RFC 7519, RFC 7515), with RS256 only
 * (RFC 8725).
 *
 * libjwt writes the parts that jwt_issue() signs; jwt_check() verifies without
 * it: the algorithm is a constant, the key is found by its id among Parley's
 * keys, and a token of any other form than jwt_issue() writes is refused. The
 * caller checks the claims.
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

/* Finds a key by its id, or NULL. The key must outlive jwt_check(). */
typedef const struct jwt_key *jwt_find_key(void *context, struct span id);

/*
 * The "kid" of a token that has the form of one; nothing else is checked.
 */
MUST_CHECK enum status jwt_key_id_of(struct span token, struct buf *ret_id);

/*
 * The claims of a token that one of the keys has signed. ST_DENIED: *ret_why is
 * a constant text for the log, not for the client.
 */
MUST_CHECK enum status jwt_check(struct span token, jwt_find_key *find,
                                 void *context, struct json **ret_claims,
                                 const char **ret_why);

#endif
