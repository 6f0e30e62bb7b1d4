#include "websocket-service/deliver/room_members.h"
#include "common/base/mem.h"

#include <assert.h>
#include <uthash.h>

struct seat {
	uint64_t user;
	uint64_t from;
};

struct part { /* of one partition */
	struct seat *seats;
	uint32_t count;
	uint32_t capacity;
};

struct room {
	uint64_t id;
	uint32_t count; /* of all parts */
	bool walked;    /* not freed while it is */
	UT_hash_handle hh;
	struct part parts[];
};

struct seats {
	uint32_t partitions;
	struct room *rooms;
};

struct seats *seats_create(uint32_t partitions)
{
	struct seats *seats = mem_new(sizeof(*seats));

	seats->partitions = partitions;
	return seats;
}

static struct room *find(const struct seats *seats, uint64_t id)
{
	struct room *room;

	HASH_FIND(hh, seats->rooms, &id, sizeof(id), room);
	return room;
}

static struct room *make(struct seats *seats, uint64_t id)
{
	struct room *room = mem_new(sizeof(*room) +
	                            seats->partitions * sizeof(struct part));

	room->id = id;
	HASH_ADD(hh, seats->rooms, id, sizeof(room->id), room);
	return room;
}

static void drop(struct seats *seats, struct room *room)
{
	for (uint32_t i = 0; i < seats->partitions; i++)
		mem_free(&room->parts[i].seats);
	HASH_DEL(seats->rooms, room);
	mem_free(&room);
}

void seats_destroy(struct seats **seats)
{
	if (!*seats)
		return;
	while ((*seats)->rooms)
		drop(*seats, (*seats)->rooms);
	mem_free(seats);
}

uint32_t seats_take(struct seats *seats, uint64_t id, uint32_t partition,
                    uint64_t user, uint64_t from)
{
	struct room *room = find(seats, id);
	struct part *part;

	assert(partition < seats->partitions);
	if (!room)
		room = make(seats, id);
	part = &room->parts[partition];
	if (part->count == part->capacity) {
		part->capacity = part->capacity ? part->capacity * 2 : 4;
		part->seats = mem_resize(part->seats,
		                         part->capacity * sizeof(*part->seats));
	}
	part->seats[part->count] = (struct seat){user, from};
	room->count++;
	return part->count++;
}

uint64_t seats_leave(struct seats *seats, uint64_t id, uint32_t partition,
                     uint32_t seat)
{
	struct room *room = find(seats, id);
	struct part *part = &room->parts[partition];
	struct seat last = part->seats[--part->count];
	bool was_last = seat == part->count;

	if (!was_last)
		part->seats[seat] = last;
	if (--room->count == 0 && !room->walked)
		drop(seats, room);
	return was_last ? 0 : last.user;
}

bool seats_any(const struct seats *seats, uint64_t id, uint32_t partition)
{
	const struct room *room = find(seats, id);

	assert(partition < seats->partitions);
	return room && room->parts[partition].count;
}

/* Backwards: whoever takes a seat that gets empty has been called for. */
void seats_each(struct seats *seats, uint64_t id, uint32_t partition,
                uint64_t seq, void (*each)(void *context, uint64_t user),
                void *context)
{
	struct room *room = find(seats, id);
	struct part *part;

	assert(partition < seats->partitions);
	if (!room)
		return;
	part = &room->parts[partition];
	room->walked = true;
	for (uint32_t i = part->count; i-- > 0;)
		if (part->seats[i].from < seq)
			each(context, part->seats[i].user);
	room->walked = false;
	if (room->count == 0)
		drop(seats, room);
}

uint32_t seats_rooms(const struct seats *seats)
{
	return HASH_COUNT(seats->rooms);
}
