/*
 * entry_events - writes the events of one entry of a saved batch, and its dead
 * letter.
 *
 * A saved message, also a duplicate, has a `message` frame for its recipients
 * and its sender, then a `state` frame for the sender; a change of a message
 * and a receipt likewise. A refusal is for the sender alone. A record that
 * cannot be saved goes to the dead-letter topic.
 *
 * Bounds     the buffers of one record, reused.
 * Threads    one.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_ENTRY_EVENTS_H
#define PARLEY_PERSISTENCE_SAVE_ENTRY_EVENTS_H

#include "common/io/kafka/kafka.h"
#include "persistence-service/save/batch/batch.h"
#include "persistence-service/settings.h"

struct entry_events;

/* Copies the record or sends it: its spans are overwritten by the next one. */
typedef void entry_events_produce(void *context,
                                  const struct kafka_record *record);

/* `settings` must outlive it. */
struct entry_events *entry_events_create(const struct settings *settings,
                                         entry_events_produce *produce,
                                         void *context);
void entry_events_destroy(struct entry_events **events);

/* The entry has an outcome. */
void entry_events_send(struct entry_events *events,
                       const struct batch_entry *entry);

#endif
