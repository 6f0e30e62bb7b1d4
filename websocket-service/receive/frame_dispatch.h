/*
 * frame_dispatch - decodes the text frames of clients and hands each to its
 * handler, by way of frame_order. Step 1 of a message in docs/ARCHITECTURE.md
 *
 * A frame that is invalid, or over the rate limit of its user, is answered with
 * an error; a socket that goes on sending too fast is closed: see
 * socket/rate_limits.h.
 *
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_RECEIVE_FRAME_DISPATCH_H
#define PARLEY_WEBSOCKET_RECEIVE_FRAME_DISPATCH_H

#include "common/base/span.h"

#include <stdint.h>

struct client_frame;
struct connection;
struct frame_dispatch;
struct frame_order;
struct pending_receipts;
struct pending_sends;
struct rate_limits;

struct frame_dispatch_options {
	struct rate_limits *rate_limits;
	struct frame_order *order;         /* its `pass` is ours */
	struct pending_sends *sends;       /* for messages and changes */
	struct pending_receipts *receipts; /* for `delivered`, `read` */
	/* `typing` and `presence` belong to folders above this one. */
	void (*typing)(void *context, struct connection *connection,
	               const struct client_frame *frame);
	void (*presence)(void *context, struct connection *connection,
	                 const struct client_frame *frame);
	void *context;
};

struct frame_dispatch *
frame_dispatch_create(const struct frame_dispatch_options *options);
void frame_dispatch_destroy(struct frame_dispatch **dispatch);
/* A text frame of an open connection. */
void frame_dispatch_text(struct frame_dispatch *dispatch,
                         struct connection *connection, struct span text);
/* A frame whose turn it is, for frame_order.h. */
void frame_dispatch_pass(struct frame_dispatch *dispatch,
                         struct connection *connection,
                         const struct client_frame *frame, uint64_t began_us);

#endif
