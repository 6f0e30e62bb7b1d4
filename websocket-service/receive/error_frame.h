/*
 * error_frame - answers a client's frame with an error.
 *
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_RECEIVE_ERROR_FRAME_H
#define PARLEY_WEBSOCKET_RECEIVE_ERROR_FRAME_H

#include "common/wire/frame.h"

#include <stdint.h>

struct connection;

/* About a frame; `uuid` is NULL when it has none. */
void error_frame_send(struct connection *connection, const struct uuid *uuid,
                      enum frame_code code, const char *detail);
/* About a message, or a change of one: its state is `error`. */
void error_frame_send_state(struct connection *connection,
                            const struct uuid *uuid, enum frame_code code,
                            const char *detail);
/* About a frame that names a conversation. */
void error_frame_send_in(struct connection *connection, uint64_t conversation,
                         enum frame_code code, const char *detail);

#endif
