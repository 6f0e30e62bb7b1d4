/*
 * identity - what the other services ask of identity-service: whose token is
 * this, and is there such a user. docs/protocol/openapi.yaml
 */
#ifndef PARLEY_WIRE_IDENTITY_H
#define PARLEY_WIRE_IDENTITY_H

#include "common/base/buf.h"
#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"
#include "common/io/http/client.h"
#include "common/io/json.h"

#include <stdint.h>

enum { TOKEN_MAX = 4096 }; /* bytes; longer ones are refused unread */

#define IDENTITY_LOOKUP_PATH "/auth/getIdByToken"
#define IDENTITY_USERS_PATH  "/auth/users/"

enum { USER_NAME_MAX_BYTES = 256, SESSION_ID_MAX = 64 };

struct token_owner {
	uint64_t user;
	uint64_t expires_at_ms; /* unix */
	char session[SESSION_ID_MAX + 1];
	char name[USER_NAME_MAX_BYTES + 1];
};

/*
 * Reads the answer to a look-up: ST_OK whose token it is, ST_DENIED it is
 * nobody's, ST_UNAVAILABLE identity can't say now (any other code, or an
 * answer that is not as it should be).
 */
MUST_CHECK enum status identity_read_owner(enum status asked,
                                           const struct http_answer *answer,
                                           struct token_owner *ret_owner);
/* The same for a user: ST_OK, ST_NOT_FOUND, ST_DENIED or ST_UNAVAILABLE. */
MUST_CHECK enum status identity_read_user(enum status asked,
                                          const struct http_answer *answer,
                                          uint64_t *ret_user);

#endif
