/*
 * session_uses - sessions whose access tokens are looked up, as one is when a
 * socket opens: they move sessions.last_used_at.
 *
 * A session is noted once in SESSION_USE_EVERY_S. A note waits in a queue for
 * the thread that writes to the database; when the queue is full, the next use
 * of the session is noted. A note is lost with the process: it only helps a
 * user to know the own devices.
 *
 * Bounds     SESSION_USES_MAX sessions are remembered; the queue has 64 KiB.
 * Threads    session_uses_note(): any. session_uses_write(): one.
 */
#ifndef PARLEY_IDENTITY_SESSION_USES_H
#define PARLEY_IDENTITY_SESSION_USES_H

#include "common/base/span.h"
#include "common/io/sql/sql.h"

enum { SESSION_USE_EVERY_S = 60, SESSION_USES_MAX = 65536 };

struct session_uses;

/* ST_UNAVAILABLE: the process has no descriptors left. */
MUST_CHECK enum status session_uses_create(struct session_uses **ret_uses);
void session_uses_destroy(struct session_uses **uses);
/* `session` is the text of an id. Never waits. */
void session_uses_note(struct session_uses *uses, struct span session,
                       uint64_t now_unix_ms);
/*
 * Writes what was noted. Notes that the database does not take are dropped; the
 * error is that of the database.
 */
MUST_CHECK enum status session_uses_write(struct session_uses *uses,
                                          struct sql *sql);

#endif
