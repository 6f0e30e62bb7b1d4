/*
 * presence_state - whether a user is online, derived from samples of the user's
 * entry in Redis. No I/O here.
 *
 * Redis may lose all its data, or be down until every time in it is over,
 * although no user has left. So the state changes at once when a gateway
 * reports the user as online or gone. It ignores other signs of leaving until
 * they are confirmed:
 *   - an expired entry: by the next sample;
 *   - a missing entry: after PRESENCE_STATE_ABSENT_MS, in which the user's
 *     gateway has refreshed the entry if the user is still online;
 *   - both: not within PRESENCE_STATE_GRACE_MS after Redis was down.
 *
 * Units      now_ms and grace_until_ms are monotonic, the others unix.
 */
#ifndef PARLEY_WEBSOCKET_PRESENCE_STATE_H
#define PARLEY_WEBSOCKET_PRESENCE_STATE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	/* Longer than a gateway needs to refresh its entries. */
	PRESENCE_STATE_ABSENT_MS = 12000,
	PRESENCE_STATE_GRACE_MS = 12000,
};

enum presence_sample_kind {
	SAMPLE_ABSENT,  /* Redis has no entry */
	SAMPLE_ONLINE,  /* a gateway has refreshed the entry in time */
	SAMPLE_LEFT,    /* the last socket of the user has closed */
	SAMPLE_EXPIRED, /* the gateway of the user no longer refreshes it */
};

struct presence_sample {
	enum presence_sample_kind kind;
	uint64_t last_seen_ms; /* 0 unless SAMPLE_LEFT or SAMPLE_EXPIRED */
};

struct presence_state { /* zeroed: offline, never seen */
	bool online;
	bool leaving;              /* an unconfirmed sign of leaving was seen */
	uint64_t leaving_since_ms; /* while `leaving` */
	uint64_t last_seen_ms;     /* 0: not known */
};

/* `score` is the highest of the user's entry: see presence_publisher.h. */
struct presence_sample presence_sample_make(uint64_t score,
                                            uint64_t now_unix_ms);
/* The first sample needs no confirmation. */
void presence_state_init(struct presence_state *state,
                         const struct presence_sample *sample);
/* True when the user went online or offline. */
bool presence_state_update(struct presence_state *state,
                           const struct presence_sample *sample,
                           uint64_t now_ms, uint64_t grace_until_ms);
/* For frame_presence_add(): 0 is online, UINT64_MAX is never seen. */
uint64_t presence_state_last_seen(const struct presence_state *state);

#endif
