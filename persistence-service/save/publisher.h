/*
 * publisher - sends the events of saved batches to Kafka and marks the batches'
 * offsets done.
 *
 * An event that its topic never accepts, because it is too large, is logged and
 * counted as sent: the message is saved, and clients find it in the history.
 * So is a dead letter, which is still in message_save. When a topic accepts no
 * event at all, the publisher is of no further use: docs/adr/0017.
 *
 * A batch's events are those of each entry, also of duplicates: the `message`
 * frame to recipient and sender, then the `state` frame to the sender. The
 * pending events of the outbox, which are membership changes, stand among the
 * new messages of their conversation in the order of seq. Dead
 * records go to the dead-letter topic. A batch's offsets are done when Kafka
 * has confirmed all events of this batch and of all batches before it; then the
 * rows of its pending events are removed.
 *
 * Threads    one, which is also the one that calls kafka_group.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_PUBLISHER_H
#define PARLEY_PERSISTENCE_SAVE_PUBLISHER_H

#include "common/io/kafka/kafka.h"
#include "persistence-service/save/batch/batch.h"
#include "persistence-service/settings.h"

#include <stdbool.h>

struct publisher;
struct outbox_publisher;

/* The group and the outbox publisher stay the caller's. */
MUST_CHECK enum status
publisher_create(const struct settings *settings, struct kafka_group *group,
                 struct outbox_publisher *outbox_publisher,
                 struct publisher **ret_publisher);
void publisher_destroy(struct publisher **publisher);

/* True when no other batch may be sent: wait with publisher_wait(). */
bool publisher_full(const struct publisher *publisher);
bool publisher_idle(const struct publisher *publisher);
/*
 * Sends the events of a batch without open entries. Waits while the producer's
 * queue is full. The batch may be cleared afterwards.
 */
void publisher_send(struct publisher *publisher, const struct batch *batch);
/*
 * Sends only the pending events, of a batch that is not saved yet. They may be
 * cleared afterwards.
 */
void publisher_send_pending(struct publisher *publisher,
                            const struct batch *batch);
/*
 * Reads Kafka's confirmations and marks the offsets that are done. Another
 * status than ST_OK, which has been logged: Kafka did not accept an event. No
 * further offset is marked. Destroy the publisher, read the records again from
 * their committed offsets and send their events with another publisher.
 */
MUST_CHECK enum status publisher_poll(struct publisher *publisher);
/* The same, after waiting at most wait_ms for a confirmation. */
MUST_CHECK enum status publisher_wait(struct publisher *publisher,
                                      unsigned wait_ms);
/* Which topic did not accept an event, and why; for readiness. */
const char *publisher_why(struct publisher *publisher);
/* How long the oldest batch has been waiting; 0: none waits. */
uint64_t publisher_waiting_ms(const struct publisher *publisher);
unsigned publisher_in_flight(const struct publisher *publisher);

#endif
