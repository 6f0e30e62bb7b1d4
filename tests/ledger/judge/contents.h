/*
 * contents - the text and the reactions of a message, which follow from its
 * edits.
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_CONTENTS_H
#define PARLEY_TESTS_LEDGER_JUDGE_CONTENTS_H

#include "tests/ledger/judge/ledger_state.h"

/* The text is one that the message may have had since it was sent. */
bool contents_possible(const struct ledger *ledger, uint32_t number,
                       const struct message *message);
/* At the end: a history must show what all edits together give. */
void contents_judge(struct ledger *ledger, unsigned user, uint32_t number,
                    const struct message *message);

#endif
