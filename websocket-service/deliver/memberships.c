#include "websocket-service/deliver/memberships.h"
#include "common/base/mem.h"

#include <string.h>

void memberships_free(struct memberships *memberships)
{
	mem_free(&memberships->list);
	*memberships = (struct memberships){0};
}

/* The position of the room in the list, or the one where it belongs. */
static uint32_t position(const struct memberships *memberships, uint64_t room)
{
	uint32_t low = 0;
	uint32_t high = memberships->count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (memberships->list[middle].room < room)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct membership *memberships_find(const struct memberships *memberships,
                                    uint64_t room)
{
	uint32_t at = position(memberships, room);

	return at < memberships->count && memberships->list[at].room == room
	               ? &memberships->list[at]
	               : NULL;
}

static void drop_expired(struct memberships *memberships, uint64_t now_s)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < memberships->count; i++) {
		const struct membership *membership = &memberships->list[i];

		if (membership_active(membership) ||
		    membership->left_s + MEMBERSHIPS_LEFT_KEPT_S > now_s)
			memberships->list[kept++] = *membership;
	}
	memberships->count = kept;
}

struct membership *memberships_insert(struct memberships *memberships,
                                      uint64_t room, uint64_t now_s)
{
	struct membership *list;
	uint32_t at;

	if (memberships->count == memberships->capacity)
		drop_expired(memberships, now_s);
	if (memberships->count == memberships->capacity) {
		memberships->capacity =
			memberships->capacity ? memberships->capacity * 2 : 4;
		memberships->list = mem_resize(
			memberships->list,
			memberships->capacity * sizeof(*memberships->list));
	}
	list = memberships->list;
	at = position(memberships, room);
	memmove(&list[at + 1], &list[at],
	        (memberships->count - at) * sizeof(*list));
	memberships->count++;
	list[at] = (struct membership){.room = room, .left_s = 1};
	return &list[at];
}
