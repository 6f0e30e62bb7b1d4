/*
 * slots - objects under numbers that are never given out twice.
 *
 * A number may outlive its object: asking for one that is gone gives NULL.
 * That makes it safe to hand to Kafka, Redis or a timer.
 *
 * Ownership  the objects are the caller's.
 */
#ifndef PARLEY_WEBSOCKET_SOCKET_SLOTS_H
#define PARLEY_WEBSOCKET_SOCKET_SLOTS_H

#include <stdint.h>

struct slots;

struct slots *slots_create(uint32_t max);
void slots_destroy(struct slots **slots);
/* 0 when full; else never 0. */
uint64_t slots_add(struct slots *slots, void *object);
void *slots_get(const struct slots *slots, uint64_t number);
void slots_remove(struct slots *slots, uint64_t number);
uint32_t slots_count(const struct slots *slots);

#endif
