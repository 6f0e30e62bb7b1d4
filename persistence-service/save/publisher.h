/*
 * publisher - the answers of batches on their way to Kafka, and what is marked
 * done once they arrived.
 *
 * First goes what is to be told before it: who came or went. Then each entry's
 * events, also those of duplicates: the `message` frame to
 * recipient and sender, then the sender's `state`. Dead records go to the
 * dead-letter topic. When all of a batch is in the log, and of all batches
 * before it, its offsets are done.
 *
 * Threads    one; kafka_group is asked and told from it.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_PUBLISHER_H
#define PARLEY_PERSISTENCE_SAVE_PUBLISHER_H

#include "common/io/kafka/kafka.h"
#include "persistence-service/save/batch.h"
#include "persistence-service/settings.h"

#include <stdbool.h>

struct publisher;

/* The group stays the caller's. */
MUST_CHECK enum status publisher_create(const struct settings *settings,
                                        struct kafka_group *group,
                                        struct publisher **ret_publisher);
void publisher_destroy(struct publisher **publisher);

/* No place for another batch: wait with publisher_wait(). */
bool publisher_full(const struct publisher *publisher);
bool publisher_idle(const struct publisher *publisher);
/*
 * Sends the answers of a batch without open entries. Waits while the local
 * queue is full. The batch may be cleared afterwards.
 */
void publisher_send(struct publisher *publisher, const struct batch *batch);
/*
 * Takes what was answered, marks what is done. ST_BROKEN when an event can
 * never be sent: nothing more must be marked, the process has to start again.
 */
MUST_CHECK enum status publisher_poll(struct publisher *publisher);
/* The same, waiting for an answer for at most wait_ms. */
MUST_CHECK enum status publisher_wait(struct publisher *publisher,
                                      unsigned wait_ms);
/* How long the oldest batch has been waiting; 0: none is. */
uint64_t publisher_waiting_ms(const struct publisher *publisher);
unsigned publisher_in_flight(const struct publisher *publisher);

#endif
