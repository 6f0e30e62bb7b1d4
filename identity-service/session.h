/*
 * session - rows of the table sessions, and the list of revoked ones.
 *
 * A session starts with a sign-in and ends when it expires or is revoked; its
 * id is the sid claim of its tokens. sessions.revoked_at revokes it: each
 * instance reads revocations every second and then refuses its tokens.
 *
 * Threads    revocations_load(): the main thread; revocations_have() and
 *            revocations_count(): any thread.
 */
#ifndef PARLEY_IDENTITY_SESSION_H
#define PARLEY_IDENTITY_SESSION_H

#include "common/base/uuid.h"
#include "common/io/sql/sql.h"

struct revocations;

enum {
	SESSION_KEPT_S = 86400, /* after its end; clocks may differ */
	SESSION_PURGE_MAX = 1000,
};

/* Idempotent. */
MUST_CHECK enum status session_insert(struct sql *sql, const struct uuid *id,
                                      uint64_t user, uint64_t expires_at_ms);

/*
 * Deletes SESSION_PURGE_MAX sessions at most that ended SESSION_KEPT_S ago;
 * *ret_more: there may be more. Otherwise each sign-in left a row for ever.
 */
MUST_CHECK enum status session_purge(struct sql *sql, bool *ret_more);

struct revocations *revocations_create(size_t entries_max);
void revocations_destroy(struct revocations **revocations);
bool revocations_have(struct revocations *revocations,
                      const struct uuid *session, uint64_t now_unix_ms);
size_t revocations_count(struct revocations *revocations);
/*
 * Reads the sessions that were revoked in the last REVOCATION_OVERLAP_S
 * seconds; with `all`, every revoked session that has not expired. ST_BROKEN:
 * more than entries_max.
 */
enum { REVOCATION_OVERLAP_S = 60 };
MUST_CHECK enum status revocations_load(struct revocations *revocations,
                                        struct sql *sql, bool all);

#endif
