#include "common/service/clock_watch.h"
#include "common/base/clock.h"
#include "common/service/log.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { CHECK_NS = 500000000, EXIT_ENVIRONMENT = 111 };

bool clock_watch_check(struct clock_watch *watch, uint64_t mono_ms,
                       uint64_t unix_ms)
{
	int64_t lead_ms = (int64_t)(unix_ms - mono_ms);
	bool back =
		watch->checked && lead_ms + CLOCK_BACK_MAX_MS < watch->lead_ms;

	watch->checked = true;
	watch->lead_ms = lead_ms;
	return back;
}

static void *check_for_ever(void *nothing)
{
	const struct timespec pause = {.tv_nsec = CHECK_NS};
	struct clock_watch watch = {false, 0};

	(void)nothing;
	while (!clock_watch_check(&watch, clock_mono_ms(), clock_unix_ms()))
		(void)nanosleep(&pause, NULL);
	log_event(LOG_ERROR, "clock.set_back");
	_exit(EXIT_ENVIRONMENT);
}

void clock_watch_start(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, check_for_ever, NULL))
		abort();
	(void)pthread_detach(thread);
}
