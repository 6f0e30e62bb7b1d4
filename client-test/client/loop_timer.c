#include "client-test/client/loop_timer.h"
#include "common/base/mem.h"

#include <stdlib.h>
#include <uv.h>

struct loop_timer {
	uv_timer_t handle; /* first: the close callback frees the struct */
	loop_timer_callback *callback;
	void *context;
};

struct loop_timer *
loop_timer_create(uv_loop_t *loop, loop_timer_callback *callback, void *context)
{
	struct loop_timer *timer = mem_new(sizeof(*timer));

	timer->callback = callback;
	timer->context = context;
	if (uv_timer_init(loop, &timer->handle))
		abort();
	return timer;
}

static void on_close(uv_handle_t *handle)
{
	free(handle);
}

void loop_timer_destroy(struct loop_timer **timer)
{
	if (*timer)
		uv_close((uv_handle_t *)&(*timer)->handle, on_close);
	*timer = NULL;
}

static void on_timer(uv_timer_t *handle)
{
	struct loop_timer *timer = (struct loop_timer *)handle;

	timer->callback(timer->context);
}

void loop_timer_start(struct loop_timer *timer, uint64_t ms)
{
	/* libuv counts from the start of this turn, which may be long ago. */
	uv_update_time(timer->handle.loop);
	(void)uv_timer_start(&timer->handle, on_timer, ms, 0);
}

void loop_timer_stop(struct loop_timer *timer)
{
	(void)uv_timer_stop(&timer->handle);
}
