/*
 * belief - what is believed of a user's presence, and what changes it.
 *
 * Redis may lose all that it knew, or be away until every time in it is over,
 * and nobody has left: so what only looks like leaving is believed when it is
 * seen again, and not shortly after Redis was away; of who is not in Redis at
 * all, when their gateway has had the time to say otherwise. What a gateway
 * said is believed at once. No I/O here.
 *
 * Units      now_ms and calm_until_ms are monotonic, the rest unix.
 */
#ifndef PARLEY_WEBSOCKET_PRESENCE_STATE_H
#define PARLEY_WEBSOCKET_PRESENCE_STATE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	BELIEF_ABSENT_MS = 12000, /* more than gateways need to say it again */
	BELIEF_CALM_MS = 12000,   /* the same, after Redis was away */
};

enum sighting_kind {
	SEEN_ABSENT,  /* Redis knows nothing */
	SEEN_ONLINE,  /* a gateway answers for them */
	SEEN_LEFT,    /* their last socket went */
	SEEN_EXPIRED, /* their gateway says nothing any more */
};

struct sighting {
	enum sighting_kind kind;
	uint64_t last_seen_ms; /* of SEEN_LEFT and SEEN_EXPIRED */
};

struct belief { /* zeroed: offline, never seen */
	bool online;
	bool doubted;
	uint64_t last_seen_ms; /* 0: not known */
	uint64_t doubted_ms;   /* since then it looks as if they had gone */
};

/* The highest score of a user, see presence.h. */
struct sighting sighting_of(uint64_t score, uint64_t now_unix_ms);
/* The first one is believed as it is. */
void belief_begin(struct belief *belief, const struct sighting *sighting);
/* True when it has changed. */
bool belief_take(struct belief *belief, const struct sighting *sighting,
                 uint64_t now_ms, uint64_t calm_until_ms);
/* For frame_presence_add(). */
uint64_t belief_last_seen(const struct belief *belief);

#endif
