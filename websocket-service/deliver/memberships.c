#include "websocket-service/deliver/memberships.h"
#include "common/base/mem.h"
#include "common/base/scope.h"

#include <stdlib.h>
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

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* When the newer half of the ended memberships began to end; 0: all stay. */
static uint32_t left_since(const struct memberships *memberships)
{
	uint32_t *times CLEANUP(mem_free) =
		mem_new(memberships->count * sizeof(*times));
	uint32_t count = 0;

	for (uint32_t i = 0; i < memberships->count; i++)
		if (!membership_active(&memberships->list[i]))
			times[count++] = memberships->list[i].left_s;
	if (count <= MEMBERSHIPS_LEFT_MAX)
		return 0;
	qsort(times, count, sizeof(*times), by_number);
	return times[count / 2];
}

/* Of those that ended in the same second some stay and some go. */
static void drop_oldest(struct memberships *memberships)
{
	uint32_t since_s = left_since(memberships);
	uint32_t most = MEMBERSHIPS_LEFT_MAX / 2;
	uint32_t kept = 0;

	if (!since_s)
		return;
	for (uint32_t i = 0; i < memberships->count; i++) {
		const struct membership *membership = &memberships->list[i];
		bool active = membership_active(membership);

		if (!active && (membership->left_s < since_s || !most))
			continue;
		most -= !active;
		memberships->list[kept++] = *membership;
	}
	memberships->count = kept;
}

struct membership *memberships_insert(struct memberships *memberships,
                                      uint64_t room)
{
	struct membership *list;
	uint32_t at;

	if (memberships->count == memberships->capacity)
		drop_oldest(memberships);
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
