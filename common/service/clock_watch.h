/*
 * clock_watch - ends the process when the wall clock is set back.
 *
 * librdkafka's threads sleep until a time of the wall clock (cnd_timedwait() of
 * C11 knows no other). Set that clock back by an hour and they sleep for an
 * hour: a gateway that hears nothing, a consumer that takes nothing. A process
 * that ends at once is started again and nothing is lost; so it ends.
 *
 * A clock that is set forward, or back by less than CLOCK_BACK_MAX_MS, harms
 * nobody.
 */
#ifndef PARLEY_SERVICE_CLOCK_WATCH_H
#define PARLEY_SERVICE_CLOCK_WATCH_H

#include <stdbool.h>
#include <stdint.h>

enum { CLOCK_BACK_MAX_MS = 5000 };

struct clock_watch {
	bool looked;
	int64_t lead_ms; /* of the wall clock before the monotonic one */
};

/* True when the wall clock was set back since the last look. */
bool clock_watch_check(struct clock_watch *watch, uint64_t mono_ms,
                       uint64_t unix_ms);

/*
 * Starts a thread of its own that looks each half second, because the others
 * may be asleep: exit 111, as if killed.
 */
void clock_watch_start(void);

#endif
