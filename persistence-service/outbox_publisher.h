/*
 * outbox_publisher - sees to it that the rows of the outbox are published, and
 * removes each row once Kafka has confirmed its records.
 *
 * A row of a conversation is published by the saver that owns the conversation,
 * in the order of the entries: docs/adr/0026. The outbox publisher announces to
 * it, by a record of message_save, that there is such a row. An announcement
 * may be lost; so the outbox publisher announces a row again that has stood in
 * the table for more than a second. The outbox publisher publishes the rows of
 * no conversation itself, and holds locks on them meanwhile, so that several
 * processes share this work.
 *
 * The outbox publisher is a thread with its own connection and producer. While
 * MariaDB or Kafka is away, it waits, and rows stay in the table.
 *
 * Bounds     about OUTBOX_TASKS_MAX announcements and removals wait for the
 *            thread.
 * Threads    any may call wake and announce; the saver's calls remove.
 */
#ifndef PARLEY_PERSISTENCE_OUTBOX_PUBLISHER_H
#define PARLEY_PERSISTENCE_OUTBOX_PUBLISHER_H

#include "persistence-service/settings.h"

#include <stdbool.h>

enum { OUTBOX_TASKS_MAX = 4096 };

struct outbox_publisher;

/* ST_BROKEN: Kafka refuses the settings. `settings` must outlive it. */
MUST_CHECK enum status
outbox_publisher_start(const struct settings *settings,
                       struct outbox_publisher **ret_publisher);
/* Finishes what it was told for at most two seconds, then stops. */
void outbox_publisher_stop(struct outbox_publisher **publisher);

/* After a commit that added rows of no conversation. NULL: no-op. */
void outbox_publisher_wake(struct outbox_publisher *publisher);
/* After a commit that added this row of a conversation. NULL: no-op. */
void outbox_publisher_announce(struct outbox_publisher *publisher,
                               uint64_t conversation, uint64_t row);
/*
 * Removes the row, which Kafka has confirmed. False: too many wait already; try
 * again later. A row that is not removed is published again.
 */
MUST_CHECK bool outbox_publisher_remove(struct outbox_publisher *publisher,
                                        uint64_t row);

#endif
