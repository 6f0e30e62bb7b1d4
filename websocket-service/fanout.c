#include "websocket-service/fanout.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/websocket.h"
#include "common/io/kafka.h"
#include "common/service/fault_point.h"
#include "common/service/log.h"
#include "common/wire/event.h"
#include "common/wire/frame.h"
#include "websocket-service/connection.h"
#include "websocket-service/measures.h"
#include "websocket-service/sends.h"

struct fanout {
	struct connections *connections;
	struct sends *sends;
	uint64_t gateway;
	struct buf framed; /* one event as a frame, reused */
};

struct fanout *fanout_create(struct connections *connections,
                             struct sends *sends, unsigned long long gateway)
{
	struct fanout *fanout = mem_new(sizeof(*fanout));

	fanout->connections = connections;
	fanout->sends = sends;
	fanout->gateway = gateway;
	fanout->framed = BUF(FRAME_OUT_MAX);
	return fanout;
}

void fanout_destroy(struct fanout **fanout)
{
	if (!*fanout)
		return;
	buf_free(&(*fanout)->framed);
	mem_free(fanout);
}

static void measure(const struct kafka_message *event, unsigned sockets)
{
	uint64_t made_ms = kafka_message_time_ms(event);
	uint64_t now_ms = clock_unix_ms();

	metric_count(&measure_events, 1);
	if (sockets && made_ms)
		metric_took(&measure_deliver,
		            now_ms > made_ms ? (now_ms - made_ms) * 1000 : 0);
}

static void settle(struct fanout *fanout, const struct kafka_message *event)
{
	struct event_origin origin;

	if (event_origin_parse(
		    kafka_message_header(event, EVENT_SETTLES_HEADER), &origin))
		sends_settled(fanout->sends, &origin);
}

/* The socket that sent the message knows it; 0: none of ours. */
static uint64_t socket_to_leave_out(const struct fanout *fanout,
                                    const struct kafka_message *event)
{
	struct event_origin origin;

	if (!event_origin_parse(
		    kafka_message_header(event, EVENT_ORIGIN_HEADER),
		    &origin) ||
	    origin.gateway != fanout->gateway)
		return 0;
	return origin.connection;
}

/* Framed once, whoever gets it; false when it is too large to be one. */
static bool frame_event(struct fanout *fanout,
                        const struct kafka_message *event)
{
	buf_clear(&fanout->framed);
	websocket_write(&fanout->framed, WEBSOCKET_TEXT,
	                kafka_message_value(event), NULL);
	if (!buf_overflowed(&fanout->framed))
		return true;
	log_event(LOG_ERROR, "event.too_large",
	          F_NUMBER("bytes", kafka_message_value(event).len));
	return false;
}

/* Most events of a large system are for users who are elsewhere. */
static bool anybody_here(const struct fanout *fanout, struct span key)
{
	uint64_t user;

	while (event_key_next(&key, &user)) {
		if (connections_has_user(fanout->connections, user))
			return true;
	}
	return false;
}

static unsigned deliver(struct fanout *fanout,
                        const struct kafka_message *event, struct span *key)
{
	uint64_t except = socket_to_leave_out(fanout, event);
	unsigned sockets = 0;
	uint64_t user;

	while (event_key_next(key, &user))
		sockets +=
			connections_deliver(fanout->connections, user,
		                            buf_span(&fanout->framed), except);
	return sockets;
}

size_t fanout_event(struct fanout *fanout, const struct kafka_message *event)
{
	struct span key = kafka_message_key(event);
	unsigned sockets = 0;

	settle(fanout, event);
	if (anybody_here(fanout, key) && frame_event(fanout, event)) {
		FAULT_POINT("fanout.before");
		sockets = deliver(fanout, event, &key);
		FAULT_POINT("fanout.after");
		if (key.len)
			log_event(LOG_WARN, "event.bad_key",
			          F_SPAN("rest", key));
	}
	measure(event, sockets);
	return sockets * fanout->framed.len;
}
