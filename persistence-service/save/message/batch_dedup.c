#include "persistence-service/save/message/batch_dedup.h"

#include "common/base/mem.h"

#include <string.h>

enum { SLOTS = 1024 };
_Static_assert((int)SLOTS > (int)BATCH_RECORDS_MAX,
               "there must always be a free slot");

struct first_send {
	struct batch_entry *slots[SLOTS];
};

struct first_send *first_send_create(void)
{
	return mem_new(sizeof(struct first_send));
}

void first_send_destroy(struct first_send **sends)
{
	mem_free(sends);
}

void first_send_clear(struct first_send *sends)
{
	memset(sends->slots, 0, sizeof(sends->slots));
}

/* A client chooses its uuids: mixed, so that it can't choose the slots. */
static unsigned slot_of(uint64_t sender, const struct uuid *uuid)
{
	uint64_t half[2];

	memcpy(half, uuid->byte, sizeof(half));
	half[0] = (half[0] ^ sender) * UINT64_C(0xff51afd7ed558ccd);
	half[0] ^= half[0] >> 32;
	half[0] = (half[0] ^ half[1]) * UINT64_C(0xc4ceb9fe1a85ec53);
	return (unsigned)(half[0] >> 32) % SLOTS;
}

static unsigned look(const struct first_send *sends, uint64_t sender,
                     const struct uuid *uuid)
{
	unsigned slot = slot_of(sender, uuid);
	const struct batch_entry *entry;

	while ((entry = sends->slots[slot])) {
		if (entry->record.sender == sender &&
		    !memcmp(&entry->record.uuid, uuid, sizeof(*uuid)))
			break;
		slot = (slot + 1) % SLOTS;
	}
	return slot;
}

struct batch_entry *first_send_note(struct first_send *sends,
                                    struct batch_entry *entry)
{
	unsigned slot = look(sends, entry->record.sender, &entry->record.uuid);
	struct batch_entry *first = sends->slots[slot];

	if (!first)
		sends->slots[slot] = entry;
	return first;
}

struct batch_entry *first_send_find(const struct first_send *sends,
                                    uint64_t sender, const struct uuid *uuid)
{
	return sends->slots[look(sends, sender, uuid)];
}
