#include "websocket-service/socket/timer_wheel.h"

#include <stddef.h>
#include <utlist.h>

void timer_wheel_start(struct timer_wheel *wheel, uint64_t now_s)
{
	*wheel = (struct timer_wheel){.now_s = now_s};
}

void timer_wheel_clear(struct timer_wheel *wheel,
                       struct timer_wheel_entry *entry)
{
	if (!entry->slot)
		return;
	DL_DELETE(wheel->slot[entry->slot - 1], entry);
	entry->slot = 0;
}

void timer_wheel_set(struct timer_wheel *wheel, struct timer_wheel_entry *entry,
                     uint64_t due_s)
{
	uint32_t slot;

	timer_wheel_clear(wheel, entry);
	if (due_s <= wheel->now_s)
		due_s = wheel->now_s + 1;
	if (due_s > wheel->now_s + TIMER_WHEEL_SLOTS - 1)
		due_s = wheel->now_s + TIMER_WHEEL_SLOTS - 1;
	slot = (uint32_t)(due_s % TIMER_WHEEL_SLOTS);
	DL_APPEND(wheel->slot[slot], entry);
	entry->slot = slot + 1;
}

/* timer_wheel_set() never uses the slot of now_s, which is being emptied. */
void timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_s,
                         uint32_t max,
                         void (*due)(void *context,
                                     struct timer_wheel_entry *entry),
                         void *context)
{
	wheel->left = max;
	for (;;) {
		struct timer_wheel_entry *entry =
			wheel->slot[wheel->now_s % TIMER_WHEEL_SLOTS];

		if (entry && wheel->left == 0)
			return;
		if (entry) {
			wheel->left--;
			timer_wheel_clear(wheel, entry);
			due(context, entry);
		} else if (wheel->now_s < now_s) {
			wheel->now_s++;
		} else {
			return;
		}
	}
}

void timer_wheel_spend(struct timer_wheel *wheel, uint32_t count)
{
	wheel->left -= count < wheel->left ? count : wheel->left;
}
