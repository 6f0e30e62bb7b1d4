/*
 * gateway - the parts of websocket-service put together on one libuv loop:
 * sockets, Kafka's two descriptors, Redis, questions to identity, timers.
 *
 * Order at start: the reader of message_events is positioned before the first
 * socket is accepted, so that a `welcome` never promises too much.
 *
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
