/*
 * revisions - the revisions of a conversation: each is one edit, without gaps.
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_REVISIONS_H
#define PARLEY_TESTS_LEDGER_JUDGE_REVISIONS_H

#include "tests/ledger/judge/ledger_state.h"

/* An observation says which revision an edit is: all must say the same. */
void revisions_set(struct ledger *ledger, uint32_t number,
                   uint64_t conversation, uint64_t seq, uint64_t revision);
/*
 * At the end. `unseen` edits were accepted and must have a revision that no
 * socket saw; `maybe_unseen` ones may have been refused.
 */
void revisions_judge(struct ledger *ledger, const struct conversation_log *log,
                     uint32_t unseen, uint32_t maybe_unseen);

#endif
