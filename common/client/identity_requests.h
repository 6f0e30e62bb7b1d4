/*
 * identity_requests - the two requests to identity-service: which user owns a
 * token, and whether a user exists. docs/protocol/openapi.yaml
 *
 * Requests with the same key get the same response. The key of an owner is the
 * SHA-256 digest of the token; the key of a user is the user's id. A request
 * for a user carries the token of the requesting user, but the token is not a
 * part of the key.
 *
 * Ownership  a request borrows `token`.
 * Threads    any: nothing here is shared.
 * Units      _ms of a time is unix milliseconds; _ms of a TTL is a duration.
 */
#ifndef PARLEY_CLIENT_IDENTITY_REQUESTS_H
#define PARLEY_CLIENT_IDENTITY_REQUESTS_H

#include "common/base/span.h"
#include "common/base/status.h"
#include "common/io/digest.h"
#include "common/wire/identity.h"

#include <stdbool.h>
#include <stdint.h>

enum identity_kind { IDENTITY_OWNER, IDENTITY_USER, IDENTITY_KINDS };

/* Bytes of the longest path, with its NUL. */
enum { IDENTITY_PATH_MAX = 64 };

struct identity_request {
	enum identity_kind kind;
	struct digest digest; /* of the token; IDENTITY_OWNER only */
	uint64_t user;        /* IDENTITY_USER only */
	struct span token;
};

struct identity_response {
	/*
	 * ST_OK; ST_DENIED: identity does not accept the token; ST_NOT_FOUND:
	 * no such user; ST_UNAVAILABLE: identity gave no usable answer in time.
	 */
	enum status status;
	uint64_t user;
	/* Of a token; 0 and empty for IDENTITY_USER. */
	uint64_t expires_at_ms;
	char session[SESSION_ID_MAX + 1];
	uint64_t asked_at_ms; /* when the request began; 0: without one */
};

/*
 * How long a service may cache each response; 0: not at all. ST_UNAVAILABLE is
 * never cached, nor is the ST_DENIED of a request for a user, because it is
 * about the token and not about the user.
 */
struct identity_ttl {
	uint64_t owner_ms; /* since the request; at most the token's life */
	/*
	 * A cached owner that is asked for after this time is given, and
	 * identity is asked again: so it knows that the session is used. 0:
	 * never.
	 */
	uint64_t renew_owner_ms;
	uint64_t denied_ms;
	uint64_t user_ms;
	uint64_t no_user_ms;
};

struct identity_request identity_request_owner(struct span token);
struct identity_request identity_request_user(uint64_t user, struct span token);
/* The key lies inside the request. */
struct span identity_request_key(const struct identity_request *request);
void identity_request_path(const struct identity_request *request,
                           char ret_path[IDENTITY_PATH_MAX]);
/* False: no service issues such a token. The response is ST_DENIED. */
bool identity_request_valid(const struct identity_request *request);

/* `transport` and `http` are what http_done() gets. */
struct identity_response identity_response_read(enum identity_kind kind,
                                                enum status transport,
                                                const struct http_answer *http);
/* When the response expires; 0: it must not be cached. */
uint64_t identity_response_expires_ms(enum identity_kind kind,
                                      const struct identity_ttl *ttl,
                                      const struct identity_response *response,
                                      uint64_t began_ms, uint64_t now_ms);

#endif
