#include "client-test/cli/event_loop.h"
#include "client-test/cli/command.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

enum { TICK_MS = 50 };

struct event_loop {
	uv_loop_t uv;
	uv_signal_t interrupt, terminate, hangup;
	uv_timer_t tick;
	struct rest *rest;
	bool ended;
	int code;
};

static void on_signal(uv_signal_t *handle, int number)
{
	struct event_loop *loop = handle->data;

	event_loop_end(loop, 128 + number);
}

/* nohup starts a program with SIGHUP ignored, and that has to stay so. */
static bool stays_ignored(int number)
{
	struct sigaction action;

	return number == SIGHUP && !sigaction(number, NULL, &action) &&
	       action.sa_handler == SIG_IGN;
}

static void watch_signal(struct event_loop *loop, uv_signal_t *handle,
                         int number)
{
	if (uv_signal_init(&loop->uv, handle) ||
	    (!stays_ignored(number) &&
	     uv_signal_start(handle, on_signal, number)))
		abort();
	handle->data = loop;
	uv_unref((uv_handle_t *)handle);
}

/* Wakes the loop regularly, so that event_loop_run() checks its deadline. */
static void on_tick(uv_timer_t *timer)
{
	(void)timer;
}

struct event_loop *event_loop_create(const char *url)
{
	struct event_loop *loop = mem_new(sizeof(*loop));

	if (uv_loop_init(&loop->uv))
		abort();
	watch_signal(loop, &loop->interrupt, SIGINT);
	watch_signal(loop, &loop->terminate, SIGTERM);
	watch_signal(loop, &loop->hangup, SIGHUP);
	if (uv_timer_init(&loop->uv, &loop->tick) ||
	    uv_timer_start(&loop->tick, on_tick, TICK_MS, TICK_MS))
		abort();
	loop->rest = rest_create(&loop->uv, url);
	return loop;
}

struct uv_loop_s *event_loop_uv(struct event_loop *loop)
{
	return &loop->uv;
}

struct rest *event_loop_rest(struct event_loop *loop)
{
	return loop->rest;
}

bool event_loop_ended(const struct event_loop *loop)
{
	return loop->ended;
}

void event_loop_end(struct event_loop *loop, int code)
{
	if (loop->ended)
		return;
	loop->ended = true;
	loop->code = code;
}

void event_loop_resume(struct event_loop *loop)
{
	loop->ended = false;
}

void event_loop_run(struct event_loop *loop, const bool *until,
                    uint64_t timeout_ms)
{
	uint64_t deadline_ms = clock_mono_ms() + timeout_ms;

	while (!loop->ended && !(until && *until) &&
	       clock_mono_ms() < deadline_ms) {
		uv_run(&loop->uv, UV_RUN_ONCE);
		/* The reader of the output has gone, or its disk is full. */
		if (ferror(stdout))
			event_loop_end(loop, EXIT_FAILED);
	}
}

void event_loop_cancel_calls(struct event_loop *loop)
{
	rest_destroy(&loop->rest);
}

int event_loop_close(struct event_loop **loop_at)
{
	struct event_loop *loop = *loop_at;
	int code = loop->code;

	uv_close((uv_handle_t *)&loop->interrupt, NULL);
	uv_close((uv_handle_t *)&loop->terminate, NULL);
	uv_close((uv_handle_t *)&loop->hangup, NULL);
	uv_close((uv_handle_t *)&loop->tick, NULL);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	if (uv_loop_close(&loop->uv))
		abort();
	mem_free(loop_at);
	return code;
}
