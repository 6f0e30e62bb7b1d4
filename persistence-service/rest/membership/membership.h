/*
 * membership - the operations on groups and channels: make, rename, leave …
 *
 * Each operation is one transaction, which is tried again after a conflict.
 *
 * Errors     ST_NOT_FOUND    the actor sees no such conversation or member
 *            ST_DENIED       the actor's role does not allow it
 *            ST_CONFLICT     the name, or the uuid, is taken
 *            ST_INVALID      a limit is exceeded, or the operation makes no
 *                            sense
 *            ST_UNAVAILABLE  the database is away or too busy; in rare cases
 *                            the operation was done all the same
 *            membership_why() gives the reason of all but the last.
 * Threads    one thread each.
 */
#ifndef PARLEY_PERSISTENCE_REST_MEMBERSHIP_H
#define PARLEY_PERSISTENCE_REST_MEMBERSHIP_H

#include "common/base/uuid.h"
#include "persistence-service/conversation.h"
#include "persistence-service/rest/sql_session.h"

struct membership;

/* Borrows both arguments. */
struct membership *membership_create(const struct settings *settings,
                                     struct sql_session *session);
void membership_destroy(struct membership **membership);
/* A text for the client; lives until the next call. */
const char *membership_why(const struct membership *membership);

/*
 * After an operation that is done: the row of the outbox with its last event,
 * which has to be announced. False when nothing changed, and at a second call.
 */
bool membership_take_event(struct membership *membership,
                           uint64_t *ret_conversation, uint64_t *ret_row);

struct new_conversation {
	enum conversation_kind kind;
	enum history_kind history;
	struct span name;
	const uint64_t *users; /* each once, without the creator */
	unsigned user_count;   /* below CHANGE_USERS_MAX */
	struct uuid uuid;
};

/* *ret_made: it is new; else an earlier request with this uuid made it. */
MUST_CHECK enum status membership_make(struct membership *membership,
                                       uint64_t actor,
                                       const struct new_conversation *wish,
                                       uint64_t *ret_conversation,
                                       bool *ret_made);
/* The conversation that `actor` made under this uuid, or ST_NOT_FOUND. */
MUST_CHECK enum status membership_made(struct membership *membership,
                                       uint64_t actor, const struct uuid *uuid,
                                       uint64_t *ret_conversation);

/* The arguments of the operations on an existing conversation. */
struct membership_action {
	uint64_t conversation;
	uint64_t actor;
	uint64_t user;             /* set_role and remove */
	enum member_role role;     /* set_role */
	struct span name;          /* edit; empty: unchanged */
	enum history_kind history; /* edit; 0: unchanged */
	/* invite: each once. Afterwards the users who were added. */
	uint64_t users[CHANGE_USERS_MAX];
	unsigned user_count;
};

MUST_CHECK enum status membership_edit(struct membership *membership,
                                       struct membership_action *action);
MUST_CHECK enum status membership_delete(struct membership *membership,
                                         struct membership_action *action);
/* ST_OK when the actor may invite users. */
MUST_CHECK enum status membership_may_invite(struct membership *membership,
                                             struct membership_action *action);
MUST_CHECK enum status membership_invite(struct membership *membership,
                                         struct membership_action *action);
MUST_CHECK enum status membership_join(struct membership *membership,
                                       struct membership_action *action);
MUST_CHECK enum status membership_leave(struct membership *membership,
                                        struct membership_action *action);
/*
 * Groups and channels of the user, ascending, above `after`, at most
 * MEMBERSHIP_LIST_MAX. Does not set membership_why().
 */
enum { MEMBERSHIP_LIST_MAX = 100 };
MUST_CHECK enum status membership_list(struct membership *membership,
                                       uint64_t user, uint64_t after,
                                       uint64_t ids[MEMBERSHIP_LIST_MAX],
                                       unsigned *ret_count);
MUST_CHECK enum status membership_remove(struct membership *membership,
                                         struct membership_action *action);
MUST_CHECK enum status membership_set_role(struct membership *membership,
                                           struct membership_action *action);

#endif
