/*
 * ephemeral_producer - produces records to message_events that lose their value
 * within a second: `typing`.
 *
 * It has a Kafka producer of its own, with a short queue and a short timeout:
 * its records wait behind no message and delay none. Records that it cannot
 * accept are dropped.
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
                          struct ephemeral_producer **ret_producer);
/*
 * The next turns of the loop close its handle; then call
 * ephemeral_producer_destroy().
 */
void ephemeral_producer_close(struct ephemeral_producer *producer);
void ephemeral_producer_destroy(struct ephemeral_producer **producer);

/* Fetches the topic's metadata. It blocks: call it before sockets open. */
void ephemeral_producer_warm_up(struct ephemeral_producer *producer);
/* `key` as in wire/event.h; all its users belong to that partition. */
void ephemeral_producer_send(struct ephemeral_producer *producer,
                             uint32_t partition, struct span key,
                             struct span frame);

#endif
