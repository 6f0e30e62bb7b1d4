#include "websocket-service/presence/presence_clock.h"
#include "common/base/clock.h"

void presence_clock_set(struct presence_clock *clock, uint64_t redis_ms)
{
	clock->redis_ms = redis_ms;
	clock->mono_ms = clock_mono_ms();
}

uint64_t presence_clock_now_ms(const struct presence_clock *clock)
{
	return clock->redis_ms
	               ? clock->redis_ms + clock_mono_ms() - clock->mono_ms
	               : clock_unix_ms();
}
