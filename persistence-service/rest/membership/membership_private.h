/*
 * membership_private - shared by membership*.c only.
 */
#ifndef PARLEY_PERSISTENCE_REST_MEMBERSHIP_PRIVATE_H
#define PARLEY_PERSISTENCE_REST_MEMBERSHIP_PRIVATE_H

#include "persistence-service/rest/membership/member_store.h"
#include "persistence-service/rest/membership/membership.h"
#include "persistence-service/rest/membership/membership_change.h"
#include "persistence-service/rest/membership/user_lock.h"

struct membership {
	const struct settings *settings;
	struct sql_session *session;
	struct sql *sql;
	struct membership_change change;
	struct uuid uuid; /* of the first entry, the same in every try */
	bool refused;     /* another try would not help */
	bool unchanged;   /* the conversation is already as requested */
	/* invite: the users who are no members yet. */
	uint64_t missing[CHANGE_USERS_MAX];
	unsigned missing_count;
	char why[128];
};

/* One try, between begin and commit. */
typedef enum status membership_step(struct membership *m, void *wish);

/*
 * Tries the step until it is done or refused. When the answer to a commit was
 * lost, the actor's entry under m->uuid shows that the step was done. Actor 0:
 * the step checks this itself.
 */
MUST_CHECK enum status membership_transact(struct membership *m,
                                           membership_step *step,
                                           uint64_t actor, void *wish);
/* What `actor` did under m->uuid: an entry, or a change of a message. */
struct membership_entry {
	uint64_t conversation;
	bool is_first; /* the entry that made the conversation */
};
/* ST_NOT_FOUND: the uuid is free. */
MUST_CHECK enum status membership_find(struct membership *m, uint64_t actor,
                                       struct membership_entry *ret_entry);

/*
 * An operation on an existing conversation. `check` runs before a seq is
 * claimed, and again when the row is locked; `apply` runs after it.
 */
struct membership_operation {
	/* Opens the conversation; refuses, or sets m->unchanged. */
	enum status (*check)(struct membership *m,
	                     struct membership_action *action);
	enum status (*apply)(struct membership *m,
	                     struct membership_action *action);
};
MUST_CHECK enum status
membership_run(struct membership *m,
               const struct membership_operation *operation,
               struct membership_action *action);

enum status membership_refuse(struct membership *m, enum status status,
                              const char *format, ...) PRINTF(3, 4);
/* Opens the conversation; refuses an actor below the role `least`. */
MUST_CHECK enum status
membership_authorize(struct membership *m,
                     const struct membership_action *action,
                     enum member_role least);
MUST_CHECK enum status membership_check_capacity(struct membership *m,
                                                 uint64_t members,
                                                 unsigned more);
/* Refuses a user who is in too many conversations. Lock the users first. */
MUST_CHECK enum status membership_check_users(struct membership *m,
                                              uint64_t conversation,
                                              const uint64_t *users,
                                              unsigned count);
/* The whole change: entry, members, notification, conversation. */
MUST_CHECK enum status
membership_add_members(struct membership *m,
                       const struct membership_event *event);
/* Marks the open conversation as deleted and frees its name. */
MUST_CHECK enum status membership_mark_deleted(struct membership *m);

#endif
