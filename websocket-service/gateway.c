#include "websocket-service/gateway.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/io/kafka/kafka.h"
#include "common/service/clock_watch.h"
#include "common/service/service.h"
#include "websocket-service/deliver/bus.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/gateway_private.h"
#include "websocket-service/presence/presence_publisher.h"
#include "websocket-service/receive/pending_receipts.h"
#include "websocket-service/socket/connection.h"
#include "websocket-service/socket/sockets.h"

enum status gateway_start(const void *settings, void **ret_gateway)
{
	struct gateway *g = mem_new(sizeof(*g));

	*ret_gateway = g;
	g->settings = settings;
	g->number = random_u64();
	clock_watch_start();
	gateway_metrics_start();
	service_part("sockets", false, "not listening yet");
	gateway_loop_start(g);
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
 * messages are settled: so no sender has to ask what became of a message.
 */
void gateway_drain(void *gateway)
{
	struct gateway *g = gateway;

	g->draining = true;
	service_part("sockets", false, "draining");
	bus_drain(g->bus);
	presence_publisher_drain(g->presence_publisher);
	sockets_stop_listening(g->sockets);
	gateway_parts_close_sockets(g, true);
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
	gateway_parts_close_sockets(g, false);
	connections_flush(g->connections);
	gateway_parts_destroy(g);
	gateway_loop_destroy(&g->loop);
	mem_free(gateway);
}
