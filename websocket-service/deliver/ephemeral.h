/*
 * ephemeral - a producer to message_events for what is worth nothing a second
 * later: `typing`.
 *
 * It is one of its own, with a short queue and a short time, so that it waits
 * behind no message and delays none. What it can't take is dropped.
 *
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_DELIVER_EPHEMERAL_H
#define PARLEY_WEBSOCKET_DELIVER_EPHEMERAL_H

#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"
#include "websocket-service/settings.h"

#include <stdint.h>

struct ephemeral;
struct uv_loop_s;

MUST_CHECK enum status ephemeral_create(struct uv_loop_s *loop,
                                        const struct gateway_settings *settings,
                                        struct ephemeral **ret_ephemeral);
/* Its handle is closed by the loop's next turns; then ephemeral_destroy(). */
void ephemeral_close(struct ephemeral *ephemeral);
void ephemeral_destroy(struct ephemeral **ephemeral);

/* Makes it know its topic. Blocks for a moment: before there are sockets. */
void ephemeral_warm_up(struct ephemeral *ephemeral);
/* `key` as in wire/event.h, of users of that partition. */
void ephemeral_say(struct ephemeral *ephemeral, uint32_t partition,
                   struct span key, struct span frame);

#endif
