#include "websocket-service/presence/presence_state.h"

/* Clocks differ: a gateway that said "gone" is not asked what time it is. */
struct sighting sighting_of(uint64_t score, uint64_t now_unix_ms)
{
	bool alive = score & 1;

	if (alive && score > now_unix_ms)
		return (struct sighting){SEEN_ONLINE, 0};
	return (struct sighting){alive ? SEEN_EXPIRED : SEEN_LEFT,
	                         score < now_unix_ms ? score : now_unix_ms};
}

void belief_begin(struct belief *belief, const struct sighting *sighting)
{
	*belief = (struct belief){
		.online = sighting->kind == SEEN_ONLINE,
		.last_seen_ms = sighting->last_seen_ms,
	};
}

/* Whether what only looks like leaving is to be believed. */
static bool certain(struct belief *belief, const struct sighting *sighting,
                    uint64_t now_ms, uint64_t calm_until_ms)
{
	uint64_t needed_ms =
		sighting->kind == SEEN_ABSENT ? BELIEF_ABSENT_MS : 1;

	if (!belief->doubted) {
		belief->doubted = true;
		belief->doubted_ms = now_ms;
	}
	return now_ms >= belief->doubted_ms + needed_ms &&
	       now_ms >= calm_until_ms;
}

bool belief_take(struct belief *belief, const struct sighting *sighting,
                 uint64_t now_ms, uint64_t calm_until_ms)
{
	bool was_online = belief->online;

	if (sighting->last_seen_ms)
		belief->last_seen_ms = sighting->last_seen_ms;
	if (sighting->kind == SEEN_ONLINE) {
		belief->online = true;
		belief->doubted = false;
	} else if (sighting->kind == SEEN_LEFT ||
	           certain(belief, sighting, now_ms, calm_until_ms)) {
		belief->online = false;
	}
	return belief->online != was_online;
}

uint64_t belief_last_seen(const struct belief *belief)
{
	if (belief->online)
		return 0;
	return belief->last_seen_ms ? belief->last_seen_ms : UINT64_MAX;
}
