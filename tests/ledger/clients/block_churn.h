/*
 * block_churn - users who block another user and take the block away again,
 * over REST, while the run lasts.
 *
 * The blocks of a run are spread over its users; each blocks the next user. A
 * call without an answer is repeated until it is answered.
 */
#ifndef PARLEY_TESTS_LEDGER_CLIENTS_BLOCK_CHURN_H
#define PARLEY_TESTS_LEDGER_CLIENTS_BLOCK_CHURN_H

#include "tests/ledger/clients/user.h"

struct block_churn;

struct block_churn_config {
	struct uv_loop_s *loop;
	struct rest *rest;
	struct ledger *ledger;
	struct user *const *users;
	unsigned user_count;
	unsigned pairs;
	uint64_t *random; /* of the run (seeded_random) */
};

struct block_churn *block_churn_create(const struct block_churn_config *config);
/* To be destroyed after `rest`, so that no answer arrives any more. */
void block_churn_destroy(struct block_churn **churn);

/* Starts the changes that are due: a block lasts for some hundred messages. */
void block_churn_tick(struct block_churn *churn);
/* Each pair that does not block yet blocks, and this does not change again. */
void block_churn_block_all(struct block_churn *churn);
/* Every call is answered. */
bool block_churn_idle(const struct block_churn *churn);
/* A call that was refused, in words; NULL: none. */
const char *block_churn_error(const struct block_churn *churn);
/* One of the two users, at a time when both may type (typing.h); false: not
 * now.
 */
bool block_churn_typist(struct block_churn *churn, uint64_t random,
                        unsigned *ret_user, unsigned *ret_other);
/* The two users block each other at some time of the run. */
bool block_churn_has(const struct block_churn *churn, unsigned one,
                     unsigned two);

#endif
