/*
 * identity - the requests of the other services to identity-service: the owner
 * of a token, and whether a user exists. docs/protocol/openapi.yaml
 */
#ifndef PARLEY_WIRE_IDENTITY_H
#define PARLEY_WIRE_IDENTITY_H

#include "common/base/buf.h"
#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"
#include "common/io/http/client.h"
#include "common/io/json.h"

#include <stdbool.h>
#include <stdint.h>

enum { TOKEN_MAX = 4096 }; /* bytes; longer tokens are refused unread */

/*
 * Whether a token has 1 to TOKEN_MAX bytes, all of printable ASCII without the
 * space. Any other token is unknown, and no request can carry it.
 */
bool identity_token_fits(struct span token);

#define IDENTITY_LOOKUP_PATH "/auth/getIdByToken"
#define IDENTITY_USERS_PATH  "/auth/users/"
/*
 * Not for clients: nginx does not forward it. ?since= is `next` of an earlier
 * answer; without it, the sessions that ended just now.
 * {"next":"…","more":false,"ended":"<session> <user> <expires_at, ms>,…",
 * "deleted":"<user>,…"}; `deleted` has users of whom nothing may stay cached.
 */
#define IDENTITY_ENDED_PATH "/internal/ended-sessions"
/*
 * The same way, all deleted users: without ?since= from the first one. An entry
 * is repeated for a minute. ?older= leaves out users deleted in the last so
 * many seconds, and has cursors of its own.
 * {"next":"…","more":false,"deleted":"<user>,…"}
 */
#define IDENTITY_DELETED_PATH "/internal/deleted-users"

enum {
	ENDED_CURSOR_MAX = 64,
	ENDED_PAGE_MAX = 10000, /* sessions of an answer */
	DELETED_PAGE_MAX = 10000,
	ENDED_ANSWER_MAX = 1024 * 1024 /* bytes */
};

enum { USER_NAME_MAX_BYTES = 256, SESSION_ID_MAX = 64 };

struct token_owner {
	uint64_t user;
	uint64_t expires_at_ms; /* unix */
	char session[SESSION_ID_MAX + 1];
	char name[USER_NAME_MAX_BYTES + 1];
};

/*
 * Reads the answer to a token look-up. `asked` is the status of the request.
 * ST_DENIED: the token is not valid. ST_UNAVAILABLE: identity-service did not
 * answer, answered with another code, or its answer is malformed.
 */
MUST_CHECK enum status identity_read_owner(enum status asked,
                                           const struct http_answer *answer,
                                           struct token_owner *ret_owner);
/*
 * Reads the answer to a user look-up; also ST_NOT_FOUND: there is no such user,
 * or not any more.
 */
MUST_CHECK enum status identity_read_user(enum status asked,
                                          const struct http_answer *answer,
                                          uint64_t *ret_user);

/*
 * Reads the answer to IDENTITY_ENDED_PATH or IDENTITY_DELETED_PATH, and calls
 * for each session that has ended, whose tokens expire at `expires_at_ms`
 * (unix), and for each deleted user; the latter path lists deleted users only.
 * ST_UNAVAILABLE: identity-service did not
 * answer, or its answer is malformed; some calls may have been made.
 */
struct identity_ended_reader {
	void (*ended)(void *context, struct span session, uint64_t user,
	              uint64_t expires_at_ms);
	void (*deleted)(void *context, uint64_t user);
	void *context;
};
MUST_CHECK enum status
identity_read_ended(enum status asked, const struct http_answer *answer,
                    const struct identity_ended_reader *reader,
                    char ret_next[ENDED_CURSOR_MAX + 1], bool *ret_more);
MUST_CHECK enum status
identity_read_deleted(enum status asked, const struct http_answer *answer,
                      const struct identity_ended_reader *reader,
                      char ret_next[ENDED_CURSOR_MAX + 1], bool *ret_more);

#endif
