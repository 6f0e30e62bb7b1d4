#include "common/base/mem.h"
#include "common/io/redis/redis.h"
#include "common/service/service.h"
#include "websocket-service/deliver/bus.h"
#include "websocket-service/deliver/rooms.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/gateway_private.h"
#include "websocket-service/presence/presence_publisher.h"
#include "websocket-service/presence/presence_queries.h"
#include "websocket-service/receive/pending_receipts.h"
#include "websocket-service/receive/pending_sends.h"
#include "websocket-service/socket/connection.h"

#include <uv.h>

enum {
	SECOND_MS = 1000,
	TICK_MS = 50,
	SETTLE_TURNS = 100,
};

struct gateway_loop {
	uv_loop_t uv;
	uv_timer_t second, tick;
	uv_poll_t wake;
	uv_prepare_t before_wait;
	uv_check_t after_wait;
};

static void on_second(uv_timer_t *timer)
{
	struct gateway *g = timer->data;

	connections_tick(g->connections);
	presence_publisher_tick(g->presence_publisher);
	presence_queries_tick(g->presence_queries);
	bus_tick(g->bus);
	metric_set(&gateway_metrics.hints_dropped, redis_dropped(g->redis));
	metric_set(&gateway_metrics.presence_users,
	           presence_publisher_count(g->presence_publisher));
	metric_set(&gateway_metrics.presence_subscriptions,
	           presence_queries_subscriptions(g->presence_queries));
	metric_set(&gateway_metrics.rooms, rooms_count(g->rooms));
	metric_set(&gateway_metrics.rooms_pending_users,
	           rooms_pending_users(g->rooms));
	if (g->draining)
		gateway_parts_close_sockets(g, true);
}

static void on_tick(uv_timer_t *timer)
{
	struct gateway *g = timer->data;

	pending_sends_tick(g->sends);
	pending_receipts_tick(g->receipts);
	rooms_tick(g->rooms);
}

static void on_before_wait(uv_prepare_t *prepare)
{
	struct gateway *g = prepare->data;

	rooms_flush(g->rooms);
	connections_flush(g->connections);
}

static void on_after_wait(uv_check_t *check)
{
	struct gateway *g = check->data;

	connections_flush(g->connections);
}

/* Only ends the wait: service_main() checks service_stopping(). */
static void on_wake(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	(void)uv_poll_stop(poll);
}

void gateway_loop_start(struct gateway *g)
{
	struct gateway_loop *loop = mem_new(sizeof(*loop));

	g->loop = loop;
	(void)uv_loop_init(&loop->uv);
	(void)uv_timer_init(&loop->uv, &loop->second);
	(void)uv_timer_init(&loop->uv, &loop->tick);
	(void)uv_prepare_init(&loop->uv, &loop->before_wait);
	(void)uv_check_init(&loop->uv, &loop->after_wait);
	(void)uv_poll_init(&loop->uv, &loop->wake, service_wake_fd());
	loop->second.data = g;
	loop->tick.data = g;
	loop->before_wait.data = g;
	loop->after_wait.data = g;
	(void)uv_timer_start(&loop->second, on_second, SECOND_MS, SECOND_MS);
	(void)uv_timer_start(&loop->tick, on_tick, TICK_MS, TICK_MS);
	(void)uv_prepare_start(&loop->before_wait, on_before_wait);
	(void)uv_check_start(&loop->after_wait, on_after_wait);
	(void)uv_poll_start(&loop->wake, UV_READABLE, on_wake);
}

struct uv_loop_s *gateway_loop_uv(struct gateway_loop *loop)
{
	return &loop->uv;
}

void gateway_loop_step(struct gateway_loop *loop)
{
	(void)uv_run(&loop->uv, UV_RUN_ONCE);
}

void gateway_loop_settle(struct gateway_loop *loop)
{
	for (unsigned i = 0; i < SETTLE_TURNS; i++) {
		if (!uv_run(&loop->uv, UV_RUN_NOWAIT))
			return;
	}
}

void gateway_loop_close(struct gateway_loop *loop)
{
	uv_close((uv_handle_t *)&loop->second, NULL);
	uv_close((uv_handle_t *)&loop->tick, NULL);
	uv_close((uv_handle_t *)&loop->wake, NULL);
	uv_close((uv_handle_t *)&loop->before_wait, NULL);
	uv_close((uv_handle_t *)&loop->after_wait, NULL);
}

void gateway_loop_destroy(struct gateway_loop **loop)
{
	(void)uv_loop_close(&(*loop)->uv);
	mem_free(loop);
}
