/*
 * wheel - many deadlines of seconds, at the price of a list insertion each.
 *
 * Deadlines further away than the wheel goes around fire early, at its end:
 * who is called looks at the clock and sets the next one.
 *
 * Ownership  an entry is part of the caller's object; zeroed is "not set".
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
	uint64_t now_s; /* the last second that was turned to */
};

void timer_wheel_start(struct timer_wheel *wheel, uint64_t now_s);
/* Moves the entry if it was set. At the earliest it fires a second from now. */
void timer_wheel_set(struct timer_wheel *wheel, struct timer_wheel_entry *entry,
                     uint64_t due_s);
void timer_wheel_clear(struct timer_wheel *wheel,
                       struct timer_wheel_entry *entry);
/* Calls `due` for what is due; it may set and clear any entry. */
void timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_s,
                         void (*due)(void *context,
                                     struct timer_wheel_entry *entry),
                         void *context);

#endif
