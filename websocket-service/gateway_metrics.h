/*
 * measures - what the gateway counts; docs/operations.md
 */
#ifndef PARLEY_WEBSOCKET_GATEWAY_METRICS_H
#define PARLEY_WEBSOCKET_GATEWAY_METRICS_H

#include "common/service/metrics.h"

extern struct metric measure_sockets;
extern struct metric measure_opened;
extern struct metric measure_refused;
extern struct metric measure_closed;
extern struct metric measure_too_slow;
extern struct metric measure_frames_in;
extern struct metric measure_frames_out;
extern struct metric measure_writes;
extern struct metric measure_bad_frames;
extern struct metric measure_unsettled;
extern struct metric measure_kafka_pending;
extern struct metric measure_kafka_refused;
extern struct metric measure_kafka_rebuilt;
extern struct metric measure_events;
extern struct metric measure_events_lag;
extern struct metric measure_hints_dropped;
extern struct metric measure_save;
extern struct metric measure_deliver;
extern struct metric measure_lookup;
extern struct metric measure_lookup_failed;
extern struct metric measure_rooms;
extern struct metric measure_rooms_asking;
extern struct metric measure_rooms_asked;
extern struct metric measure_rooms_late;
extern struct metric measure_receipts;
extern struct metric measure_receipts_again;
extern struct metric measure_receipts_unsettled;
extern struct metric measure_typing;
extern struct metric measure_typing_dropped;
extern struct metric measure_rosters_asked;
extern struct metric measure_too_fast;
extern struct metric measure_presence_users;
extern struct metric measure_presence_watches;
extern struct metric measure_presence_told;
extern struct metric measure_presence_asked;

void measures_start(void);

#endif
