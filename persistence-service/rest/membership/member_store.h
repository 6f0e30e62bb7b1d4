/*
 * member_store - who is in a conversation: tables members, departures and
 * large_members, inside of a transaction that has the conversation locked.
 *
 * Lists of users have at most CHANGE_USERS_MAX.
 */
#ifndef PARLEY_PERSISTENCE_REST_MEMBERSHIP_MEMBER_STORE_H
#define PARLEY_PERSISTENCE_REST_MEMBERSHIP_MEMBER_STORE_H

#include "persistence-service/rest/membership/membership_change.h"

/* ROLE_NONE: not in it. */
MUST_CHECK enum status member_role(struct sql *sql, uint64_t conversation,
                                   uint64_t user, enum member_role *ret_role);
MUST_CHECK enum status member_set_role(struct sql *sql, uint64_t conversation,
                                       uint64_t user, enum member_role role);
/* Has read all up to there; who is not in it is passed over. */
MUST_CHECK enum status member_reads(struct sql *sql, uint64_t conversation,
                                    uint64_t user, uint64_t seq);
/* Who is owner when `user` leaves; ST_NOT_FOUND: nobody is left. */
MUST_CHECK enum status member_successor(struct sql *sql, uint64_t conversation,
                                        uint64_t user, uint64_t *ret_user);

/*
 * Appends all of them, as an event's key; or, `seeing`, for event_room_next(),
 * with what each sees.
 */
MUST_CHECK enum status members_list(struct sql *sql, uint64_t conversation,
                                    bool seeing, struct buf *ret_users);
/* Leaves those of `users` that are not in it. */
MUST_CHECK enum status members_missing(struct sql *sql, uint64_t conversation,
                                       uint64_t *users, unsigned *count);
/*
 * One of `users` that is in `max` groups and channels already, and not in this
 * one; 0: none is.
 */
MUST_CHECK enum status members_over(struct sql *sql, uint64_t conversation,
                                    const uint64_t *users, unsigned count,
                                    uint64_t max, uint64_t *ret_user);

/*
 * By the entry that was made last `users` are in it, or `user` is not any
 * more. Counts them, and makes the conversation large when it is.
 */
MUST_CHECK enum status members_enter(struct membership_change *change,
                                     const uint64_t *users, unsigned count);
MUST_CHECK enum status member_leaves(struct membership_change *change,
                                     uint64_t user);

#endif
