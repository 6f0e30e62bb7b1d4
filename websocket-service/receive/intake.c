#include "websocket-service/receive/intake.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/client/identity_client.h"
#include "common/service/fault_point.h"
#include "common/service/log.h"
#include "common/wire/frame.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/receive/pending_receipts.h"
#include "websocket-service/receive/pending_sends.h"
#include "websocket-service/socket/connection.h"
#include "websocket-service/socket/rate_limits.h"

#include <utlist.h>

/* A frame whose recipient is being looked up. */
struct waiting {
	struct waiting *prev, *next;
	struct intake *intake;
	struct identity_waiter waiter;
	struct json *json; /* what frame.message points into */
	struct client_frame frame;
	uint64_t connection;
	uint64_t began_us;
};

struct intake {
	struct intake_options options;
	struct waiting *waiting;
	unsigned waiting_count;
};

struct intake *intake_create(const struct intake_options *options)
{
	struct intake *intake = mem_new(sizeof(*intake));

	intake->options = *options;
	return intake;
}

static void forget(struct waiting *w)
{
	identity_client_cancel(&w->waiter);
	DL_DELETE(w->intake->waiting, w);
	w->intake->waiting_count--;
	json_destroy(&w->json);
	mem_free(&w);
}

void intake_destroy(struct intake **intake)
{
	if (!*intake)
		return;
	while ((*intake)->waiting)
		forget((*intake)->waiting);
	mem_free(intake);
}

void intake_user_seen(struct intake *intake, uint64_t user)
{
	struct identity_request request =
		identity_request_user(user, SPAN_NONE);

	identity_client_put(
		intake->options.identity, &request,
		&(struct identity_response){.status = ST_OK, .user = user});
}

static void decide(struct intake *intake, struct connection *connection,
                   const struct client_frame *frame, enum status recipient,
                   uint64_t began_us)
{
	FAULT_POINT("recipient.after");
	if (recipient == ST_OK)
		pending_sends_begin(intake->options.sends, connection, frame,
		                    began_us);
	else if (recipient == ST_NOT_FOUND)
		pending_sends_refuse(connection, &frame->uuid,
		                     FRAME_UNKNOWN_USER,
		                     "there is no such user");
	else
		pending_sends_refuse(connection, &frame->uuid,
		                     FRAME_UNAVAILABLE,
		                     "the recipient can't be looked up now");
}

static void on_recipient(void *context,
                         const struct identity_response *response)
{
	struct waiting *w = context;
	struct connection *connection =
		connections_find(w->intake->options.connections, w->connection);

	if (connection) {
		(*connection_unsettled(connection))--;
		decide(w->intake, connection, &w->frame, response->status,
		       w->began_us);
	}
	forget(w);
}

/* Asks; the frame and its JSON wait for the answer. */
static void look_up(struct intake *intake, struct connection *connection,
                    struct json **json, const struct client_frame *frame,
                    uint64_t began_us)
{
	struct waiting *w = mem_new(sizeof(*w));
	struct identity_request request = identity_request_user(
		frame->user_to, connection_token(connection));
	struct identity_response response;

	w->intake = intake;
	w->waiter.done = on_recipient;
	w->waiter.context = w;
	w->frame = *frame;
	w->json = MOVE(*json);
	w->connection = connection_id(connection);
	w->began_us = began_us;
	(*connection_unsettled(connection))++;
	DL_APPEND(intake->waiting, w);
	intake->waiting_count++;
	if (identity_client_get(intake->options.identity, &request, &w->waiter,
	                        &response))
		on_recipient(w, &response);
}

static void answer_fault(struct connection *connection,
                         const struct frame_fault *fault)
{
	struct buf text CLEANUP(buf_free) = BUF(1024);

	frame_error(&text, fault->has_uuid ? &fault->uuid : NULL, fault->code,
	            fault->detail);
	connection_send(connection, buf_span(&text));
	metric_count(&gateway_metrics.frames_refused, 1);
}

/* --- what each kind of frame wants --------------------------------------- */

struct arrival {
	struct connection *connection;
	struct json **json; /* of the frame; may be taken */
	const struct client_frame *frame;
	uint64_t began_us;
};

