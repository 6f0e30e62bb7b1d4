/*
 * save_records - the records that the gateway produces to message_save: the
 * requests of clients, and queries of its own. docs/protocol/message_save.md
 *
 * The tag of a record names the owner of Kafka's acknowledgement, and a number
 * that the owner has chosen.
 *
 * Threads    the loop's. A record needs no allocation.
 */
#ifndef PARLEY_WEBSOCKET_RECEIVE_SAVE_RECORDS_H
#define PARLEY_WEBSOCKET_RECEIVE_SAVE_RECORDS_H

#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"
#include "common/wire/save_record.h"

#include <stdint.h>

enum {
	SAVE_RECORDS_OWNER_BIT = 60
}; /* the numbers of slot_map.h are smaller */

enum save_records_owner {
	SAVE_RECORDS_OF_SENDS,
	SAVE_RECORDS_OF_RECEIPTS,
	SAVE_RECORDS_OF_NONE, /* a query: its sender has a timer */
};

static inline uint64_t save_records_tag(enum save_records_owner owner,
                                        uint64_t number)
{
	return (uint64_t)owner << SAVE_RECORDS_OWNER_BIT | number;
}

static inline enum save_records_owner save_records_owner(uint64_t tag)
{
	return (enum save_records_owner)(tag >> SAVE_RECORDS_OWNER_BIT);
}

static inline uint64_t save_records_number(uint64_t tag)
{
	return tag & ((UINT64_C(1) << SAVE_RECORDS_OWNER_BIT) - 1);
}

struct save_records;
struct kafka_producer;

/* The producer and the name of the topic must outlive it. */
struct save_records *save_records_create(struct kafka_producer *producer,
                                         const char *topic);
void save_records_destroy(struct save_records **records);
/*
 * Fills in sent_at_ms. `origin` may be empty. Returns the status of
 * kafka_produce(); the acknowledgement comes later, with the tag.
 */
MUST_CHECK enum status save_records_produce(struct save_records *records,
                                            struct save_record *record,
                                            struct span origin, uint64_t tag);

#endif
