/*
 * room_members - which users with sockets here are in which room, by the
 * partition of their events.
 *
 * Each member has an index, which the caller keeps. Removing a member moves the
 * last member of the partition to the free index.
 *
 * Cost       of adding or removing a member: one look-up of the room.
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_DELIVER_ROOM_MEMBERS_H
#define PARLEY_WEBSOCKET_DELIVER_ROOM_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

struct room_members;

struct room_members *room_members_create(uint32_t partitions);
void room_members_destroy(struct room_members **members);

/* Removes all, in one step; not during room_members_each(). */
void room_members_clear(struct room_members *members);
/* Frees the memory of at most `max` rooms that were cleared. */
void room_members_free_cleared(struct room_members *members, uint32_t max);

/* Returns the index. The user sees the entries after `from`. */
uint32_t room_members_add(struct room_members *members, uint64_t room,
                          uint32_t partition, uint64_t user, uint64_t from);
/* Returns the user that moved to the index; 0: none. */
uint64_t room_members_remove(struct room_members *members, uint64_t room,
                             uint32_t partition, uint32_t index);

/*
 * Calls `each` for the members that see the entry `seq`. During the call only
 * the member that it is about may be removed.
 */
void room_members_each(struct room_members *members, uint64_t room,
                       uint32_t partition, uint64_t seq,
                       void (*each)(void *context, uint64_t user),
                       void *context);
/* Rooms that have members. */
uint32_t room_members_rooms(const struct room_members *members);

#endif
