/*
 * saver - the main loop: records from Kafka, one transaction for those that
 * wait, their events, their offsets.
 *
 * Batches form by themselves: while one is in the database the next gathers.
 * Nothing waits for more to come. The events of some batches may be in flight
 * while the next is written.
 *
 * While the database is away the batch is kept and tried again; the place in
 * the group is held without taking records. What belongs to partitions that
 * were taken from us is dropped: their new owner reads it.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_SAVER_H
#define PARLEY_PERSISTENCE_SAVE_SAVER_H

#include "persistence-service/settings.h"

#include <stdbool.h>

struct saver;

MUST_CHECK enum status saver_create(const struct settings *settings,
                                    struct saver **ret_saver);
/* Commits what is done and leaves. */
void saver_destroy(struct saver **saver);
MUST_CHECK enum status saver_step(struct saver *saver);
void saver_drain(struct saver *saver); /* takes nothing new */
bool saver_drained(const struct saver *saver);

#endif
