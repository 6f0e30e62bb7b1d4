/*
 * announcer - sends the rows of the outbox to Kafka, and removes each row once
 * Kafka has confirmed its records.
 *
 * The announcer is a thread with its own connection and producer. It reads the
 * outbox when it is woken, and every second for the rows that a dead process
 * left. It locks the rows while it sends them, so that several announcers share
 * the work. An announcer that dies between sending and removing leaves the rows
 * to be sent again. While MariaDB or Kafka is away the announcer waits.
 *
 * Order      the first copy of a row of a conversation precedes, in the log,
 *            the first copy of every later row of this conversation.
 */
#ifndef PARLEY_PERSISTENCE_ANNOUNCER_H
#define PARLEY_PERSISTENCE_ANNOUNCER_H

#include "persistence-service/settings.h"

struct announcer;

/* ST_BROKEN: Kafka refuses the settings. `settings` must outlive it. */
MUST_CHECK enum status announcer_start(const struct settings *settings,
                                       struct announcer **ret_announcer);
/* Sends the remaining rows for at most two seconds, then stops. */
void announcer_stop(struct announcer **announcer);
/* Call it after a commit that added rows. Any thread; NULL: no-op. */
void announcer_wake(struct announcer *announcer);

#endif
