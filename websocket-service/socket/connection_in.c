#include "common/service/log.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/socket/connection_private.h"

static void on_text(struct connection *c, struct span text)
{
	metric_count(&gateway_metrics.frames_in, 1);
	if (connection_token_ended(c)) {
		if (!c->ignored_logged)
			log_event(LOG_WARN, "frame.ignored_token_ended",
			          F_NUMBER("user", c->user));
		c->ignored_logged = true; /* logs one line for all frames */
		return;
	}
	c->set->options.text(c->set->options.context, c, text);
}

static void on_message(struct connection *c,
                       const struct websocket_message *message)
{
	struct buf pong CLEANUP(buf_free) = BUF(256);

	switch (message->op) {
	case WEBSOCKET_TEXT:
		on_text(c, message->payload);
		break;
	case WEBSOCKET_PING:
		websocket_write(&pong, WEBSOCKET_PONG, message->payload, NULL);
		connection_queue(c, buf_span(&pong));
		break;
	case WEBSOCKET_CLOSE:
		c->unreadable = true;
		connection_close(c,
		                 message->code == WEBSOCKET_NO_CODE
		                         ? WEBSOCKET_NORMAL
		                         : message->code,
		                 "");
		break;
	default:
		break; /* a pong: only its arrival counts */
	}
}

static void close_for(struct connection *c, enum websocket_code code,
                      const char *why)
{
	log_event(LOG_WARN, "socket.fault", F_NUMBER("user", c->user),
	          F_NUMBER("code", (unsigned)code), F_TEXT("why", why));
	connection_close(c, code, why);
}

/* Whether the client sends too many control frames or fragments. */
static bool is_flood(struct connection *c)
{
	static const struct token_bucket_rate control_rate = {CONTROLS_PER_S,
	                                                      CONTROLS_BURST};
	static const struct token_bucket_rate fragment_rate = {FRAGMENTS_PER_S,
	                                                       FRAGMENTS_BURST};
	uint32_t controls = c->reader.controls;
	uint32_t fragments = c->reader.fragments;

	if (!controls && !fragments)
		return false;
	c->reader.controls = 0;
	c->reader.fragments = 0;
	return !token_bucket_take(&c->controls, &control_rate, controls,
	                          c->received_s) ||
	       !token_bucket_take(&c->fragments, &fragment_rate, fragments,
	                          c->received_s);
}

/* What follows a fault cannot be read as frames. */
static void on_fault(struct connection *c,
                     const struct websocket_message *fault)
{
	c->unreadable = true;
	close_for(c, fault->code, fault->why);
}

void connection_read_frames(struct connection *c, char *data, size_t len)
{
	struct websocket_message message;
	enum websocket_event event;

	c->received_s = clock_mono_s();
	while (c->state == STATE_OPEN) {
		event = websocket_read(&c->reader, &data, &len, &message);
		if (event == WEBSOCKET_FAULT)
			on_fault(c, &message);
		else if (is_flood(c))
			close_for(c, WEBSOCKET_POLICY,
			          "too many control frames or fragments");
		else if (event == WEBSOCKET_MESSAGE)
			on_message(c, &message);
		else
			return;
	}
	/* We have closed: the rest is discarded. */
	if (len && !c->unreadable)
		connection_discard_frames(c, data, len);
}

void connection_discard_frames(struct connection *c, char *data, size_t len)
{
	struct websocket_message message;
	enum websocket_event event;

	do {
		event = websocket_read(&c->reader, &data, &len, &message);
	} while (event == WEBSOCKET_MESSAGE && message.op != WEBSOCKET_CLOSE);
	if (event != WEBSOCKET_MORE)
		connection_finish_closing(c);
}
