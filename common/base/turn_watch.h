/*
 * turn_watch - measures a turn of a loop: its CPU time, because a busy machine
 * makes any turn long; and the time for which the thread was asleep although
 * it did not wait for events, as in a call that blocks.
 *
 * Threads    one, between turn_watch_start() and turn_watch_stop(): the loop's.
 */
#ifndef PARLEY_BASE_TURN_WATCH_H
#define PARLEY_BASE_TURN_WATCH_H

#include <stdbool.h>
#include <stdint.h>

/* A disk may take a second to bring a page or take a log line. */
enum { TURN_ASLEEP_MAX_MS = 4000 };

/* Times of the loop's thread since some moment. */
struct turn_times {
	uint64_t wall_us;
	uint64_t waits_us; /* for events */
	uint64_t cpu_us;
	uint64_t ready_us;  /* for a processor */
	unsigned continued; /* how often the process was stopped */
};

struct turn_watch {
	uint64_t cpu_max_us;
	uint64_t asleep_max_us;
	int schedstat; /* the kernel's times of the thread; < 0: none */
	struct turn_times began;
};

/* What took too long in a turn. */
struct slow_turn {
	uint64_t cpu_us;
	uint64_t asleep_us;
};

/*
 * On the loop's thread. cpu_max_ms 0: nothing is measured. asleep_max_ms 0: nor
 * is sleep, for a turn that waits for a database. A process that measures sleep
 * has a handler of SIGCONT: a process that was stopped has not slept.
 */
void turn_watch_start(struct turn_watch *watch, uint64_t cpu_max_ms,
                      uint64_t asleep_max_ms);
/* waits_us: how long the thread has waited for events so far, in all. */
void turn_watch_begin(struct turn_watch *watch, uint64_t waits_us);
/*
 * Whether the turn since the last begin or end was slow. The next turn begins
 * here.
 */
bool turn_watch_end(struct turn_watch *watch, uint64_t waits_us,
                    struct slow_turn *ret_slow);
void turn_watch_stop(struct turn_watch *watch);

#endif