/* Whether the user exists is asked; who is in a conversation knows it. */
static void on_message(struct intake *intake, const struct arrival *a)
{
	const struct client_frame *frame = a->frame;
	struct identity_request request =
		identity_request_user(frame->user_to, SPAN_NONE);
	struct identity_response known;

	if (frame->conversation)
		decide(intake, a->connection, frame, ST_OK, a->began_us);
	else if (identity_client_peek(intake->options.identity, &request,
	                              &known))
		decide(intake, a->connection, frame, known.status, a->began_us);
	else if (*connection_unsettled(a->connection) >=
	         intake->options.unsettled_max)
		pending_sends_refuse(
			a->connection, &frame->uuid, FRAME_TOO_MANY_UNSETTLED,
			"too many messages of this socket are under way");
	else if (intake->waiting_count >= INTAKE_WAITING_MAX)
		pending_sends_refuse(a->connection, &frame->uuid,
		                     FRAME_UNAVAILABLE,
		                     "too many recipients are being looked up");
	else
		look_up(intake, a->connection, a->json, frame, a->began_us);
}

static void on_change(struct intake *intake, const struct arrival *a)
{
	pending_sends_begin(intake->options.sends, a->connection, a->frame,
	                    a->began_us);
}

static void on_receipt(struct intake *intake, const struct arrival *a)
{
	struct buf text CLEANUP(buf_free) = BUF(1024);

	if (pending_receipts_take(intake->options.receipts,
	                          connection_user(a->connection), a->frame))
		return;
	frame_error_in(&text, a->frame->conversation, FRAME_UNAVAILABLE,
	               "too many receipts are under way");
	connection_send(a->connection, buf_span(&text));
	metric_count(&gateway_metrics.frames_refused, 1);
}

static void on_typing(struct intake *intake, const struct arrival *a)
{
	intake->options.typing(intake->options.context, a->connection,
	                       a->frame);
}

static void on_presence(struct intake *intake, const struct arrival *a)
{
	intake->options.presence(intake->options.context, a->connection,
	                         a->frame);
}

typedef void take_frame(struct intake *intake, const struct arrival *arrival);

static take_frame *const takers[] = {
	[CLIENT_MESSAGE] = on_message, [CLIENT_DELIVERED] = on_receipt,
	[CLIENT_READ] = on_receipt,    [CLIENT_EDIT] = on_change,
	[CLIENT_DELETE] = on_change,   [CLIENT_REACT] = on_change,
	[CLIENT_TYPING] = on_typing,   [CLIENT_PRESENCE] = on_presence,
};

/* --- too many frames ----------------------------------------------------- */

static void refuse_too_fast(struct connection *connection,
                            const struct client_frame *frame)
{
	static const char detail[] = "more frames than a user may send";

	metric_count(&gateway_metrics.frames_too_fast, 1);
	if (frame_has_uuid(frame))
		pending_sends_refuse(connection, &frame->uuid, FRAME_TOO_FAST,
		                     detail);
	else
		answer_fault(connection,
		             &(struct frame_fault){.code = FRAME_TOO_FAST,
		                                   .detail = detail});
}

/* Who does not listen when refused is closed. */
static void count_refusal(struct connection *connection)
{
	if (refusals_take(connection_refusals(connection)))
		return;
	log_event(LOG_WARN, "socket.too_fast",
	          F_NUMBER("user", connection_user(connection)));
	connection_close(connection, WEBSOCKET_TOO_FAST, "too fast");
}

/* It is decoded all the same: the answer names the frame. */
void intake_text(struct intake *intake, struct connection *connection,
                 struct span text)
{
	struct json *json CLEANUP(json_destroy) = NULL;
	struct arrival arrival = {.connection = connection,
	                          .json = &json,
	                          .began_us = clock_mono_us()};
	bool fits = rate_limits_take(intake->options.rate_limits,
	                             connection_user(connection));
	struct client_frame frame;
	struct frame_fault fault;

	FAULT_POINT("frame.before");
	arrival.frame = &frame;
	if (frame_decode(text, &json, &frame, &fault) != ST_OK)
		answer_fault(connection, &fault);
	else if (fits)
		takers[frame.kind](intake, &arrival);
	else
		refuse_too_fast(connection, &frame);
	if (!fits)
		count_refusal(connection);
}
