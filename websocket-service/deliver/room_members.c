#include "websocket-service/deliver/room_members.h"
#include "common/base/mem.h"

#include <assert.h>
#include <uthash.h>

struct room_member {
	uint64_t user;
	uint64_t from;
};

struct partition_members {
	struct room_member *members;
	uint32_t count;
	uint32_t capacity;
};

struct room {
	uint64_t id;
	uint32_t count; /* of all partitions */
	bool iterating; /* in room_members_each(): do not free it */
	UT_hash_handle hh;
	struct partition_members partitions[];
};

struct room_members {
	uint32_t partitions;
	struct room *rooms;
	struct room_members *cleared; /* to be freed */
};

struct room_members *room_members_create(uint32_t partitions)
{
	struct room_members *members = mem_new(sizeof(*members));

	members->partitions = partitions;
	return members;
}

static struct room *find(const struct room_members *members, uint64_t id)
{
	struct room *room;

	HASH_FIND(hh, members->rooms, &id, sizeof(id), room);
	return room;
}

static struct room *make(struct room_members *members, uint64_t id)
{
	struct room *room =
		mem_new(sizeof(*room) +
	                members->partitions * sizeof(struct partition_members));

	room->id = id;
	HASH_ADD(hh, members->rooms, id, sizeof(room->id), room);
	return room;
}

static void drop(struct room_members *members, struct room *room)
{
	for (uint32_t i = 0; i < members->partitions; i++)
		mem_free(&room->partitions[i].members);
	HASH_DEL(members->rooms, room);
	mem_free(&room);
}

void room_members_destroy(struct room_members **members)
{
	if (!*members)
		return;
	room_members_clear(*members);
	room_members_free_cleared(*members, UINT32_MAX);
	mem_free(members);
}

void room_members_clear(struct room_members *members)
{
	struct room_members *cleared = mem_new(sizeof(*cleared));

	*cleared = *members;
	members->cleared = cleared;
	members->rooms = NULL;
}

void room_members_free_cleared(struct room_members *members, uint32_t max)
{
	while (members->cleared && max--) {
		struct room_members *cleared = members->cleared;

		if (cleared->rooms) {
			drop(cleared, cleared->rooms);
			continue;
		}
		members->cleared = cleared->cleared;
		mem_free(&cleared);
	}
}

uint32_t room_members_add(struct room_members *members, uint64_t id,
                          uint32_t partition, uint64_t user, uint64_t from)
{
	struct room *room = find(members, id);
	struct partition_members *list;

	assert(partition < members->partitions);
	if (!room)
		room = make(members, id);
	list = &room->partitions[partition];
	if (list->count == list->capacity) {
		list->capacity = list->capacity ? list->capacity * 2 : 4;
		list->members = mem_resize(
			list->members, list->capacity * sizeof(*list->members));
	}
	list->members[list->count] = (struct room_member){user, from};
	room->count++;
	return list->count++;
}

uint64_t room_members_remove(struct room_members *members, uint64_t id,
                             uint32_t partition, uint32_t index)
{
	struct room *room = find(members, id);
	struct partition_members *list = &room->partitions[partition];
	struct room_member last = list->members[--list->count];
	bool was_last = index == list->count;

	if (!was_last)
		list->members[index] = last;
	if (--room->count == 0 && !room->iterating)
		drop(members, room);
	return was_last ? 0 : last.user;
}

/* Backwards: a member that moves to a free index was visited already. */
void room_members_each(struct room_members *members, uint64_t id,
                       uint32_t partition, uint64_t seq,
                       void (*each)(void *context, uint64_t user),
                       void *context)
{
	struct room *room = find(members, id);
	struct partition_members *list;

	assert(partition < members->partitions);
	if (!room)
		return;
	list = &room->partitions[partition];
	room->iterating = true;
	for (uint32_t i = list->count; i-- > 0;)
		if (list->members[i].from < seq)
			each(context, list->members[i].user);
	room->iterating = false;
	if (room->count == 0)
		drop(members, room);
}

uint32_t room_members_rooms(const struct room_members *members)
{
	return HASH_COUNT(members->rooms);
}
