/*
 * gauges - what persistence-service counts.
 */
#ifndef PARLEY_PERSISTENCE_METRICS_H
#define PARLEY_PERSISTENCE_METRICS_H

#include <stdint.h>

struct batch;

void gauges_start(void);
/* A batch that was saved, and how long its transaction took. */
void gauges_saved(const struct batch *batch, uint64_t took_us);
void gauges_retry(void);
void gauges_now(int64_t lag, unsigned in_flight);
void gauges_request(void *context, const char *path, unsigned http,
                    uint64_t took_us);

#endif
