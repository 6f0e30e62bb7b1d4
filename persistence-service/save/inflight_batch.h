/*
 * flight - batches whose events are in flight, in their order, and the offsets
 * that are done when they have landed.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_INFLIGHT_BATCH_H
#define PARLEY_PERSISTENCE_SAVE_INFLIGHT_BATCH_H

#include "common/io/kafka/kafka.h"
#include "persistence-service/save/batch.h"

#include <stdbool.h>
#include <stdint.h>

enum { FLIGHTS_MAX = 8 };

struct flights;

struct flights *flights_create(struct kafka_group *group);
void flights_destroy(struct flights **flights);
unsigned flights_count(const struct flights *flights);
uint64_t flights_oldest_ms(const struct flights *flights); /* monotonic; 0 */

/* Opens one for this batch; its number is the tag of its records. */
uint64_t flights_open(struct flights *flights, const struct batch *batch);
void flights_sent(struct flights *flights, uint64_t number);
void flights_landed(struct flights *flights, uint64_t number);
/* All of it was sent. */
void flights_close(struct flights *flights, uint64_t number);
/* Marks the offsets of those that have landed, oldest first. */
void flights_settle(struct flights *flights);

#endif
