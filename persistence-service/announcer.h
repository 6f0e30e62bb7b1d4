/*
 * announcer - sends what stands in the outbox, and removes it when Kafka has
 * it.
 *
 * A thread with a connection and a producer of its own. It looks when it is
 * woken, and every second, for what a process that died has left. Rows are
 * locked while they are sent, so that several announcers share the work; who
 * dies between sending and removing leaves them to be sent again. While MariaDB
 * or Kafka is away it waits.
 *
 * Order      of a conversation's rows: none stands in the log for the first
 *            time behind a later one.
 */
#ifndef PARLEY_PERSISTENCE_ANNOUNCER_H
#define PARLEY_PERSISTENCE_ANNOUNCER_H

#include "persistence-service/settings.h"

struct announcer;

/* ST_BROKEN when Kafka's settings can't be. The settings must live on. */
MUST_CHECK enum status announcer_start(const struct settings *settings,
                                       struct announcer **ret_announcer);
/* Sends what is there still, for two seconds at most. */
void announcer_stop(struct announcer **announcer);
/* After a commit that put something into the outbox. Any thread; NULL: no-op.
 */
void announcer_wake(struct announcer *announcer);

#endif
