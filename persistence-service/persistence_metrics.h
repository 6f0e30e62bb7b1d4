/*
 * persistence_metrics - the metrics of persistence-service; docs/metrics.md
 */
#ifndef PARLEY_PERSISTENCE_METRICS_H
#define PARLEY_PERSISTENCE_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct batch;

void persistence_metrics_start(void);
/* Counts a saved batch, whose transaction took `took_us`. */
void persistence_metrics_batch_saved(const struct batch *batch,
                                     uint64_t took_us);
void persistence_metrics_batch_retried(void);
/* Kafka never accepts an event, a dead letter or a row of the outbox. */
void persistence_metrics_event_refused(void);
/* Conversations whose announcement was lost, or whose owner is behind. */
void persistence_metrics_announced_again(unsigned count);
/* A query of a gateway: answered after took_us, or dropped. */
void persistence_metrics_query(bool answered, uint64_t took_us);
void persistence_metrics_update(int64_t lag, unsigned in_flight);
/* Of kafka_watch. */
void persistence_metrics_kafka(unsigned checks, unsigned failed,
                               bool topics_unfit);
/* One HTTP request to identity-service. */
void persistence_metrics_lookup(bool answered, uint64_t took_us);
/* Answers that wait for their readers; `cut` counts those since the last call.
 */
void persistence_metrics_unread(size_t bytes, uint64_t cut);
void persistence_metrics_request(void *context, const char *path, unsigned http,
                                 uint64_t took_us);

#endif
