#include "websocket-service/gateway.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/io/kafka/kafka.h"
#include "common/io/redis/redis.h"
#include "common/service/clock_watch.h"
#include "common/service/log.h"
#include "common/service/service.h"
#include "common/service/slow_turn.h"
#include "websocket-service/deliver/bus.h"
#include "websocket-service/deliver/rooms.h"
#include "websocket-service/gateway_loop.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/gateway_private.h"
#include "websocket-service/presence/presence_publisher.h"
#include "websocket-service/presence/presence_queries.h"
#include "websocket-service/receive/conversation_keys.h"
#include "websocket-service/receive/frame_order.h"
#include "websocket-service/receive/pending_receipts.h"
#include "websocket-service/receive/pending_sends.h"
#include "websocket-service/socket/connection.h"
#include "websocket-service/socket/sockets.h"

/*
 * Of a drain, for messages under way. The rest of SERVICE_DRAIN_S is for the
 * clients, to read the close frame and to close.
 */
enum { SETTLE_WAIT_MS = 6000 };

static void close_sockets(struct gateway *g, bool settled_only)
{
	connections_close_all(g->connections, settled_only,
	                      WEBSOCKET_GOING_AWAY, "restarting");
}

static void on_second(void *context)
{
	struct gateway *g = context;

	presence_queries_tick(g->presence_queries);
	gateway_redis_second(g);
	bus_tick(g->bus);
	metric_set(&gateway_metrics.hints_dropped, redis_dropped(g->redis));
	metric_set(&gateway_metrics.redis_faults, redis_faults(g->redis));
	metric_set(&gateway_metrics.presence_users,
	           presence_publisher_count(g->presence_publisher));
	metric_set(&gateway_metrics.presence_subscriptions,
	           presence_queries_subscriptions(g->presence_queries));
	metric_set(&gateway_metrics.rooms, rooms_count(g->rooms));
	metric_set(&gateway_metrics.rooms_pending_users,
	           rooms_pending_users(g->rooms));
	if (g->draining_since_ms)
		close_sockets(g, clock_mono_ms() <
		                         g->draining_since_ms + SETTLE_WAIT_MS);
}

static void on_tick(void *context)
{
	struct gateway *g = context;

	connections_tick(g->connections);
	presence_publisher_tick(g->presence_publisher);
	conversation_keys_tick(g->keys);
	frame_order_tick(g->order);
	pending_sends_tick(g->sends);
	pending_receipts_tick(g->receipts);
	rooms_tick(g->rooms);
	presence_queries_step(g->presence_queries);
}

static void on_before_wait(void *context)
{
	struct gateway *g = context;

	rooms_flush(g->rooms);
	conversation_keys_flush(g->keys);
	connections_flush(g->connections);
}

static void on_after_wait(void *context)
{
	struct gateway *g = context;

	connections_flush(g->connections);
}

static void on_slow_turn(void *context, const struct slow_turn *slow)
{
	(void)context;
	slow_turn_log("gateway", slow);
}

enum status gateway_start(const void *settings, void **ret_gateway)
{
	static const struct gateway_loop_events events = {
		.second = on_second,
		.tick = on_tick,
		.before_wait = on_before_wait,
		.after_wait = on_after_wait,
		.slow_turn = on_slow_turn,
	};
	struct gateway *g = mem_new(sizeof(*g));

	*ret_gateway = g;
	g->settings = settings;
	g->number = random_u64();
	clock_watch_start();
	gateway_metrics_start();
	service_part_add("sockets");
	g->loop = gateway_loop_create(&events,
	                              (unsigned)g->settings->turn_max_ms, g);
	return gateway_parts_create(g);
}

enum status gateway_step(void *gateway)
{
	struct gateway *g = gateway;

	gateway_loop_step(g->loop);
	return g->broken;
}

/*
 * Sockets without messages under way are closed at once, the others when their
 * messages are settled, so that senders learn the state of their messages.
 */
void gateway_drain(void *gateway)
{
	struct gateway *g = gateway;

	g->draining_since_ms = clock_mono_ms();
	service_part("sockets", false, "draining");
	bus_drain(g->bus);
	presence_publisher_drain(g->presence_publisher);
	sockets_stop_listening(g->sockets);
	close_sockets(g, true);
}

bool gateway_drained(void *gateway)
{
	struct gateway *g = gateway;

	return connections_count(g->connections) == 0 &&
	       pending_receipts_count(g->receipts) == 0 &&
	       kafka_producer_pending(bus_producer(g->bus)) == 0;
}

void gateway_stop(void **gateway)
{
	struct gateway *g = *gateway;

	/* The sockets that are still open get a close frame. */
	close_sockets(g, false);
	connections_flush(g->connections);
	gateway_parts_destroy(g);
	gateway_loop_destroy(&g->loop);
	mem_free(gateway);
}
