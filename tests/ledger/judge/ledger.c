#include "tests/ledger/judge/ledger.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "tests/ledger/judge/conversation_log.h"
#include "tests/ledger/judge/faults.h"
#include "tests/ledger/judge/ledger_state.h"
#include "tests/ledger/judge/presence.h"
#include "tests/ledger/judge/rooms.h"

#include <assert.h>

struct ledger *ledger_create(const struct ledger_config *config)
{
	struct ledger *ledger = mem_new(sizeof(*ledger));

	assert(config->users > 0 && config->users <= UINT16_MAX);
	assert(config->devices > 0 && config->devices <= LEDGER_DEVICES_MAX);
	ledger->config = *config;
	ledger->run = (uint32_t)random_u64() & 0x3fffffff;
	ledger->presence = mem_new((size_t)config->users * PRESENCE_PEERS);
	ledger->gone = mem_new(config->users);
	ledger->ids = mem_new(config->users * sizeof(*ledger->ids));
	ledger->sessions = mem_new((size_t)config->users * config->devices *
	                           sizeof(*ledger->sessions));
	return ledger;
}

void ledger_destroy(struct ledger **ledger_at)
{
	struct ledger *ledger = *ledger_at;

	if (!ledger)
		return;
	conversation_log_free_all(ledger);
	rooms_free(ledger);
	faults_free(ledger);
	mem_free(&ledger->ids);
	mem_free(&ledger->sessions);
	mem_free(&ledger->entries);
	mem_free(&ledger->edits);
	mem_free(&ledger->block_pairs);
	mem_free(&ledger->presence);
	mem_free(&ledger->gone);
	mem_free(&ledger->set_bytes);
	mem_free(ledger_at);
}

void ledger_set_user_id(struct ledger *ledger, unsigned user, uint64_t id)
{
	ledger->ids[user] = id;
}

uint64_t ledger_user_id(const struct ledger *ledger, unsigned user)
{
	return ledger->ids[user];
}

const struct ledger_totals *ledger_totals(const struct ledger *ledger)
{
	return &ledger->totals;
}

const char *ledger_example(const struct ledger *ledger, unsigned index)
{
	return index < ledger->example_count ? ledger->examples[index] : NULL;
}
