/*
 * rooms - groups and channels: who may be in them, and the membership changes
 * observed.
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_ROOMS_H
#define PARLEY_TESTS_LEDGER_JUDGE_ROOMS_H

#include "client-test/client/message.h"
#include "tests/ledger/judge/ledger_types.h"

struct change;

struct ledger_room_config {
	const char *name;       /* unique */
	bool all;               /* new members see all earlier entries */
	const unsigned *users;  /* who may ever be a member; the owner first */
	unsigned count;         /* up to LEDGER_ROOM_MEMBERS_MAX */
	unsigned initial_count; /* the first ones are members from the start */
};

/* Returns the number of the room, from 0. */
unsigned rooms_add(struct ledger *ledger,
                   const struct ledger_room_config *config);
/* The server answered that it created the room with its initial members. */
void rooms_created(struct ledger *ledger, unsigned room, uint64_t conversation,
                   uint64_t now_us);
unsigned rooms_count(const struct ledger *ledger);
/* 0: not created yet. */
uint64_t rooms_conversation(const struct ledger *ledger, unsigned room);
/* The first call of a change that adds or removes the user is about to be made.
 */
void rooms_membership_begins(struct ledger *ledger, unsigned room,
                             unsigned user, bool joins, uint64_t now_us);
/* A call that adds or removes the user is about to be made, or made again. */
void rooms_membership_changing(struct ledger *ledger, unsigned room,
                               unsigned user);
/*
 * A call that adds or removes the user got no answer: a process that was
 * stopped may carry it out at any later time, also after an opposite call.
 */
void rooms_membership_doubtful(struct ledger *ledger, unsigned room,
                               unsigned user);
bool rooms_is_doubtful(const struct ledger *ledger, unsigned room,
                       unsigned user);
/* The server answered that the user is a member now. */
void rooms_member_joined(struct ledger *ledger, unsigned room, unsigned user,
                         uint64_t now_us);
/* The conversation is a room that this user owns. */
bool rooms_owned_by(struct ledger *ledger, unsigned user,
                    uint64_t conversation);
/* The server said last that the user is a member. */
bool rooms_is_member(const struct ledger *ledger, unsigned room, unsigned user);

/* --- for the judge only -------------------------------------------------- */
/*
 * The change that a message reports, and the position of the device's user.
 * NULL: the change is impossible, and the fault is recorded.
 */
struct change *rooms_change(struct ledger *ledger,
                            struct ledger_device_id device,
                            const struct message *message,
                            unsigned *ret_position);
void rooms_free(struct ledger *ledger);

#endif
