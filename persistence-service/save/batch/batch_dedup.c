#include "persistence-service/save/batch/batch_dedup.h"

#include "common/base/mem.h"

#include <string.h>

enum { SLOTS = 1024 };
_Static_assert((int)SLOTS > (int)BATCH_RECORDS_MAX,
               "there must always be a free slot");

struct batch_dedup {
	struct batch_entry *slots[SLOTS];
};

struct batch_dedup *batch_dedup_create(void)
{
	return mem_new(sizeof(struct batch_dedup));
}

void batch_dedup_destroy(struct batch_dedup **dedup)
{
	mem_free(dedup);
}

void batch_dedup_clear(struct batch_dedup *dedup)
{
	memset(dedup->slots, 0, sizeof(dedup->slots));
}

/* Clients choose uuids: the hash keeps them from choosing slots. */
static unsigned slot_of(uint64_t sender, const struct uuid *uuid)
{
	uint64_t half[2];

	memcpy(half, uuid->byte, sizeof(half));
	half[0] = (half[0] ^ sender) * UINT64_C(0xff51afd7ed558ccd);
	half[0] ^= half[0] >> 32;
	half[0] = (half[0] ^ half[1]) * UINT64_C(0xc4ceb9fe1a85ec53);
	return (unsigned)(half[0] >> 32) % SLOTS;
}

static unsigned look(const struct batch_dedup *dedup, uint64_t sender,
                     const struct uuid *uuid)
{
	unsigned slot = slot_of(sender, uuid);
	const struct batch_entry *entry;

	while ((entry = dedup->slots[slot])) {
		if (entry->record.sender == sender &&
		    !memcmp(&entry->record.uuid, uuid, sizeof(*uuid)))
			break;
		slot = (slot + 1) % SLOTS;
	}
	return slot;
}

struct batch_entry *batch_dedup_add(struct batch_dedup *dedup,
                                    struct batch_entry *entry)
{
	unsigned slot = look(dedup, entry->record.sender, &entry->record.uuid);
	struct batch_entry *first = dedup->slots[slot];

	if (!first)
		dedup->slots[slot] = entry;
	return first;
}

struct batch_entry *batch_dedup_find(const struct batch_dedup *dedup,
                                     uint64_t sender, const struct uuid *uuid)
{
	return dedup->slots[look(dedup, sender, uuid)];
}
