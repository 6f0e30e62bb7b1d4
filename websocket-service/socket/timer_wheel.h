/*
 * timer_wheel - many deadlines in seconds. Setting or clearing one costs a
 * list operation.
 *
 * A deadline beyond the wheel's TIMER_WHEEL_SLOTS seconds fires early, when the
 * wheel has turned once: the callback reads the clock and sets the next one.
 *
 * Ownership  an entry is part of the caller's object; zeroed means "not set".
 */
#ifndef PARLEY_WEBSOCKET_SOCKET_TIMER_WHEEL_H
#define PARLEY_WEBSOCKET_SOCKET_TIMER_WHEEL_H

#include <stdint.h>

enum { TIMER_WHEEL_SLOTS = 64 }; /* seconds */

struct timer_wheel_entry {
	struct timer_wheel_entry *prev, *next;
	uint32_t slot; /* + 1; 0: not set */
};

struct timer_wheel {
	struct timer_wheel_entry *slot[TIMER_WHEEL_SLOTS];
	uint64_t now_s; /* the second up to which the wheel has advanced */
	uint32_t left;  /* of the `max` of timer_wheel_advance() */
};

void timer_wheel_start(struct timer_wheel *wheel, uint64_t now_s);
/* Sets or moves an entry. It fires one second from now at the earliest. */
void timer_wheel_set(struct timer_wheel *wheel, struct timer_wheel_entry *entry,
                     uint64_t due_s);
void timer_wheel_clear(struct timer_wheel *wheel,
                       struct timer_wheel_entry *entry);
/*
 * Calls `due` for entries that are due, at most `max`: the next call goes on
 * with the others. `due` may set and clear any entry.
 */
void timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_s,
                         uint32_t max,
                         void (*due)(void *context,
                                     struct timer_wheel_entry *entry),
                         void *context);
/* In `due`: this entry takes as long as `count` others. */
void timer_wheel_spend(struct timer_wheel *wheel, uint32_t count);

#endif
