/*
 * turn_watch - logs a turn of a loop that takes more CPU time than it may. What
 * the loop waits for, the database above all, does not count.
 *
 * Threads    those of the loop: each loop has its own watch.
 */
#ifndef PARLEY_PERSISTENCE_TURN_WATCH_H
#define PARLEY_PERSISTENCE_TURN_WATCH_H

#include <stdint.h>

struct turn_watch {
	const char *loop; /* its name in the log; a constant */
	uint64_t max_us;  /* 0: turns are not measured */
	uint64_t began_us;
};

struct turn_watch turn_watch_make(const char *loop, uint64_t max_ms);
void turn_watch_begin(struct turn_watch *watch);
void turn_watch_end(const struct turn_watch *watch);

#endif
