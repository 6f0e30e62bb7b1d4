#include "websocket-service/receive/frame_dispatch.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/service/fault_point.h"
#include "common/service/log.h"
#include "common/wire/frame.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/receive/error_frame.h"
#include "websocket-service/receive/frame_order.h"
#include "websocket-service/receive/pending_receipts.h"
#include "websocket-service/receive/pending_sends.h"
#include "websocket-service/socket/connection.h"
#include "websocket-service/socket/rate_limits.h"

struct frame_dispatch {
	struct frame_dispatch_options options;
};

struct frame_dispatch *
frame_dispatch_create(const struct frame_dispatch_options *options)
{
	struct frame_dispatch *dispatch = mem_new(sizeof(*dispatch));

	dispatch->options = *options;
	return dispatch;
}

void frame_dispatch_destroy(struct frame_dispatch **dispatch)
{
	mem_free(dispatch);
}

/* --- handlers ------------------------------------------------------------ */

struct received {
	struct connection *connection;
	const struct client_frame *frame;
	uint64_t began_us;
};

typedef void handler(const struct frame_dispatch_options *to,
                     const struct received *received);

static void on_send(const struct frame_dispatch_options *to,
                    const struct received *received)
{
	pending_sends_begin(to->sends, received->connection, received->frame,
	                    received->began_us);
}

static void on_typing(const struct frame_dispatch_options *to,
                      const struct received *received)
{
	to->typing(to->context, received->connection, received->frame);
}

static handler *const handlers[] = {
	[CLIENT_MESSAGE] = on_send,  [CLIENT_EDIT] = on_send,
	[CLIENT_DELETE] = on_send,   [CLIENT_REACT] = on_send,
	[CLIENT_TYPING] = on_typing,
};

void frame_dispatch_pass(struct frame_dispatch *dispatch,
                         struct connection *connection,
                         const struct client_frame *frame, uint64_t began_us)
{
	handlers[frame->kind](&dispatch->options,
	                      &(struct received){
				      .connection = connection,
				      .frame = frame,
				      .began_us = began_us,
			      });
}

/* Receipts are merged, so they need no order. */
static void take_receipt(const struct frame_dispatch_options *to,
                         struct connection *connection,
                         const struct client_frame *frame)
{
	if (!pending_receipts_take(to->receipts, connection_user(connection),
	                           frame))
		error_frame_send_in(connection, frame->conversation,
		                    FRAME_UNAVAILABLE,
		                    "too many receipts are under way");
}

static void take(const struct frame_dispatch_options *to,
                 struct connection *connection,
                 const struct client_frame *frame, uint64_t began_us)
{
	if (frame->kind == CLIENT_PRESENCE)
		to->presence(to->context, connection, frame);
	else if (frame->kind == CLIENT_DELIVERED || frame->kind == CLIENT_READ)
		take_receipt(to, connection, frame);
	else if (frame->kind == CLIENT_AUTH)
		connection_replace_token(connection, frame->token);
	else
		frame_order_take(to->order, connection, frame, began_us);
}

/* --- the rate limit ------------------------------------------------------ */

static void refuse_too_fast(struct connection *connection,
                            const struct client_frame *frame)
{
	static const char detail[] = "the user sends too many frames";

	metric_count(&gateway_metrics.frames_too_fast, 1);
	if (frame_has_uuid(frame))
		error_frame_send_state(connection, &frame->uuid, FRAME_TOO_FAST,
		                       detail);
	else
		error_frame_send(connection, NULL, FRAME_TOO_FAST, detail);
}

static void count_refusal(struct connection *connection)
{
	if (refusals_take(connection_refusals(connection)))
		return;
	log_event(LOG_WARN, "socket.too_fast",
	          F_NUMBER("user", connection_user(connection)));
	connection_close(connection, WEBSOCKET_TOO_FAST, "too fast");
}

/* Decodes also a frame over the limit, because the answer names the frame. */
void frame_dispatch_text(struct frame_dispatch *dispatch,
                         struct connection *connection, struct span text)
{
	struct json *json CLEANUP(json_destroy) = NULL;
	struct client_frame frame;
	struct frame_fault fault;
	uint64_t began_us = clock_mono_us();
	bool fits = rate_limits_take(dispatch->options.rate_limits,
	                             connection_user(connection));

	FAULT_POINT("frame.before");
	if (frame_decode(text, &json, &frame, &fault) != ST_OK)
		error_frame_send(connection,
		                 fault.has_uuid ? &fault.uuid : NULL,
		                 fault.code, fault.detail);
	else if (fits)
		take(&dispatch->options, connection, &frame, began_us);
	else
		refuse_too_fast(connection, &frame);
	if (!fits)
		count_refusal(connection);
}
