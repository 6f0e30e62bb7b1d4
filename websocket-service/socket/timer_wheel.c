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

void timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_s,
                         void (*due)(void *context,
                                     struct timer_wheel_entry *entry),
                         void *context)
{
	while (wheel->now_s < now_s) {
		struct timer_wheel_entry **slot;

		wheel->now_s++;
		slot = &wheel->slot[wheel->now_s % TIMER_WHEEL_SLOTS];
		/* timer_wheel_set() never uses the slot being emptied. */
		while (*slot) {
			struct timer_wheel_entry *entry = *slot;

			timer_wheel_clear(wheel, entry);
			due(context, entry);
		}
	}
}
