/*
 * inflight_batch - batches whose events Kafka has not confirmed yet, in their
 * order, and the offsets and the rows of the outbox that are done once it has.
 *
 * A batch is named by a number, which is the tag of its records.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_BATCH_INFLIGHT_BATCH_H
#define PARLEY_PERSISTENCE_SAVE_BATCH_INFLIGHT_BATCH_H

#include "common/io/kafka/kafka.h"
#include "persistence-service/save/batch/batch.h"

#include <stdbool.h>
#include <stdint.h>

enum { INFLIGHT_BATCHES_MAX = 8 };

struct inflight_batches;
struct outbox_publisher;

/* Neither is taken over. The outbox publisher removes the rows. */
struct inflight_batches *
inflight_batches_create(struct kafka_group *group,
                        struct outbox_publisher *outbox_publisher);
void inflight_batches_destroy(struct inflight_batches **batches);
unsigned inflight_batches_count(const struct inflight_batches *batches);
/* When the oldest was opened, monotonic; 0 when there is none. */
uint64_t inflight_batches_oldest_ms(const struct inflight_batches *batches);

/*
 * Adds the batch, whose records are sent next, and gives its number. NULL: only
 * rows of the outbox are sent, and no offset is done.
 */
uint64_t inflight_batches_open(struct inflight_batches *batches,
                               const struct batch *batch);
void inflight_batches_record_sent(struct inflight_batches *batches,
                                  uint64_t number);
void inflight_batches_record_confirmed(struct inflight_batches *batches,
                                       uint64_t number);
/* A record of the batch publishes this row of the outbox. */
void inflight_batches_row_sent(struct inflight_batches *batches,
                               uint64_t number, uint64_t row);
/* The last record of the batch was sent. */
void inflight_batches_close(struct inflight_batches *batches, uint64_t number);
/* Oldest first: marks the offsets of the confirmed batches as done, and has
 * their rows removed. */
void inflight_batches_mark_done(struct inflight_batches *batches);

#endif
