#include "common/base/turn_watch.h"
#include "common/base/clock.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Raised by SIGCONT. */
static atomic_uint continued;

static void on_continued(int signal)
{
	(void)signal;
	atomic_fetch_add(&continued, 1);
}

void turn_watch_start(struct turn_watch *watch, uint64_t cpu_max_ms,
                      uint64_t asleep_max_ms)
{
	static const struct sigaction on_sigcont = {.sa_handler = on_continued,
	                                            .sa_flags = SA_RESTART};

	*watch = (struct turn_watch){
		.cpu_max_us = cpu_max_ms * 1000,
		.asleep_max_us = asleep_max_ms * 1000,
		.schedstat = -1,
	};
	if (!cpu_max_ms || !asleep_max_ms)
		return;
	(void)sigaction(SIGCONT, &on_sigcont, NULL);
	watch->schedstat =
		open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
}

/* Its text is "<on a processor> <ready> <timeslices>", in nanoseconds. */
static uint64_t thread_ready_us(const struct turn_watch *watch)
{
	char text[128];
	ssize_t len = pread(watch->schedstat, text, sizeof(text) - 1, 0);
	char *ready;

	text[len > 0 ? len : 0] = '\0';
	ready = strchr(text, ' ');
	return ready ? strtoull(ready, NULL, 10) / 1000 : 0;
}

static struct turn_times read_times(const struct turn_watch *watch,
                                    uint64_t waits_us)
{
	struct turn_times times = {.cpu_us = clock_thread_cpu_us()};

	if (watch->schedstat < 0)
		return times;
	times.wall_us = clock_mono_us();
	times.waits_us = waits_us;
	times.ready_us = thread_ready_us(watch);
	times.continued = atomic_load(&continued);
	return times;
}

/* What is left of the turn when all known times are taken away. */
static uint64_t asleep_us(const struct turn_times *from,
                          const struct turn_times *to)
{
	uint64_t known = to->waits_us - from->waits_us + to->cpu_us -
	                 from->cpu_us + to->ready_us - from->ready_us;
	uint64_t wall = to->wall_us - from->wall_us;

	return from->continued == to->continued && wall > known ? wall - known
	                                                        : 0;
}

void turn_watch_begin(struct turn_watch *watch, uint64_t waits_us)
{
	if (watch->cpu_max_us)
		watch->began = read_times(watch, waits_us);
}

bool turn_watch_end(struct turn_watch *watch, uint64_t waits_us,
                    struct slow_turn *ret_slow)
{
	struct turn_times began = watch->began;

	if (!watch->cpu_max_us)
		return false;
	watch->began = read_times(watch, waits_us);
	*ret_slow = (struct slow_turn){
		.cpu_us = watch->began.cpu_us - began.cpu_us,
		.asleep_us = asleep_us(&began, &watch->began),
	};
	return ret_slow->cpu_us > watch->cpu_max_us ||
	       (watch->asleep_max_us &&
	        ret_slow->asleep_us > watch->asleep_max_us);
}

void turn_watch_stop(struct turn_watch *watch)
{
	if (watch->schedstat >= 0)
		(void)close(watch->schedstat);
	watch->schedstat = -1;
}
