#include "websocket-service/socket/slot_map.h"
#include "common/base/mem.h"

#include <stddef.h>

enum { INDEX_BITS = 24 };

#define INDEX_MASK ((UINT64_C(1) << INDEX_BITS) - 1)

struct slot {
	void *object;        /* NULL: free */
	uint64_t generation; /* of this slot's use, from 1 */
	uint32_t next_free;
};

struct slot_map {
	struct slot *slot;
	uint32_t max;
	uint32_t made;
	uint32_t capacity;
	uint32_t count;
	uint32_t free_head; /* index + 1, 0: none */
};

struct slot_map *slot_map_create(uint32_t max)
{
	struct slot_map *map = mem_new(sizeof(*map));

	map->max = max <= INDEX_MASK ? max : (uint32_t)INDEX_MASK;
	return map;
}

void slot_map_destroy(struct slot_map **map)
{
	if (!*map)
		return;
	mem_free(&(*map)->slot);
	mem_free(map);
}

static struct slot *new_slot(struct slot_map *map)
{
	if (map->made == map->capacity) {
		map->capacity = map->capacity ? map->capacity * 2 : 256;
		map->slot = mem_resize(map->slot,
		                       map->capacity * sizeof(struct slot));
	}
	map->slot[map->made] = (struct slot){0};
	return &map->slot[map->made++];
}

uint64_t slot_map_add(struct slot_map *map, void *object)
{
	struct slot *slot;

	if (map->count == map->max)
		return 0;
	if (map->free_head) {
		slot = &map->slot[map->free_head - 1];
		map->free_head = slot->next_free;
	} else {
		slot = new_slot(map);
	}
	map->count++;
	slot->object = object;
	slot->generation++;
	return slot->generation << INDEX_BITS | (uint64_t)(slot - map->slot);
}

static struct slot *find_slot(const struct slot_map *map, uint64_t number)
{
	uint64_t index = number & INDEX_MASK;

	if (index >= map->made ||
	    map->slot[index].generation != number >> INDEX_BITS)
		return NULL;
	return &map->slot[index];
}

void *slot_map_get(const struct slot_map *map, uint64_t number)
{
	const struct slot *slot = find_slot(map, number);

	return slot ? slot->object : NULL;
}

void slot_map_remove(struct slot_map *map, uint64_t number)
{
	struct slot *slot = find_slot(map, number);

	if (!slot || !slot->object)
		return;
	slot->object = NULL;
	slot->next_free = map->free_head;
	map->free_head = (uint32_t)(slot - map->slot) + 1;
	map->count--;
}

uint32_t slot_map_count(const struct slot_map *map)
{
	return map->count;
}
