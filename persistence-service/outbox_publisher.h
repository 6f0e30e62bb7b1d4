/*
 * outbox_publisher - sends the rows of the outbox to Kafka, and removes each
 * row once Kafka has confirmed its records.
 *
 * The outbox publisher is a thread with its own connection and producer. It
 * reads the outbox when it is woken, and every second for the rows that a dead
 * process left. It locks the rows while it sends them, so that several outbox
 * publishers share the work. A publisher that dies between sending and removing
 * leaves the rows to be sent again. While MariaDB or Kafka is away the outbox
 * publisher waits.
 *
 * Order      the first copy of a row of a conversation precedes, in the log,
 *            the first copy of every later row of this conversation.
 */
#ifndef PARLEY_PERSISTENCE_OUTBOX_PUBLISHER_H
#define PARLEY_PERSISTENCE_OUTBOX_PUBLISHER_H

#include "persistence-service/settings.h"

struct outbox_publisher;

/* ST_BROKEN: Kafka refuses the settings. `settings` must outlive it. */
MUST_CHECK enum status
outbox_publisher_start(const struct settings *settings,
                       struct outbox_publisher **ret_publisher);
/* Sends the remaining rows for at most two seconds, then stops. */
void outbox_publisher_stop(struct outbox_publisher **publisher);
/* Call it after a commit that added rows. Any thread; NULL: no-op. */
void outbox_publisher_wake(struct outbox_publisher *publisher);

#endif
