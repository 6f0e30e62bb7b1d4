#include "websocket-service/receive/error_frame.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/socket/connection.h"

enum { TEXT_MAX = 1024 };

static void send(struct connection *connection, const struct buf *text)
{
	connection_send(connection, buf_span(text));
	metric_count(&gateway_metrics.frames_refused, 1);
}

void error_frame_send(struct connection *connection, const struct uuid *uuid,
                      enum frame_code code, const char *detail)
{
	struct buf text CLEANUP(buf_free) = BUF(TEXT_MAX);

	frame_error(&text, uuid, code, detail);
	send(connection, &text);
}

void error_frame_send_state(struct connection *connection,
                            const struct uuid *uuid, enum frame_code code,
                            const char *detail)
{
	struct buf text CLEANUP(buf_free) = BUF(TEXT_MAX);

	frame_state_error(&text, uuid, code, detail);
	send(connection, &text);
}

void error_frame_send_in(struct connection *connection, uint64_t conversation,
                         enum frame_code code, const char *detail)
{
	struct buf text CLEANUP(buf_free) = BUF(TEXT_MAX);

	frame_error_in(&text, conversation, code, detail);
	send(connection, &text);
}
