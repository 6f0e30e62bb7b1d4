/*
 * session - rows of the table sessions.
 *
 * A session starts with a sign-in and ends when the user or a thief ends it, or
 * when its refresh token is not used in time. Its id is the sid claim of its
 * access tokens.
 *
 * Refresh tokens rotate. The newest one gets a successor; the one before gets
 * the same successor, because a client may have lost the answer. Any older one
 * was used by two clients: the session is revoked.
 *
 * Clocks     expires_at, which bounds access tokens, is of this instance's
 *            clock, as the exp claim. The time limits of refresh tokens are of
 *            the database's clock, which all instances share.
 */
#ifndef PARLEY_IDENTITY_SESSION_H
#define PARLEY_IDENTITY_SESSION_H

#include "common/base/ip_address.h"
#include "common/base/uuid.h"
#include "common/io/sql/sql.h"
#include "common/wire/identity.h"
#include "identity-service/session/refresh_token.h"

enum {
	/* Sessions of one user; the longest unused one ends. */
	SESSIONS_MAX = 100,
	SESSION_TEXT_MAX = 255, /* bytes */
	/* Rows that one call of session_purge() deletes. */
	SESSION_PURGE_MAX = 1000,
};

struct session_rules {
	uint64_t idle_s; /* a refresh token ends when it is not used */
	uint64_t max_s;  /* a session ends, however often it is used */
};

/* What a request says of the device that sends it. */
struct session_device {
	struct ip_address address;
	struct span user_agent; /* of printable ASCII; empty: none */
	struct span client_id;  /* of OAuth 2; empty: none */
};

/* What the answer to a sign-in or a refresh tells. */
struct session {
	struct uuid id;
	uint64_t user;
	char name[USER_NAME_MAX_BYTES + 1]; /* of the user */
	struct refresh_token refresh;
	uint64_t refresh_expires_in_s;
};

/*
 * Makes a row of session->id, user and refresh. Idempotent. Run it inside a
 * transaction that has account_lock(), or that has made the account: else two
 * at once may end the same session, and pass SESSIONS_MAX.
 */
MUST_CHECK enum status session_insert(struct sql *sql,
                                      const struct session_rules *rules,
                                      const struct session_device *device,
                                      uint64_t expires_at_ms,
                                      struct session *session);

struct session_refresh {
	const struct session_rules *rules;
	const struct session_device *device;
	struct refresh_token token;
	uint64_t expires_at_ms; /* of the access token that will be issued */
};
/*
 * Not inside a transaction. ST_DENIED: nothing is known of the token, or its
 * session has ended, or it is another client's. ST_CONFLICT: the token was used
 * by two clients, and ret_session->id has ended.
 */
MUST_CHECK enum status session_refresh(struct sql *sql,
                                       const struct session_refresh *refresh,
                                       struct session *ret_session);

/* ST_NOT_FOUND: the user has no such session, or it has ended. */
MUST_CHECK enum status session_end(struct sql *sql, uint64_t user,
                                   const struct uuid *id);
/* ST_NOT_FOUND: the user has no such session, or it has not been ended. */
MUST_CHECK enum status session_has_ended(struct sql *sql, uint64_t user,
                                         const struct uuid *id);
/* The session of a refresh token, used or not; *ret_user has it. */
MUST_CHECK enum status session_end_family(struct sql *sql,
                                          const struct refresh_token *token,
                                          uint64_t *ret_user);
MUST_CHECK enum status session_end_others(struct sql *sql, uint64_t user,
                                          const struct uuid *keep);
MUST_CHECK enum status session_end_all(struct sql *sql, uint64_t user);

struct session_row {
	struct uuid id;
	uint64_t created_at_ms, last_used_at_ms; /* unix */
	bool has_address;
	struct ip_address address;
	char user_agent[SESSION_TEXT_MAX + 1];
};
/* The sessions of the user that have not ended, those used last first. */
MUST_CHECK enum status session_list(struct sql *sql, uint64_t user,
                                    struct session_row rows[SESSIONS_MAX],
                                    unsigned *ret_count);

/*
 * Sessions that were ended, in the order of their ends. A page begins after
 * (since_ms, after). Access tokens of some may have expired: the database does
 * not know, because expires_at is of another clock.
 */
struct session_ended {
	struct uuid id;
	uint64_t user;
	uint64_t revoked_at_ms, expires_at_ms; /* unix */
};
MUST_CHECK enum status session_list_ended(struct sql *sql, uint64_t since_ms,
                                          const struct uuid *after,
                                          struct session_ended *rows,
                                          unsigned max, unsigned *ret_count);
/* The database's clock; unix. */
MUST_CHECK enum status session_now(struct sql *sql, uint64_t *ret_now_ms);

/* Deletes rows that ended a day ago. *ret_more: there may be others. */
MUST_CHECK enum status session_purge(struct sql *sql, bool *ret_more);

#endif
