/*
 * memberships - who was a member of a room when, according to the room's
 * changes; and the verdict on what follows for the changes themselves.
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
 * The user may have this seq: as a member then, or as a later one who sees it.
 */
bool memberships_visible(const struct room_member *member, uint32_t seq);
/* Derives the memberships from the changes, then judges all rooms. */
void memberships_judge(struct ledger *ledger);

#endif
