#include "common/io/kafka/inflight.h"

#include "common/base/mem.h"

#include <assert.h>

enum { FIRST_SLOTS = 256 };

struct kafka_inflight_slot {
	struct kafka_inflight_record record;
	bool used;
	uint32_t next_free;
};

void kafka_inflight_free(struct kafka_inflight *inflight)
{
	mem_free(&inflight->slots);
	*inflight = (struct kafka_inflight){0};
}

static void grow(struct kafka_inflight *inflight)
{
	uint32_t count =
		inflight->slot_count ? inflight->slot_count * 2 : FIRST_SLOTS;

	inflight->slots =
		mem_resize(inflight->slots, count * sizeof(*inflight->slots));
	for (uint32_t i = count; i > inflight->slot_count; i--) {
		inflight->slots[i - 1] = (struct kafka_inflight_slot){
			.next_free = inflight->free_slot};
		inflight->free_slot = i;
	}
	inflight->slot_count = count;
}

uint32_t kafka_inflight_add(struct kafka_inflight *inflight,
                            const struct kafka_inflight_record *record)
{
	struct kafka_inflight_slot *slot;
	uint32_t number;

	if (!inflight->free_slot)
		grow(inflight);
	number = inflight->free_slot;
	slot = &inflight->slots[number - 1];
	inflight->free_slot = slot->next_free;
	*slot = (struct kafka_inflight_slot){*record, true, 0};
	return number;
}

struct kafka_inflight_record
kafka_inflight_remove(struct kafka_inflight *inflight, uint32_t number)
{
	struct kafka_inflight_slot *slot = &inflight->slots[number - 1];
	struct kafka_inflight_record record = slot->record;

	assert(slot->used);
	*slot = (struct kafka_inflight_slot){.next_free = inflight->free_slot};
	inflight->free_slot = number;
	return record;
}

bool kafka_inflight_remove_any(struct kafka_inflight *inflight,
                               struct kafka_inflight_record *ret_record)
{
	for (uint32_t i = 0; i < inflight->slot_count; i++) {
		if (!inflight->slots[i].used)
			continue;
		*ret_record = kafka_inflight_remove(inflight, i + 1);
		return true;
	}
	return false;
}
