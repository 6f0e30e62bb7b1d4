/*
 * memberships - the periods in which users were members of a room, derived from
 * the room's changes; and the verdict on the changes.
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_MEMBERSHIPS_H
#define PARLEY_TESTS_LEDGER_JUDGE_MEMBERSHIPS_H

#include "tests/ledger/judge/ledger_state.h"

/* The membership that covers a seq, or NULL. */
const struct membership *memberships_at(const struct room_member *member,
                                        uint32_t seq);
/* The current membership, or NULL. */
const struct membership *memberships_now(const struct room_member *member);
/*
 * True when the user may see this seq: the user was a member at that time, or
 * joined later and sees earlier entries.
 */
bool memberships_visible(const struct room_member *member, uint32_t seq);
/* Derives the memberships from the changes, then judges all rooms. */
void memberships_judge(struct ledger *ledger);

#endif
