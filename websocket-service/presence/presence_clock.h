/*
 * presence_clock - the time of Redis, by which all gateways judge presence.
 *
 * A gateway whose own clock is an hour ahead would write times that no other
 * gateway can outdo for an hour. So the gateway asks Redis for the time, and
 * counts on with the monotonic clock, which does not jump.
 *
 * Units      unix ms.
 */
#ifndef PARLEY_WEBSOCKET_PRESENCE_CLOCK_H
#define PARLEY_WEBSOCKET_PRESENCE_CLOCK_H

#include <stdint.h>

enum { PRESENCE_CLOCK_ASK_S = 10 };

struct presence_clock { /* zeroed: Redis was not asked yet */
	uint64_t redis_ms;
	uint64_t mono_ms; /* when it was redis_ms */
};

void presence_clock_set(struct presence_clock *clock, uint64_t redis_ms);
/* The own clock's time until Redis has told its own. */
uint64_t presence_clock_now_ms(const struct presence_clock *clock);

#endif
