/*
 * map - objects under numbers that are never given out twice.
 *
 * A number may outlive its object: asking for one that is gone gives NULL.
 * That makes it safe to hand to Kafka, Redis or a timer.
 *
 * Ownership  the objects are the caller's.
 */
#ifndef PARLEY_WEBSOCKET_SOCKET_SLOT_MAP_H
#define PARLEY_WEBSOCKET_SOCKET_SLOT_MAP_H

#include <stdint.h>

struct slot_map;

struct slot_map *slot_map_create(uint32_t max);
void slot_map_destroy(struct slot_map **map);
/* 0 when full; else never 0. */
uint64_t slot_map_add(struct slot_map *map, void *object);
void *slot_map_get(const struct slot_map *map, uint64_t number);
void slot_map_remove(struct slot_map *map, uint64_t number);
uint32_t slot_map_count(const struct slot_map *map);

#endif
