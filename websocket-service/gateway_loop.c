#include "websocket-service/gateway_loop.h"
#include "common/base/mem.h"
#include "common/base/turn_watch.h"
#include "common/service/service.h"

#include <stdbool.h>
#include <unistd.h>
#include <uv.h>

enum {
	SECOND_MS = 1000,
	SETTLE_TURNS = 100,
};

struct gateway_loop {
	const struct gateway_loop_events *events;
	void *context;
	uv_loop_t uv;
	uv_timer_t second, tick;
	uv_poll_t wake;
	uv_prepare_t before_wait;
	uv_check_t after_wait;
	struct turn_watch turns;
	bool measures, turn_began;
};

static void on_second(uv_timer_t *timer)
{
	struct gateway_loop *loop = timer->data;

	loop->events->second(loop->context);
}

static void on_tick(uv_timer_t *timer)
{
	struct gateway_loop *loop = timer->data;

	loop->events->tick(loop->context);
}

static void measure_turn(struct gateway_loop *loop)
{
	struct slow_turn slow;
	uint64_t waits_us;

	if (!loop->measures || !loop->turns.cpu_max_us)
		return;
	waits_us = uv_metrics_idle_time(&loop->uv) / 1000;
	if (!loop->turn_began)
		turn_watch_begin(&loop->turns, waits_us);
	else if (turn_watch_end(&loop->turns, waits_us, &slow))
		loop->events->slow_turn(loop->context, &slow);
	loop->turn_began = true;
}

void gateway_loop_measure(struct gateway_loop *loop)
{
	loop->measures = true;
	loop->turn_began = false;
}

static void on_before_wait(uv_prepare_t *prepare)
{
	struct gateway_loop *loop = prepare->data;

	loop->events->before_wait(loop->context);
	measure_turn(loop);
}

static void on_after_wait(uv_check_t *check)
{
	struct gateway_loop *loop = check->data;

	loop->events->after_wait(loop->context);
}

/* Only ends the wait: service_main() then finds the request to stop. */
static void on_wake(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	(void)uv_poll_stop(poll);
}

struct gateway_loop *
gateway_loop_create(const struct gateway_loop_events *events,
                    unsigned turn_max_ms, void *context)
{
	struct gateway_loop *loop = mem_new(sizeof(*loop));

	loop->events = events;
	loop->context = context;
	(void)uv_loop_init(&loop->uv);
	turn_watch_start(&loop->turns, turn_max_ms, TURN_ASLEEP_MAX_MS);
	/* Without this, libuv does not count its waits. */
	if (turn_max_ms)
		(void)uv_loop_configure(&loop->uv, UV_METRICS_IDLE_TIME);
	(void)uv_timer_init(&loop->uv, &loop->second);
	(void)uv_timer_init(&loop->uv, &loop->tick);
	(void)uv_prepare_init(&loop->uv, &loop->before_wait);
	(void)uv_check_init(&loop->uv, &loop->after_wait);
	(void)uv_poll_init(&loop->uv, &loop->wake, service_wake_fd());
	loop->second.data = loop;
	loop->tick.data = loop;
	loop->before_wait.data = loop;
	loop->after_wait.data = loop;
	(void)uv_timer_start(&loop->second, on_second, SECOND_MS, SECOND_MS);
	(void)uv_timer_start(&loop->tick, on_tick, GATEWAY_LOOP_TICK_MS,
	                     GATEWAY_LOOP_TICK_MS);
	(void)uv_prepare_start(&loop->before_wait, on_before_wait);
	(void)uv_check_start(&loop->after_wait, on_after_wait);
	(void)uv_poll_start(&loop->wake, UV_READABLE, on_wake);
	return loop;
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
	if (!*loop)
		return;
	(void)uv_loop_close(&(*loop)->uv);
	turn_watch_stop(&(*loop)->turns);
	mem_free(loop);
}
