/*
 * seats - which users with sockets here are in which room, by the partition
 * that their events lie in.
 *
 * Cost       of taking and leaving a seat: one look-up of the room. Who leaves
 *            is replaced by the last one, so each user's seat is remembered
 *            outside.
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_DELIVER_ROOM_MEMBERS_H
#define PARLEY_WEBSOCKET_DELIVER_ROOM_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

struct seats;

struct seats *seats_create(uint32_t partitions);
void seats_destroy(struct seats **seats);

/* The seat that the user gets, who sees the entries behind `from`. */
uint32_t seats_take(struct seats *seats, uint64_t room, uint32_t partition,
                    uint64_t user, uint64_t from);
/* Who sits in that seat from now on; 0: nobody. */
uint64_t seats_leave(struct seats *seats, uint64_t room, uint32_t partition,
                     uint32_t seat);

bool seats_any(const struct seats *seats, uint64_t room, uint32_t partition);
/*
 * Those who see the entry `seq`. The one that `each` is called for may leave
 * meanwhile, and nobody else.
 */
void seats_each(struct seats *seats, uint64_t room, uint32_t partition,
                uint64_t seq, void (*each)(void *context, uint64_t user),
                void *context);
/* Rooms that have anybody. */
uint32_t seats_rooms(const struct seats *seats);

#endif
