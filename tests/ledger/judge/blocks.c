#include "tests/ledger/judge/blocks.h"
#include "common/base/mem.h"
#include "tests/ledger/judge/faults.h"
#include "tests/ledger/judge/ledger_state.h"

unsigned blocks_add(struct ledger *ledger, unsigned blocker, unsigned blocked)
{
	ledger->block_pairs = mem_resize(ledger->block_pairs,
	                                 (ledger->block_pair_count + 1) *
	                                         sizeof(*ledger->block_pairs));
	ledger->block_pairs[ledger->block_pair_count] =
		(struct block_pair){.blocker = blocker, .blocked = blocked};
	return ledger->block_pair_count++;
}

void blocks_changing(struct ledger *ledger, unsigned pair)
{
	ledger->block_pairs[pair].possible = true;
	ledger->block_pairs[pair].sure = false;
}

void blocks_changed(struct ledger *ledger, unsigned number, bool blocks,
                    uint64_t now_us)
{
	struct block_pair *pair = &ledger->block_pairs[number];

	pair->sure = blocks;
	pair->answered += blocks;
	ledger->totals.blocks += blocks;
	if (blocks)
		return;
	pair->possible = false;
	pair->possible_until_us = now_us;
}

bool blocks_first(const struct ledger *ledger, unsigned pair)
{
	return ledger->block_pairs[pair].sure &&
	       ledger->block_pairs[pair].answered == 1;
}

const struct block_pair *blocks_find(const struct ledger *ledger, unsigned one,
                                     unsigned two)
{
	for (unsigned i = 0; i < ledger->block_pair_count; i++) {
		const struct block_pair *pair = &ledger->block_pairs[i];

		if ((pair->blocker == one && pair->blocked == two) ||
		    (pair->blocker == two && pair->blocked == one))
			return pair;
	}
	return NULL;
}

bool blocks_sure(const struct ledger *ledger, unsigned blocker,
                 unsigned blocked)
{
	const struct block_pair *pair = blocks_find(ledger, blocker, blocked);

	return pair && pair->sure && pair->blocker == blocker;
}

uint32_t blocks_number(const struct ledger *ledger, unsigned one, unsigned two)
{
	const struct block_pair *pair = blocks_find(ledger, one, two);

	return pair && pair->sure ? pair->answered : 0;
}

bool blocks_possible(const struct ledger *ledger, unsigned one, unsigned two,
                     uint64_t since_us)
{
	const struct block_pair *pair = blocks_find(ledger, one, two);

	return pair && (pair->possible || pair->possible_until_us >= since_us);
}

bool blocks_explain(const struct ledger *ledger, unsigned from, unsigned to,
                    uint64_t sent_us, struct span code)
{
	const struct block_pair *pair = blocks_find(ledger, from, to);

	if (!blocks_possible(ledger, from, to, sent_us))
		return false;
	return from == pair->blocked ? span_equal(code, SPAN("unknown_user"))
	                             : span_equal(code, SPAN("not_allowed"));
}

void blocks_check(struct ledger *ledger, unsigned from, unsigned to,
                  uint32_t block, const char *what, uint32_t number)
{
	const struct block_pair *pair = blocks_find(ledger, from, to);

	if (block && pair && pair->sure && pair->answered == block)
		faults_add(
			ledger, FAULT_blocks,
			"%s %u of user %u is saved, and user %u blocks user %u",
			what, number, from, pair->blocker, pair->blocked);
}
