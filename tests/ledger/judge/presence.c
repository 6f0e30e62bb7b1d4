#include "tests/ledger/judge/presence.h"
#include "tests/ledger/judge/blocks.h"
#include "tests/ledger/judge/faults.h"
#include "tests/ledger/judge/ledger_state.h"

static const char *const state_names[] = {
	[PRESENCE_UNKNOWN] = "unknown",
	[PRESENCE_OFFLINE] = "offline",
	[PRESENCE_ONLINE] = "online",
};

bool presence_peer(const struct ledger *ledger, unsigned user, unsigned index,
                   unsigned *ret_peer)
{
	/* First the user before, who may be the one who blocks this user. */
	*ret_peer = (user + (index ? index : ledger->config.users - 1)) %
	            ledger->config.users;
	return index < PRESENCE_PEERS && index + 1 < ledger->config.users;
}

static uint8_t *known(const struct ledger *ledger, unsigned user)
{
	return &ledger->presence[(size_t)user * PRESENCE_PEERS];
}

void presence_subscribed(struct ledger *ledger, unsigned user)
{
	memset(known(ledger, user), PRESENCE_UNKNOWN, PRESENCE_PEERS);
}

void presence_received(struct ledger *ledger, unsigned user, uint64_t id,
                       bool online)
{
	unsigned peer;

	for (unsigned i = 0; presence_peer(ledger, user, i, &peer); i++) {
		if (ledger->ids[peer] != id)
			continue;
		known(ledger, user)[i] =
			online ? PRESENCE_ONLINE : PRESENCE_OFFLINE;
		return;
	}
	faults_add(ledger, FAULT_presence,
	           "user %u did not subscribe to user id %llu", user,
	           (unsigned long long)id);
}

void presence_gone(struct ledger *ledger, unsigned user)
{
	ledger->gone[user] = true;
}

/* PRESENCE_UNKNOWN: anything is right. */
static enum presence_state expected(const struct ledger *ledger, unsigned user,
                                    unsigned peer)
{
	const struct block_pair *pair = blocks_find(ledger, user, peer);

	if (ledger->gone[user])
		return PRESENCE_UNKNOWN;
	if (ledger->gone[peer])
		return PRESENCE_OFFLINE;
	if (!pair || pair->blocker != peer || !pair->possible)
		return PRESENCE_ONLINE;
	return pair->sure ? PRESENCE_OFFLINE : PRESENCE_UNKNOWN;
}

static bool is_right(const struct ledger *ledger, unsigned user, unsigned index,
                     unsigned peer)
{
	enum presence_state right = expected(ledger, user, peer);

	return right == PRESENCE_UNKNOWN || known(ledger, user)[index] == right;
}

bool presence_settled(const struct ledger *ledger)
{
	unsigned peer;

	for (unsigned user = 0; user < ledger->config.users; user++) {
		for (unsigned i = 0; presence_peer(ledger, user, i, &peer);
		     i++) {
			if (!is_right(ledger, user, i, peer))
				return false;
		}
	}
	return true;
}

void presence_judge(struct ledger *ledger)
{
	unsigned peer;

	for (unsigned user = 0; user < ledger->config.users; user++) {
		for (unsigned i = 0; presence_peer(ledger, user, i, &peer);
		     i++) {
			if (is_right(ledger, user, i, peer))
				continue;
			faults_add(ledger, FAULT_presence,
			           "user %u is %s to user %u, and should be %s",
			           peer, state_names[known(ledger, user)[i]],
			           user,
			           state_names[expected(ledger, user, peer)]);
		}
	}
}
