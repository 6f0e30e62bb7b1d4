#include "client-test/client/stage.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

#include <stdlib.h>
#include <uv.h>

enum { TICK_MS = 50 };

struct stage {
	uv_loop_t loop;
	uv_signal_t interrupt, terminate;
	uv_timer_t tick;
	struct rest *rest;
	bool over;
	int code;
};

static void on_signal(uv_signal_t *handle, int number)
{
	struct stage *stage = handle->data;

	stage_end(stage, 128 + number);
}

static void watch_signal(struct stage *stage, uv_signal_t *handle, int number)
{
	if (uv_signal_init(&stage->loop, handle) ||
	    uv_signal_start(handle, on_signal, number))
		abort();
	handle->data = stage;
	uv_unref((uv_handle_t *)handle);
}

/* Turns the loop now and then, so that deadlines are seen. */
static void on_tick(uv_timer_t *timer)
{
	(void)timer;
}

struct stage *stage_create(const char *url)
{
	struct stage *stage = mem_new(sizeof(*stage));

	if (uv_loop_init(&stage->loop))
		abort();
	watch_signal(stage, &stage->interrupt, SIGINT);
	watch_signal(stage, &stage->terminate, SIGTERM);
	if (uv_timer_init(&stage->loop, &stage->tick) ||
	    uv_timer_start(&stage->tick, on_tick, TICK_MS, TICK_MS))
		abort();
	stage->rest = rest_create(&stage->loop, url);
	return stage;
}

struct uv_loop_s *stage_loop(struct stage *stage)
{
	return &stage->loop;
}

struct rest *stage_rest(struct stage *stage)
{
	return stage->rest;
}

bool stage_over(const struct stage *stage)
{
	return stage->over;
}

void stage_end(struct stage *stage, int code)
{
	if (stage->over)
		return;
	stage->over = true;
	stage->code = code;
}

void stage_go_on(struct stage *stage)
{
	stage->over = false;
}

void stage_run(struct stage *stage, const bool *until, uint64_t timeout_ms)
{
	uint64_t deadline_ms = clock_mono_ms() + timeout_ms;

	while (!stage->over && !(until && *until) &&
	       clock_mono_ms() < deadline_ms)
		uv_run(&stage->loop, UV_RUN_ONCE);
}

void stage_leave(struct stage *stage)
{
	rest_destroy(&stage->rest);
}

int stage_stop(struct stage **stage_at)
{
	struct stage *stage = *stage_at;
	int code = stage->code;

	uv_close((uv_handle_t *)&stage->interrupt, NULL);
	uv_close((uv_handle_t *)&stage->terminate, NULL);
	uv_close((uv_handle_t *)&stage->tick, NULL);
	uv_run(&stage->loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&stage->loop))
		abort();
	mem_free(stage_at);
	return code;
}
