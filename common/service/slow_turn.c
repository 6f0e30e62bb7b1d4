#include "common/service/slow_turn.h"
#include "common/service/log.h"

void slow_turn_log(const char *loop, const struct slow_turn *slow)
{
	log_event(LOG_ERROR, "loop.slow_turn", F_TEXT("loop", loop),
	          F_NUMBER("cpu_us", slow->cpu_us),
	          F_NUMBER("asleep_us", slow->asleep_us));
}

void slow_turn_end(const char *loop, struct turn_watch *watch)
{
	struct slow_turn slow;

	if (turn_watch_end(watch, 0, &slow))
		slow_turn_log(loop, &slow);
}
