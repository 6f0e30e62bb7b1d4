/*
 * ephemeral - a producer to message_events for what is worth nothing a second
 * later: `typing`.
 *
 * It is one of its own, with a short queue and a short time, so that it waits
 * behind no message and delays none. What it can't take is dropped.
 *
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_DELIVER_EPHEMERAL_PRODUCER_H
#define PARLEY_WEBSOCKET_DELIVER_EPHEMERAL_PRODUCER_H

#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"
#include "websocket-service/settings.h"

#include <stdint.h>

struct ephemeral_producer;
struct uv_loop_s;

MUST_CHECK enum status
ephemeral_producer_create(struct uv_loop_s *loop,
                          const struct gateway_settings *settings,
                          struct ephemeral_producer **ret_ephemeral);
/* Its handle is closed by the loop's next turns; then
 * ephemeral_producer_destroy(). */
void ephemeral_producer_close(struct ephemeral_producer *ephemeral);
void ephemeral_producer_destroy(struct ephemeral_producer **ephemeral);

/* Makes it know its topic. Blocks for a moment: before there are sockets. */
void ephemeral_producer_warm_up(struct ephemeral_producer *ephemeral);
/* `key` as in wire/event.h, of users of that partition. */
void ephemeral_producer_send(struct ephemeral_producer *ephemeral,
                             uint32_t partition, struct span key,
                             struct span frame);

#endif
