/*
 * membership - what people do to groups and channels: make, rename, leave …
 *
 * Each is one transaction, done again when another one came between.
 *
 * Errors     ST_NOT_FOUND    there is no such thing for who asks
 *            ST_DENIED       they are in it, but may not do that
 *            ST_CONFLICT     the name, or the uuid, is taken
 *            ST_INVALID      over a limit, or it makes no sense
 *            ST_UNAVAILABLE  the database is away, or too busy; seldom, it was
 *                            done all the same
 *            Of all but the last membership_why() says why.
 * Threads    one thread each.
 */
#ifndef PARLEY_PERSISTENCE_REST_MEMBERSHIP_H
#define PARLEY_PERSISTENCE_REST_MEMBERSHIP_H

#include "common/base/uuid.h"
#include "persistence-service/conversation.h"
#include "persistence-service/rest/few_rows.h"
#include "persistence-service/rest/sql_session.h"

struct membership;

/* Both are only borrowed. */
struct membership *membership_create(const struct settings *settings,
                                     struct reader *reader);
void membership_destroy(struct membership **membership);
/* Words for who asked, until the next call. */
const char *membership_why(const struct membership *membership);

struct new_conversation {
	enum conversation_kind kind;
	enum history_kind history;
	struct span name;
	const uint64_t *users; /* each once, without who makes it */
	unsigned user_count;   /* below FEW_MAX */
	struct uuid uuid;
};

/* *ret_made: it is new; else the same uuid has made it before. */
MUST_CHECK enum status membership_make(struct membership *membership,
                                       uint64_t actor,
                                       const struct new_conversation *wish,
                                       uint64_t *ret_conversation,
                                       bool *ret_made);
/* What `actor` has made under this uuid; ST_NOT_FOUND: nothing yet. */
MUST_CHECK enum status membership_made(struct membership *membership,
                                       uint64_t actor, const struct uuid *uuid,
                                       uint64_t *ret_conversation);

/* Everything else is about one conversation. */
struct member_act {
	uint64_t conversation;
	uint64_t actor;
	uint64_t user;             /* set_role and remove */
	enum member_role role;     /* set_role */
	struct span name;          /* edit; empty: stays */
	enum history_kind history; /* edit; 0: stays */
	/* invite: each once. Afterwards those who have come in. */
	uint64_t users[FEW_MAX];
	unsigned user_count;
};

MUST_CHECK enum status membership_edit(struct membership *membership,
                                       struct member_act *act);
MUST_CHECK enum status membership_delete(struct membership *membership,
                                         struct member_act *act);
/* Whether an invitation is worth looking at. */
MUST_CHECK enum status membership_may_invite(struct membership *membership,
                                             struct member_act *act);
MUST_CHECK enum status membership_invite(struct membership *membership,
                                         struct member_act *act);
MUST_CHECK enum status membership_join(struct membership *membership,
                                       struct member_act *act);
MUST_CHECK enum status membership_leave(struct membership *membership,
                                        struct member_act *act);
MUST_CHECK enum status membership_remove(struct membership *membership,
                                         struct member_act *act);
MUST_CHECK enum status membership_set_role(struct membership *membership,
                                           struct member_act *act);

#endif
