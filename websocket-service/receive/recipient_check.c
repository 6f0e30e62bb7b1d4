#include "websocket-service/receive/recipient_check.h"
#include "common/base/mem.h"
#include "common/client/identity_client.h"
#include "common/io/json.h"
#include "common/service/fault_point.h"
#include "common/wire/frame.h"
#include "websocket-service/receive/error_frame.h"
#include "websocket-service/receive/pending_sends.h"
#include "websocket-service/socket/connection.h"

#include <utlist.h>

/* A message whose recipient is being looked up. */
struct waiting {
	struct waiting *prev, *next;
	struct recipient_check *check;
	struct identity_waiter waiter;
	struct json *json; /* the frame points into it */
	struct client_frame frame;
	uint64_t connection;
	uint64_t began_us;
};

struct recipient_check {
	struct recipient_check_options options;
	struct waiting *waiting;
	unsigned waiting_count;
};

struct recipient_check *
recipient_check_create(const struct recipient_check_options *options)
{
	struct recipient_check *check = mem_new(sizeof(*check));

	check->options = *options;
	return check;
}

static void drop(struct waiting *w)
{
	identity_client_cancel(&w->waiter);
	DL_DELETE(w->check->waiting, w);
	w->check->waiting_count--;
	json_destroy(&w->json);
	mem_free(&w);
}

void recipient_check_destroy(struct recipient_check **check)
{
	if (!*check)
		return;
	while ((*check)->waiting)
		drop((*check)->waiting);
	mem_free(check);
}

void recipient_check_user_seen(struct recipient_check *check, uint64_t user)
{
	struct identity_request request =
		identity_request_user(user, SPAN_NONE);

	identity_client_put(
		check->options.identity, &request,
		&(struct identity_response){.status = ST_OK, .user = user});
}

static void decide(struct recipient_check *check, struct connection *connection,
                   const struct client_frame *frame, enum status recipient,
                   uint64_t began_us)
{
	FAULT_POINT("recipient.after");
	if (recipient == ST_OK)
		pending_sends_begin(check->options.sends, connection, frame,
		                    began_us);
	else if (recipient == ST_NOT_FOUND)
		error_frame_send_state(connection, &frame->uuid,
		                       FRAME_UNKNOWN_USER,
		                       "there is no such user");
	else
		error_frame_send_state(connection, &frame->uuid,
		                       FRAME_UNAVAILABLE,
		                       "the recipient cannot be looked up now");
}

static void on_recipient(void *context,
                         const struct identity_response *response)
{
	struct waiting *w = context;
	struct connection *connection =
		connections_find(w->check->options.connections, w->connection);

	if (connection) {
		(*connection_unsettled(connection))--;
		decide(w->check, connection, &w->frame, response->status,
		       w->began_us);
	}
	drop(w);
}

static void look_up(struct recipient_check *check,
                    struct connection *connection,
                    const struct client_frame *frame, struct json **json,
                    uint64_t began_us)
{
	struct waiting *w = mem_new(sizeof(*w));
	struct identity_request request = identity_request_user(
		frame->user_to, connection_token(connection));
	struct identity_response response;

	w->check = check;
	w->waiter.done = on_recipient;
	w->waiter.context = w;
	w->frame = *frame;
	w->json = MOVE(*json);
	w->connection = connection_id(connection);
	w->began_us = began_us;
	(*connection_unsettled(connection))++;
	DL_APPEND(check->waiting, w);
	check->waiting_count++;
	if (identity_client_get(check->options.identity, &request, &w->waiter,
	                        &response))
		on_recipient(w, &response);
}

/*
 * A message to a conversation needs no check here: persistence-service knows
 * the members.
 */
void recipient_check_message(struct recipient_check *check,
                             struct connection *connection,
                             const struct client_frame *frame,
                             struct json **json, uint64_t began_us)
{
	struct identity_request request =
		identity_request_user(frame->user_to, SPAN_NONE);
	struct identity_response cached;

	if (frame->conversation)
		decide(check, connection, frame, ST_OK, began_us);
	else if (identity_client_peek(check->options.identity, &request,
	                              &cached))
		decide(check, connection, frame, cached.status, began_us);
	else if (*connection_unsettled(connection) >=
	         check->options.unsettled_max)
		error_frame_send_state(
			connection, &frame->uuid, FRAME_TOO_MANY_UNSETTLED,
			"too many messages of this socket are under way");
	else if (check->waiting_count >= RECIPIENT_CHECK_WAITING_MAX)
		error_frame_send_state(
			connection, &frame->uuid, FRAME_UNAVAILABLE,
			"too many recipients are being looked up");
	else
		look_up(check, connection, frame, json, began_us);
}
