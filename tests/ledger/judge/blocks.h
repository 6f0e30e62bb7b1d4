/*
 * blocks - users who block another user for a while: what the two send to each
 * other meanwhile is refused, and the block lasts as long as the server said.
 *
 * A block is possible from its call on, and sure from the answer until the call
 * that takes it away.
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_BLOCKS_H
#define PARLEY_TESTS_LEDGER_JUDGE_BLOCKS_H

#include "common/base/span.h"
#include "tests/ledger/judge/ledger_types.h"

/* One user may block another in this run. Returns the number of the pair. */
unsigned blocks_add(struct ledger *ledger, unsigned blocker, unsigned blocked);
/* A call that sets or takes away the block is made, or made again. */
void blocks_changing(struct ledger *ledger, unsigned pair);
/* The call was answered. */
void blocks_changed(struct ledger *ledger, unsigned pair, bool blocks,
                    uint64_t now_us);
/* The block is the first one of the pair, and sure. */
bool blocks_first(const struct ledger *ledger, unsigned pair);

/* --- for the judge only -------------------------------------------------- */
struct block_pair {
	unsigned blocker, blocked;
	bool possible, sure;
	unsigned answered;          /* blocks that were answered */
	uint64_t possible_until_us; /* that of an earlier block */
};

/* The pair of these two users, in any order; NULL: neither blocks the other. */
const struct block_pair *blocks_find(const struct ledger *ledger, unsigned one,
                                     unsigned two);
/* The block of `blocker` against `blocked` is sure. */
bool blocks_sure(const struct ledger *ledger, unsigned blocker,
                 unsigned blocked);
/* A block between the two was possible at some time since then. */
bool blocks_possible(const struct ledger *ledger, unsigned one, unsigned two,
                     uint64_t since_us);
/* A refusal with this code is right for what was sent at this time. */
bool blocks_explain(const struct ledger *ledger, unsigned from, unsigned to,
                    uint64_t sent_us, struct span code);
/* The block between the two that is sure, numbered from 1; 0: none. */
uint32_t blocks_number(const struct ledger *ledger, unsigned one, unsigned two);
/*
 * Something is saved whose copies were all sent during this block (or 0): a
 * fault, if the block still lasts. Later the same may be right.
 */
void blocks_check(struct ledger *ledger, unsigned from, unsigned to,
                  uint32_t block, const char *what, uint32_t number);

#endif
