/*
 * slot_map - objects under numbers that are never reused.
 *
 * A number may outlive its object: slot_map_get() then returns NULL. So it is
 * safe to hand a number to Kafka, Redis or a timer.
 *
 * Ownership  the objects are the caller's.
 */
#ifndef PARLEY_WEBSOCKET_SOCKET_SLOT_MAP_H
#define PARLEY_WEBSOCKET_SOCKET_SLOT_MAP_H

#include <stdint.h>

struct slot_map;

struct slot_map *slot_map_create(uint32_t max);
void slot_map_destroy(struct slot_map **map);
/* The number of the object; 0 when the map is full. */
uint64_t slot_map_add(struct slot_map *map, void *object);
void *slot_map_get(const struct slot_map *map, uint64_t number);
void slot_map_remove(struct slot_map *map, uint64_t number);
uint32_t slot_map_count(const struct slot_map *map);

#endif
