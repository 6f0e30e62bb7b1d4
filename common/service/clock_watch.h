/*
 * clock_watch - ends the process when the wall clock is set back.
 *
 * librdkafka's threads sleep until a time of the wall clock, because
 * cnd_timedwait() of C11 supports no other clock. When the clock is set back by
 * an hour, they sleep for an hour: the gateway receives no events and the
 * consumer no records. The process ends instead: it is restarted and nothing is
 * lost.
 *
 * A clock that is set forward, or back by less than CLOCK_BACK_MAX_MS, does no
 * harm.
 */
#ifndef PARLEY_SERVICE_CLOCK_WATCH_H
#define PARLEY_SERVICE_CLOCK_WATCH_H

#include <stdbool.h>
#include <stdint.h>

enum { CLOCK_BACK_MAX_MS = 5000 };

struct clock_watch {
	bool checked;
	int64_t lead_ms; /* wall clock minus monotonic clock */
};

/* True when the wall clock was set back since the last check. */
bool clock_watch_check(struct clock_watch *watch, uint64_t mono_ms,
                       uint64_t unix_ms);

/*
 * Starts a thread that checks every half second, because the other threads may
 * sleep. It ends the process at once, with exit code 111.
 */
void clock_watch_start(void);

#endif
