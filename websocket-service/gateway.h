/*
 * gateway - the parts of websocket-service on one libuv loop: sockets, Kafka,
 * Redis, requests to identity-service, timers.
 *
 * Order      the reader of message_events has its position before the first
 *            socket is accepted, so that a client misses no event after its
 *            `welcome`.
 * Threads    one; nothing here locks. The functions fit struct service.
 */
#ifndef PARLEY_WEBSOCKET_GATEWAY_H
#define PARLEY_WEBSOCKET_GATEWAY_H

#include "common/base/scope.h"
#include "common/base/status.h"

#include <stdbool.h>

MUST_CHECK enum status gateway_start(const void *settings, void **ret_gateway);
MUST_CHECK enum status gateway_step(void *gateway);
void gateway_drain(void *gateway);
bool gateway_drained(void *gateway);
void gateway_stop(void **gateway);

#endif
