/*
 * members - which users with sockets here are in which room, by the partition
 * that their events lie in.
 *
 * Cost       of taking and leaving a index: one look-up of the room. Who leaves
 *            is replaced by the last one, so each user's index is remembered
 *            outside.
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_DELIVER_ROOM_MEMBERS_H
#define PARLEY_WEBSOCKET_DELIVER_ROOM_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

struct room_members;

struct room_members *room_members_create(uint32_t partitions);
void room_members_destroy(struct room_members **members);

/* The index that the user gets, who sees the entries behind `from`. */
uint32_t room_members_add(struct room_members *members, uint64_t room,
                          uint32_t partition, uint64_t user, uint64_t from);
/* Who sits in that index from now on; 0: nobody. */
uint64_t room_members_remove(struct room_members *members, uint64_t room,
                             uint32_t partition, uint32_t index);

bool room_members_any(const struct room_members *members, uint64_t room,
                      uint32_t partition);
/*
 * Those who see the entry `seq`. The one that `each` is called for may leave
 * meanwhile, and nobody else.
 */
void room_members_each(struct room_members *members, uint64_t room,
                       uint32_t partition, uint64_t seq,
                       void (*each)(void *context, uint64_t user),
                       void *context);
/* Rooms that have anybody. */
uint32_t room_members_rooms(const struct room_members *members);

#endif
