/*
 * membership_private - what the files of membership share; nobody else
 * includes it.
 */
#ifndef PARLEY_PERSISTENCE_REST_MEMBERSHIP_PRIVATE_H
#define PARLEY_PERSISTENCE_REST_MEMBERSHIP_PRIVATE_H

#include "persistence-service/rest/membership/member_store.h"
#include "persistence-service/rest/membership/membership.h"
#include "persistence-service/rest/membership/membership_change.h"

struct membership {
	const struct settings *settings;
	struct reader *reader;
	struct sql *sql;
	struct change change;
	struct uuid uuid; /* of the first entry, in every try */
	bool refused;     /* trying again would not help */
	bool settled;     /* there is nothing to do */
	/* Of an invitation, who are not in it yet. */
	uint64_t missing[FEW_MAX];
	unsigned missing_count;
	char why[128];
};

/* One try, between begin and commit. */
typedef enum status membership_step(struct membership *m, void *wish);

/*
 * Runs it until it was done or refused. A try that was done without our knowing
 * is recognised by the actor's entry under m->uuid; actor 0: the step looks
 * for that itself.
 */
MUST_CHECK enum status membership_transact(struct membership *m,
                                           membership_step *step,
                                           uint64_t actor, void *wish);
/* What `actor` entered under m->uuid; ST_NOT_FOUND: nothing. */
struct membership_entry {
	uint64_t conversation;
	bool made_it; /* the first of its conversation */
};
MUST_CHECK enum status membership_find(struct membership *m, uint64_t actor,
                                       struct membership_entry *ret_entry);

/*
 * A change of a conversation that is there. It is looked at before a seq is
 * claimed for it, and again when it is locked.
 */
struct membership_work {
	/* Opens it; refuses, or sets m->settled when it is so already. */
	enum status (*look)(struct membership *m, struct member_act *act);
	enum status (*perform)(struct membership *m, struct member_act *act);
};
MUST_CHECK enum status membership_do(struct membership *m,
                                     const struct membership_work *work,
                                     struct member_act *act);

enum status membership_refuse(struct membership *m, enum status status,
                              const char *format, ...) PRINTF(3, 4);
/* The conversation, for who is at least `least` in it. */
MUST_CHECK enum status membership_open(struct membership *m,
                                       const struct member_act *act,
                                       enum member_role least);
MUST_CHECK enum status membership_check_room(struct membership *m,
                                             uint64_t members, unsigned more);
MUST_CHECK enum status membership_check_users(struct membership *m,
                                              uint64_t conversation,
                                              const uint64_t *users,
                                              unsigned count);
/* The open conversation is deleted, its name is free. */
MUST_CHECK enum status membership_end(struct membership *m);

#endif
