/*
 * room_churn - creates the groups and channels of a run and changes their
 * members over REST.
 *
 * Every second room is a channel. The first of its users, the owner, stays; the
 * others join and leave while the churn lasts. A call without an answer is
 * repeated until it is answered.
 */
#ifndef PARLEY_TESTS_LEDGER_CLIENTS_ROOM_CHURN_H
#define PARLEY_TESTS_LEDGER_CLIENTS_ROOM_CHURN_H

#include "tests/ledger/clients/user.h"

struct room_churn;

struct room_churn_config {
	struct uv_loop_s *loop;
	struct rest *rest;
	struct ledger *ledger;
	struct user *const *users;
	unsigned user_count;
	unsigned rooms;
	unsigned room_size;       /* members of each at the start */
	unsigned changes_per_min; /* joins and leaves, in all rooms */
	unsigned long long run;   /* in the names of the rooms */
	uint64_t *random;         /* of the run (seeded_random) */
};

struct room_churn *room_churn_create(const struct room_churn_config *config);
/* To be destroyed after `rest`, so that no answer arrives any more. */
void room_churn_destroy(struct room_churn **churn);

/* Creates the rooms whose users are all signed in. */
void room_churn_create_rooms(struct room_churn *churn);
bool room_churn_rooms_created(const struct room_churn *churn);
/* The last call that was refused for good, in words; NULL: none. */
const char *room_churn_error(const struct room_churn *churn);
/* Starts the changes that are due. */
void room_churn_tick(struct room_churn *churn, uint64_t now_us);
/* Every change is answered. */
bool room_churn_idle(const struct room_churn *churn);
/* A user who is certainly a member of a room; `random` chooses. */
unsigned room_churn_member(const struct room_churn *churn, unsigned room,
                           uint64_t random);

#endif
