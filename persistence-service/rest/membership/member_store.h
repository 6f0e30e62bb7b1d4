/*
 * member_store - the members of a conversation: tables members, departures and
 * large_members.
 *
 * All calls belong to one open transaction; those that write need the lock on
 * the conversation. Lists of users have at most CHANGE_USERS_MAX. Errors are
 * those of sql.h.
 */
#ifndef PARLEY_PERSISTENCE_REST_MEMBERSHIP_MEMBER_STORE_H
#define PARLEY_PERSISTENCE_REST_MEMBERSHIP_MEMBER_STORE_H

#include "common/base/buf.h"
#include "common/io/sql/sql.h"
#include "persistence-service/conversation.h"

/* ROLE_NONE: the user is no member. */
MUST_CHECK enum status member_store_role(struct sql *sql, uint64_t conversation,
                                         uint64_t user,
                                         enum member_role *ret_role);
MUST_CHECK enum status member_store_set_role(struct sql *sql,
                                             uint64_t conversation,
                                             uint64_t user,
                                             enum member_role role);
/* Raises read_seq and delivered_seq to `seq`, if the user is a member. */
MUST_CHECK enum status member_store_mark_read(struct sql *sql,
                                              uint64_t conversation,
                                              uint64_t user, uint64_t seq);
/* The owner after `user` leaves; ST_NOT_FOUND: no member is left. */
MUST_CHECK enum status member_store_successor(struct sql *sql,
                                              uint64_t conversation,
                                              uint64_t user,
                                              uint64_t *ret_user);

/*
 * Appends all members, as the key of an event; with_from_seq: in the format of
 * event_room_next(), with the from_seq of each.
 */
MUST_CHECK enum status member_store_list(struct sql *sql, uint64_t conversation,
                                         bool with_from_seq,
                                         struct buf *ret_users);
/* Drops the members from `users`. */
MUST_CHECK enum status member_store_drop_members(struct sql *sql,
                                                 uint64_t conversation,
                                                 uint64_t *users,
                                                 unsigned *count);
/*
 * Finds one of `users` who is not in this conversation and is in `max` others
 * (groups and channels); 0: there is no such user.
 */
MUST_CHECK enum status member_store_over_limit(struct sql *sql,
                                               uint64_t conversation,
                                               const uint64_t *users,
                                               unsigned count, uint64_t max,
                                               uint64_t *ret_user);

struct new_members {
	uint64_t conversation;
	const uint64_t *users;
	unsigned count;
	uint64_t owner;        /* one of the users; 0: none */
	struct span joined_at; /* DATETIME(3) */
	uint64_t seq;          /* of the entry that adds them: it is read */
	uint64_t from_seq;     /* they see the entries after this seq */
};
MUST_CHECK enum status member_store_add(struct sql *sql,
                                        const struct new_members *new);
/* Adds the users to the members of a large conversation. */
MUST_CHECK enum status member_store_add_large(struct sql *sql,
                                              uint64_t conversation,
                                              const uint64_t *users,
                                              unsigned count);
/* The same with all members: call it when it becomes large. */
MUST_CHECK enum status member_store_make_large(struct sql *sql,
                                               uint64_t conversation);
MUST_CHECK enum status member_store_delete_departures(struct sql *sql,
                                                      uint64_t conversation,
                                                      const uint64_t *users,
                                                      unsigned count);
/* Removes the member and records the departure at `seq`. */
MUST_CHECK enum status member_store_remove(struct sql *sql,
                                           uint64_t conversation, uint64_t user,
                                           bool large, uint64_t seq);
/*
 * Removes all members and records their departures at `seq`. For conversations
 * of few members: it locks a row of each.
 */
MUST_CHECK enum status
member_store_remove_all(struct sql *sql, uint64_t conversation, uint64_t seq);

#endif
