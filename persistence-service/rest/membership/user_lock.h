/*
 * user_lock - locks users until the open transaction ends.
 *
 * A transaction that adds to something with a maximum per user takes the lock
 * before it counts. Another transaction that adds for the same user then waits,
 * and counts what the first one has added.
 *
 * docs/adr/0023-locks-of-users.md. Take all locks in one call, before any lock
 * on a conversation or a name: transactions that lock in the same order do not
 * deadlock.
 *
 * Errors     those of sql.h
 */
#ifndef PARLEY_PERSISTENCE_REST_MEMBERSHIP_USER_LOCK_H
#define PARLEY_PERSISTENCE_REST_MEMBERSHIP_USER_LOCK_H

#include "common/io/sql/sql.h"

/* 1 … CHANGE_USERS_MAX users, in any order. */
MUST_CHECK enum status user_lock_take(struct sql *sql, const uint64_t *users,
                                      unsigned count);

#endif
