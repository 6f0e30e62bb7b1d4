/*
 * saver - the main loop: takes the records that wait in Kafka, saves them in
 * one transaction, sends their events and marks their offsets.
 *
 * Batches form by themselves: while one batch is being saved the next records
 * gather in Kafka. The saver never waits for more records to come. It writes a
 * batch while the events of earlier batches are still in flight.
 *
 * While the database is away the saver keeps the batch and retries it. It keeps
 * its membership in the consumer group without taking records. A rebalance
 * drops the batch: the new owners of the partitions read its records again.
 *
 * When Kafka does not accept events, or another process has this one's place in
 * the group, the saver leaves the group, waits and joins again. It never ends
 * the process, whose REST API goes on. It sets the parts "kafka" and "mysql" of
 * the readiness, each by its own checks.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_SAVER_H
#define PARLEY_PERSISTENCE_SAVE_SAVER_H

#include "persistence-service/settings.h"

#include <stdbool.h>

struct saver;
struct query_worker;
struct outbox_publisher;

/*
 * All outlive the saver. The query worker takes the queries of gateways, the
 * outbox publisher the rows that Kafka has confirmed.
 */
struct saver *saver_create(const struct settings *settings,
                           struct query_worker *queries,
                           struct outbox_publisher *outbox_publisher);
/* Commits the offsets that are done and leaves the group. */
void saver_destroy(struct saver **saver);
void saver_step(struct saver *saver);
void saver_drain(struct saver *saver); /* takes no new records */
bool saver_drained(const struct saver *saver);

#endif
