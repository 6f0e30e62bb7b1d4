/*
 * kafka_inflight - the records that a producer has sent and that have no
 * delivery report yet. librdkafka keeps their bytes; this keeps the rest.
 *
 * A record's number travels through librdkafka as its opaque pointer.
 *
 * Ownership  part of the producer; a zeroed table is empty.
 * Threads    the producer's.
 */
#ifndef PARLEY_IO_KAFKA_INFLIGHT_H
#define PARLEY_IO_KAFKA_INFLIGHT_H

#include <stdbool.h>
#include <stdint.h>

struct kafka_inflight_record {
	uint64_t tag;
	uint64_t serial; /* the order of kafka_produce() calls */
	int32_t partition;
};

struct kafka_inflight {
	struct kafka_inflight_slot *slots;
	uint32_t slot_count;
	uint32_t free_slot; /* number of the first free slot; 0: none */
};

void kafka_inflight_free(struct kafka_inflight *inflight);
/* Returns the record's number, from 1. */
uint32_t kafka_inflight_add(struct kafka_inflight *inflight,
                            const struct kafka_inflight_record *record);
struct kafka_inflight_record
kafka_inflight_remove(struct kafka_inflight *inflight, uint32_t number);
/* Removes any record; false when the table is empty. */
bool kafka_inflight_remove_any(struct kafka_inflight *inflight,
                               struct kafka_inflight_record *ret_record);

#endif
