/*
 * outbox_announcer - tells the owner of a conversation, by a record of
 * message_save, that the outbox has rows of this conversation up to some row:
 * docs/adr/0026.
 *
 * An announcement may be lost with a process or with Kafka. A row that two
 * sweeps have seen is announced again.
 *
 * Bounds     OUTBOX_STALE_MAX announcements between two calls of
 *            outbox_announcer_send().
 * Threads    the one of the outbox publisher.
 */
#ifndef PARLEY_PERSISTENCE_OUTBOX_ANNOUNCER_H
#define PARLEY_PERSISTENCE_OUTBOX_ANNOUNCER_H

#include "common/io/kafka/kafka.h"
#include "common/io/sql/sql.h"
#include "persistence-service/settings.h"

enum { OUTBOX_ANNOUNCEMENT = 0 }; /* the tag of the records */

struct outbox_announcer;

/* All three must outlive it. */
struct outbox_announcer *
outbox_announcer_create(const struct settings *settings, struct sql *sql,
                        struct kafka_producer *producer);
void outbox_announcer_destroy(struct outbox_announcer **announcer);

void outbox_announcer_add(struct outbox_announcer *announcer,
                          uint64_t conversation, uint64_t row);
/*
 * Produces what was added, each conversation once. After an error of
 * kafka_produce() the rest is dropped: a sweep finds its rows.
 */
MUST_CHECK enum status
outbox_announcer_send(struct outbox_announcer *announcer);
/* Adds the rows that the sweep before has seen already. Errors of sql.h. */
MUST_CHECK enum status
outbox_announcer_sweep(struct outbox_announcer *announcer);

#endif
