/*
 * revocations - the sessions that were ended before their access tokens expire:
 * sessions.revoked_at. Each instance reads them every second, and refuses their
 * tokens.
 *
 * Clocks     expires_at is of the clock of the instance that issued the tokens,
 *            revoked_at of the database's. They may differ by hours: what may
 *            be read late is chosen by both.
 * Threads    any, each with its own connection.
 */
#ifndef PARLEY_IDENTITY_REVOCATIONS_H
#define PARLEY_IDENTITY_REVOCATIONS_H

#include "common/base/uuid.h"
#include "common/io/sql/sql.h"

struct revocations;

/* An access token lives for ttl_s. */
struct revocations *revocations_create(size_t entries_max, uint64_t ttl_s);
void revocations_destroy(struct revocations **revocations);
bool revocations_have(struct revocations *revocations,
                      const struct uuid *session, uint64_t now_unix_ms);
size_t revocations_count(struct revocations *revocations);

/*
 * Reads the sessions that were revoked in the last REVOCATION_OVERLAP_S
 * seconds; with `all`, every revoked session whose access tokens may live.
 * ST_BROKEN: more than entries_max.
 */
enum { REVOCATION_OVERLAP_S = 60 };
MUST_CHECK enum status revocations_load(struct revocations *revocations,
                                        struct sql *sql, bool all);
/* The same of one user: for an instance that has just revoked some. */
MUST_CHECK enum status revocations_load_user(struct revocations *revocations,
                                             struct sql *sql, uint64_t user);

#endif
