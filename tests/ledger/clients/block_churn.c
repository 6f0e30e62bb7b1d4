#include "tests/ledger/clients/block_churn.h"
#include "client-test/client/loop_timer.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/ledger/clients/seeded_random.h"
#include "tests/ledger/judge/blocks.h"

#include <stdio.h>

enum {
	AGAIN_MS = 300,
	PATH_LONGEST = 64,
	WHY_MAX = 256,
	/* Messages of the run between two changes of a pair. */
	CHANGE_LEAST = 100,
	CHANGE_MORE = 200,
};

struct pair {
	struct block_churn *churn;
	unsigned number;
	unsigned blocker, blocked;
	bool blocks; /* what the last call wants */
	bool busy;
	uint64_t due_sent; /* messages sent at the next change */
	struct loop_timer *again;
};

struct block_churn {
	struct block_churn_config config;
	struct pair *pairs;
	char error[WHY_MAX];
};

static void answered(void *context, const struct rest_answer *answer);

static void call(void *context)
{
	struct pair *pair = context;
	const struct block_churn_config *config = &pair->churn->config;
	struct buf path CLEANUP(buf_free) = BUF(PATH_LONGEST);

	blocks_changing(config->ledger, pair->number);
	buf_format(&path, "/blocks/%llu",
	           (unsigned long long)ledger_user_id(config->ledger,
	                                              pair->blocked));
	rest_call(config->rest, user_token(config->users[pair->blocker]),
	          pair->blocks ? "PUT" : "DELETE", buf_text(&path), SPAN_NONE,
	          answered, pair);
}

static void answered(void *context, const struct rest_answer *answer)
{
	struct pair *pair = context;
	const struct block_churn_config *config = &pair->churn->config;

	if (answer->status == ST_OK) {
		pair->busy = false;
		blocks_changed(config->ledger, pair->number, pair->blocks,
		               clock_mono_us());
		return;
	}
	if (answer->status == ST_DENIED)
		user_sign_in(config->users[pair->blocker]);
	if (answer->status == ST_DENIED || answer->status == ST_BUSY ||
	    answer->status == ST_UNAVAILABLE) {
		loop_timer_start(pair->again, AGAIN_MS);
		return;
	}
	pair->busy = false;
	(void)snprintf(pair->churn->error, WHY_MAX, "%s was refused: %.*s",
	               pair->blocks ? "a block" : "the end of a block",
	               (int)answer->why.len,
	               answer->why.len ? answer->why.data : "");
}

static void plan_change(struct pair *pair)
{
	const struct block_churn_config *config = &pair->churn->config;

	pair->due_sent = ledger_totals(config->ledger)->sent + CHANGE_LEAST +
	                 seeded_random_below(config->random, CHANGE_MORE);
}

struct block_churn *block_churn_create(const struct block_churn_config *config)
{
	struct block_churn *churn = mem_new(sizeof(*churn));

	churn->config = *config;
	if (config->user_count < 2 * config->pairs)
		churn->config.pairs = config->user_count / 2;
	churn->pairs =
		mem_new((churn->config.pairs + 1) * sizeof(*churn->pairs));
	for (unsigned i = 0; i < churn->config.pairs; i++) {
		struct pair *pair = &churn->pairs[i];

		pair->churn = churn;
		pair->blocker = i * config->user_count / churn->config.pairs;
		pair->blocked = pair->blocker + 1;
		pair->number = blocks_add(config->ledger, pair->blocker,
		                          pair->blocked);
		pair->again = loop_timer_create(config->loop, call, pair);
		plan_change(pair);
	}
	return churn;
}

void block_churn_destroy(struct block_churn **churn_at)
{
	struct block_churn *churn = MOVE(*churn_at);

	if (!churn)
		return;
	for (unsigned i = 0; i < churn->config.pairs; i++)
		loop_timer_destroy(&churn->pairs[i].again);
	mem_free(&churn->pairs);
	mem_free(&churn);
}

void block_churn_tick(struct block_churn *churn)
{
	uint64_t sent = ledger_totals(churn->config.ledger)->sent;

	for (unsigned i = 0; i < churn->config.pairs; i++) {
		struct pair *pair = &churn->pairs[i];

		if (pair->busy || sent < pair->due_sent)
			continue;
		pair->blocks = !pair->blocks;
		pair->busy = true;
		plan_change(pair);
		call(pair);
	}
}

void block_churn_block_all(struct block_churn *churn)
{
	for (unsigned i = 0; i < churn->config.pairs; i++) {
		struct pair *pair = &churn->pairs[i];

		if (pair->busy || pair->blocks)
			continue;
		pair->blocks = pair->busy = true;
		call(pair);
	}
}

bool block_churn_idle(const struct block_churn *churn)
{
	for (unsigned i = 0; i < churn->config.pairs; i++) {
		if (churn->pairs[i].busy)
			return false;
	}
	return true;
}

const char *block_churn_error(const struct block_churn *churn)
{
	return *churn->error ? churn->error : NULL;
}

bool block_churn_typist(struct block_churn *churn, uint64_t random,
                        unsigned *ret_user, unsigned *ret_other)
{
	const struct pair *pair;

	if (!churn->config.pairs)
		return false;
	pair = &churn->pairs[random / 2 % churn->config.pairs];
	*ret_user = random % 2 ? pair->blocker : pair->blocked;
	*ret_other = random % 2 ? pair->blocked : pair->blocker;
	return blocks_first(churn->config.ledger, pair->number);
}

bool block_churn_has(const struct block_churn *churn, unsigned one,
                     unsigned two)
{
	for (unsigned i = 0; i < churn->config.pairs; i++) {
		const struct pair *pair = &churn->pairs[i];

		if ((pair->blocker == one && pair->blocked == two) ||
		    (pair->blocker == two && pair->blocked == one))
			return true;
	}
	return false;
}
