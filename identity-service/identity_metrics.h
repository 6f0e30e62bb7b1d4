/*
 * identity_metrics - the metrics of identity-service; docs/metrics.md
 *
 * Threads    any, after identity_metrics_start().
 */
#ifndef PARLEY_IDENTITY_METRICS_H
#define PARLEY_IDENTITY_METRICS_H

#include "common/service/metrics.h"

#include "identity-service/guess/guess_limit.h"
#include "identity-service/phone/send_limit.h"

#include <stdint.h>

extern struct metric identity_metrics_verifications;
extern struct metric identity_metrics_hash;
extern struct metric identity_metrics_hash_waiting;
extern struct metric identity_metrics_query_waiting;
extern struct metric identity_metrics_tokens_cached;
extern struct metric identity_metrics_revoked;
extern struct metric identity_metrics_refresh_reused;
/* By enum guess_subject. */
extern struct metric identity_metrics_guesses_refused[GUESS_SUBJECTS];

extern struct metric identity_metrics_sms_sent;
extern struct metric identity_metrics_sms_failed;
extern struct metric identity_metrics_codes_right;
extern struct metric identity_metrics_codes_wrong;
/* By enum send_subject. */
extern struct metric identity_metrics_codes_refused[SEND_SUBJECTS];

/* Registers all metrics; once. */
void identity_metrics_start(void);
/* For http_server_options.observe. */
void identity_metrics_observe(void *context, const char *route_path,
                              unsigned http, uint64_t took_us);

#endif
