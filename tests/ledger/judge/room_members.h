/*
 * room_members - the users who may ever be members of a room, by position.
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_ROOM_MEMBERS_H
#define PARLEY_TESTS_LEDGER_JUDGE_ROOM_MEMBERS_H

#include "tests/ledger/judge/ledger_state.h"

/* The position of a user; -1: the user may never be a member. */
int room_members_index(const struct room *room, unsigned user);
/* The same for a user's id. */
int room_members_index_of_id(const struct ledger *ledger,
                             const struct room *room, uint64_t id);
/* The user was certainly a member at that time, and is now. */
bool room_members_sure(const struct room_member *member, uint64_t at_us);
/*
 * True when the sender was possibly not a member at some time since the message
 * was sent.
 */
bool room_members_maybe_outside(const struct ledger *ledger,
                                const struct entry *entry);

#endif
