#include "client-test/client/alarm.h"
#include "common/base/mem.h"

#include <stdlib.h>
#include <uv.h>

struct alarm {
	uv_timer_t timer; /* first: closing gives the memory back */
	alarm_ring *ring;
	void *context;
};

struct alarm *alarm_create(uv_loop_t *loop, alarm_ring *ring, void *context)
{
	struct alarm *alarm = mem_new(sizeof(*alarm));

	alarm->ring = ring;
	alarm->context = context;
	if (uv_timer_init(loop, &alarm->timer))
		abort();
	return alarm;
}

static void closed(uv_handle_t *handle)
{
	free(handle);
}

void alarm_destroy(struct alarm **alarm)
{
	if (*alarm)
		uv_close((uv_handle_t *)&(*alarm)->timer, closed);
	*alarm = NULL;
}

static void on_timer(uv_timer_t *timer)
{
	struct alarm *alarm = (struct alarm *)timer;

	alarm->ring(alarm->context);
}

void alarm_set(struct alarm *alarm, uint64_t ms)
{
	/* libuv counts from the start of this turn, which may be long ago. */
	uv_update_time(alarm->timer.loop);
	(void)uv_timer_start(&alarm->timer, on_timer, ms, 0);
}

void alarm_stop(struct alarm *alarm)
{
	(void)uv_timer_stop(&alarm->timer);
}
