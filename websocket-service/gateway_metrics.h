/*
 * gateway_metrics - the metrics of websocket-service; docs/metrics.md
 *
 * Threads    as in common/service/metrics.h.
 */
#ifndef PARLEY_WEBSOCKET_GATEWAY_METRICS_H
#define PARLEY_WEBSOCKET_GATEWAY_METRICS_H

#include "common/service/metrics.h"

/* Metrics only, in the order in which /metrics lists them. */
struct gateway_metrics {
	struct metric sockets;
	struct metric upgrades_opened;
	struct metric upgrades_refused;
	struct metric sockets_closed;
	struct metric sockets_too_slow;
	struct metric tokens_replaced;
	struct metric frames_in;
	struct metric frames_out;
	struct metric socket_writes;
	struct metric frames_refused;
	struct metric frames_held;
	struct metric keys_queries;
	struct metric sends_unsettled;
	struct metric kafka_pending;
	struct metric kafka_refused;
	struct metric kafka_producer_rebuilt;
	struct metric kafka_checks;
	struct metric kafka_checks_failed;
	struct metric topics_unfit;
	struct metric events;
	struct metric events_lag;
	struct metric hints_dropped;
	struct metric redis_up;
	struct metric redis_faults;
	struct metric save_time;
	struct metric delivery_time;
	struct metric lookup_time;
	struct metric lookups_failed;
	struct metric rooms;
	struct metric rooms_pending_users;
	struct metric rooms_queries;
	struct metric rooms_late_answers;
	struct metric receipts;
	struct metric receipts_retried;
	struct metric receipts_unsettled;
	struct metric typing;
	struct metric typing_dropped;
	struct metric roster_queries;
	struct metric frames_too_fast;
	struct metric presence_users;
	struct metric presence_subscriptions;
	struct metric presence_changes;
	struct metric presence_queries;
};

extern struct gateway_metrics gateway_metrics;

void gateway_metrics_start(void);

#endif
