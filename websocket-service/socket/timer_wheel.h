/*
 * wheel - many deadlines of seconds, at the price of a list insertion each.
 *
 * Deadlines further away than the wheel goes around fire early, at its end:
 * who is called looks at the clock and sets the next one.
 *
 * Ownership  an item is part of the caller's object; zeroed is "not set".
 */
#ifndef PARLEY_WEBSOCKET_SOCKET_TIMER_WHEEL_H
#define PARLEY_WEBSOCKET_SOCKET_TIMER_WHEEL_H

#include <stdint.h>

enum { WHEEL_SLOTS = 64 }; /* seconds */

struct wheel_item {
	struct wheel_item *prev, *next;
	uint32_t slot; /* + 1; 0: not set */
};

struct wheel {
	struct wheel_item *slot[WHEEL_SLOTS];
	uint64_t now_s; /* the last second that was turned to */
};

void wheel_start(struct wheel *wheel, uint64_t now_s);
/* Moves the item if it was set. At the earliest it fires a second from now. */
void wheel_set(struct wheel *wheel, struct wheel_item *item, uint64_t due_s);
void wheel_clear(struct wheel *wheel, struct wheel_item *item);
/* Calls `due` for what is due; it may set and clear any item. */
void wheel_turn(struct wheel *wheel, uint64_t now_s,
                void (*due)(void *context, struct wheel_item *item),
                void *context);

#endif
