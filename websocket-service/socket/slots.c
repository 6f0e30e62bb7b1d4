#include "websocket-service/socket/slots.h"
#include "common/base/mem.h"

#include <stddef.h>

enum { INDEX_BITS = 24 };

#define INDEX_MASK ((UINT64_C(1) << INDEX_BITS) - 1)

struct slot {
	void *object;  /* NULL: free */
	uint64_t turn; /* of this slot's use, from 1 */
	uint32_t next_free;
};

struct slots {
	struct slot *slot;
	uint32_t max;
	uint32_t made;
	uint32_t capacity;
	uint32_t count;
	uint32_t free_head; /* index + 1, 0: none */
};

struct slots *slots_create(uint32_t max)
{
	struct slots *slots = mem_new(sizeof(*slots));

	slots->max = max <= INDEX_MASK ? max : (uint32_t)INDEX_MASK;
	return slots;
}

void slots_destroy(struct slots **slots)
{
	if (!*slots)
		return;
	mem_free(&(*slots)->slot);
	mem_free(slots);
}

static struct slot *new_slot(struct slots *slots)
{
	if (slots->made == slots->capacity) {
		slots->capacity = slots->capacity ? slots->capacity * 2 : 256;
		slots->slot = mem_resize(slots->slot,
		                         slots->capacity * sizeof(struct slot));
	}
	slots->slot[slots->made] = (struct slot){0};
	return &slots->slot[slots->made++];
}

uint64_t slots_add(struct slots *slots, void *object)
{
	struct slot *slot;

	if (slots->count == slots->max)
		return 0;
	if (slots->free_head) {
		slot = &slots->slot[slots->free_head - 1];
		slots->free_head = slot->next_free;
	} else {
		slot = new_slot(slots);
	}
	slots->count++;
	slot->object = object;
	slot->turn++;
	return slot->turn << INDEX_BITS | (uint64_t)(slot - slots->slot);
}

static struct slot *find(const struct slots *slots, uint64_t number)
{
	uint64_t index = number & INDEX_MASK;

	if (index >= slots->made ||
	    slots->slot[index].turn != number >> INDEX_BITS)
		return NULL;
	return &slots->slot[index];
}

void *slots_get(const struct slots *slots, uint64_t number)
{
	const struct slot *slot = find(slots, number);

	return slot ? slot->object : NULL;
}

void slots_remove(struct slots *slots, uint64_t number)
{
	struct slot *slot = find(slots, number);

	if (!slot || !slot->object)
		return;
	slot->object = NULL;
	slot->next_free = slots->free_head;
	slots->free_head = (uint32_t)(slot - slots->slot) + 1;
	slots->count--;
}

uint32_t slots_count(const struct slots *slots)
{
	return slots->count;
}
