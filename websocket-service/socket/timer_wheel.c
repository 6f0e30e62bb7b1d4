#include "websocket-service/socket/timer_wheel.h"

#include <stddef.h>
#include <utlist.h>

void wheel_start(struct wheel *wheel, uint64_t now_s)
{
	*wheel = (struct wheel){.now_s = now_s};
}

void wheel_clear(struct wheel *wheel, struct wheel_item *item)
{
	if (!item->slot)
		return;
	DL_DELETE(wheel->slot[item->slot - 1], item);
	item->slot = 0;
}

void wheel_set(struct wheel *wheel, struct wheel_item *item, uint64_t due_s)
{
	uint32_t slot;

	wheel_clear(wheel, item);
	if (due_s <= wheel->now_s)
		due_s = wheel->now_s + 1;
	if (due_s > wheel->now_s + WHEEL_SLOTS - 1)
		due_s = wheel->now_s + WHEEL_SLOTS - 1;
	slot = (uint32_t)(due_s % WHEEL_SLOTS);
	DL_APPEND(wheel->slot[slot], item);
	item->slot = slot + 1;
}

void wheel_turn(struct wheel *wheel, uint64_t now_s,
                void (*due)(void *context, struct wheel_item *item),
                void *context)
{
	while (wheel->now_s < now_s) {
		struct wheel_item **slot;

		wheel->now_s++;
		slot = &wheel->slot[wheel->now_s % WHEEL_SLOTS];
		/* Nothing is set into the slot that is being emptied. */
		while (*slot) {
			struct wheel_item *item = *slot;

			wheel_clear(wheel, item);
			due(context, item);
		}
	}
}
