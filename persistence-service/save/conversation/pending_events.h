/*
 * pending_events - the events of membership changes that stand in the outbox
 * and have not been sent: docs/adr/0026.
 *
 * The owner of a conversation reads them when a record SAVE_MEMBERSHIP
 * announces them, and when it reads a roster again, because then a change has
 * perhaps taken a seq. Each is read once: the batch that got it sends it.
 *
 * Errors     those of sql.h, and
 *            ST_BUSY  the batch has PENDING_EVENTS_MAX events: send these,
 *                     then try again
 */
#ifndef PARLEY_PERSISTENCE_SAVE_CONVERSATION_PENDING_EVENTS_H
#define PARLEY_PERSISTENCE_SAVE_CONVERSATION_PENDING_EVENTS_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/batch/attempt.h"

struct pending_events;

struct pending_events *pending_events_create(struct sql *sql);
void pending_events_destroy(struct pending_events **events);
/* The events that were read are read again. */
void pending_events_evict_all(struct pending_events *events);
/* Adds the events of these 1 to BATCH_RECORDS_MAX conversations. */
MUST_CHECK enum status pending_events_load(struct pending_events *events,
                                           const uint64_t *conversations,
                                           unsigned count, struct batch *batch);
/* Adds the events that records of the attempt announce. */
MUST_CHECK enum status
pending_events_load_announced(struct pending_events *events,
                              const struct attempt *attempt);

#endif
