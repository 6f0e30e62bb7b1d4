/*
 * state - what is believed of a user's presence, and what changes it.
 *
 * Redis may lose all that it knew, or be away until every time in it is over,
 * and nobody has left: so what only looks like leaving is believed when it is
 * seen again, and not shortly after Redis was away; of who is not in Redis at
 * all, when their gateway has had the time to say otherwise. What a gateway
 * said is believed at once. No I/O here.
 *
 * Units      now_ms and grace_until_ms are monotonic, the rest unix.
 */
#ifndef PARLEY_WEBSOCKET_PRESENCE_STATE_H
#define PARLEY_WEBSOCKET_PRESENCE_STATE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	PRESENCE_STATE_ABSENT_MS =
		12000, /* more than gateways need to say it again */
	PRESENCE_STATE_GRACE_MS = 12000, /* the same, after Redis was away */
};

enum presence_sample_kind {
	SAMPLE_ABSENT,  /* Redis knows nothing */
	SAMPLE_ONLINE,  /* a gateway answers for them */
	SAMPLE_LEFT,    /* their last socket went */
	SAMPLE_EXPIRED, /* their gateway says nothing any more */
};

struct presence_sample {
	enum presence_sample_kind kind;
	uint64_t last_seen_ms; /* of SAMPLE_LEFT and SAMPLE_EXPIRED */
};

struct presence_state { /* zeroed: offline, never seen */
	bool online;
	bool leaving;
	uint64_t last_seen_ms;     /* 0: not known */
	uint64_t leaving_since_ms; /* since then it looks as if they had gone */
};

/* The highest score of a user, see presence.h. */
struct presence_sample presence_sample_make(uint64_t score,
                                            uint64_t now_unix_ms);
/* The first one is believed as it is. */
void presence_state_init(struct presence_state *state,
                         const struct presence_sample *sample);
/* True when it has changed. */
bool presence_state_update(struct presence_state *state,
                           const struct presence_sample *sample,
                           uint64_t now_ms, uint64_t grace_until_ms);
/* For frame_presence_add(). */
uint64_t presence_state_last_seen(const struct presence_state *state);

#endif
