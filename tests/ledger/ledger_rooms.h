/*
 * ledger_rooms - the groups and channels of a ledger run, made and changed over
 * REST by the people who are in them.
 *
 * Every second room is a channel. Its first seat, the owner, stays; the others
 * of the crowd come and go while the churn lasts. What is not answered is asked
 * again until it is.
 */
#ifndef PARLEY_TESTS_LEDGER_LEDGER_ROOMS_H
#define PARLEY_TESTS_LEDGER_LEDGER_ROOMS_H

#include "tests/ledger/ledger_user.h"

struct ledger_rooms;

struct ledger_rooms_setup {
	struct uv_loop_s *loop;
	struct rest *rest;
	struct ledger_book *book;
	struct ledger_user *const *users;
	unsigned user_count;
	unsigned count;         /* of rooms */
	unsigned size;          /* people in each at the start */
	unsigned churn;         /* comings and goings a minute, in all */
	unsigned long long run; /* in their names */
	uint64_t *random;       /* the run's: the same seed, the same choices */
};

struct ledger_rooms *
ledger_rooms_create(const struct ledger_rooms_setup *setup);
/* After the rest: no answer may come any more. */
void ledger_rooms_destroy(struct ledger_rooms **rooms);

/* Makes those that can be made: when all of their people are signed in. */
void ledger_rooms_make(struct ledger_rooms *rooms);
bool ledger_rooms_made(const struct ledger_rooms *rooms);
/* What was refused for good, in words; NULL: nothing. */
const char *ledger_rooms_refusal(const struct ledger_rooms *rooms);
/* Starts what is due of the churn. */
void ledger_rooms_tick(struct ledger_rooms *rooms, uint64_t now_us);
/* All comings and goings are answered. */
bool ledger_rooms_idle(const struct ledger_rooms *rooms);
/* Somebody who is surely in a room; `random` chooses. */
unsigned ledger_rooms_member(const struct ledger_rooms *rooms, unsigned room,
                             uint64_t random);
/* splitmix64: the same seed, the same choices. */
uint64_t ledger_draw(uint64_t *random, uint64_t below);

#endif
