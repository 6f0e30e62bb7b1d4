/*
 * records - what the gateway produces to message_save: what its clients want
 * done, and what it asks itself. docs/protocol/message_save.md
 *
 * A record's tag says whose it is when Kafka answers: its owner and a number
 * of that owner's.
 *
 * Threads    the loop's. Nothing is allocated for a record.
 */
#ifndef PARLEY_WEBSOCKET_RECEIVE_SAVE_RECORDS_H
#define PARLEY_WEBSOCKET_RECEIVE_SAVE_RECORDS_H

#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"
#include "common/wire/save_record.h"

#include <stdint.h>

enum { SAVE_RECORDS_OWNER_BIT = 60 }; /* numbers of slots.h end far below */

enum save_records_owner {
	SAVE_RECORDS_OF_SENDS,
	SAVE_RECORDS_OF_RECEIPTS,
	SAVE_RECORDS_OF_NONE, /* a question: whoever asks looks at the clock */
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

/* The producer and the topic's name must live on. */
struct save_records *save_records_create(struct kafka_producer *producer,
                                         const char *topic);
void save_records_destroy(struct save_records **records);
/*
 * Fills in sent_at_ms. `origin` may be empty. What kafka_produce() says; the
 * answer comes later, with the tag.
 */
MUST_CHECK enum status save_records_produce(struct save_records *records,
                                            struct save_record *record,
                                            struct span origin, uint64_t tag);

#endif
