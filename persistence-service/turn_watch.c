#include "persistence-service/turn_watch.h"
#include "common/base/clock.h"
#include "common/service/log.h"

struct turn_watch turn_watch_make(const char *loop, uint64_t max_ms)
{
	return (struct turn_watch){.loop = loop, .max_us = max_ms * 1000};
}

void turn_watch_begin(struct turn_watch *watch)
{
	if (watch->max_us)
		watch->began_us = clock_thread_cpu_us();
}

void turn_watch_end(const struct turn_watch *watch)
{
	uint64_t took_us;

	if (!watch->max_us)
		return;
	took_us = clock_thread_cpu_us() - watch->began_us;
	if (took_us > watch->max_us)
		log_event(LOG_ERROR, "loop.slow_turn",
		          F_TEXT("loop", watch->loop),
		          F_NUMBER("cpu_us", took_us));
}
