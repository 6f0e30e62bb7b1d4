/*
 * metric - what identity-service counts and measures.
 */
#ifndef PARLEY_IDENTITY_METRICS_H
#define PARLEY_IDENTITY_METRICS_H

#include "common/service/metrics.h"

#include <stdint.h>

extern struct metric metric_verifications;
extern struct metric metric_hash;
extern struct metric metric_hash_waiting;
extern struct metric metric_query_waiting;
extern struct metric metric_tokens_cached;
extern struct metric metric_revoked;

void metric_start(void);
/* Fits http_server_options.observe. */
void metric_observe(void *context, const char *route_path, unsigned http,
                    uint64_t took_us);

#endif
