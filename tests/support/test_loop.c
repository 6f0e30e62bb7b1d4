#include "tests/support/test_loop.h"

#include <uv.h>

enum { HANG_MS = 60000, BEAT_MS = 10, CLOSE_TURNS = 1000 };

struct uv_loop_s *test_loop;
unsigned test_loop_beats;

static uv_loop_t loop;
static uv_timer_t deadline, beat;
static bool stuck;

static void on_deadline(uv_timer_t *timer)
{
	(void)timer;
	stuck = true;
}

static void on_beat(uv_timer_t *timer)
{
	(void)timer;
	test_loop_beats++;
}

int test_loop_start(void **state)
{
	(void)state;
	stuck = false;
	test_loop = &loop;
	test_loop_beats = 0;
	(void)uv_loop_init(&loop);
	(void)uv_timer_init(&loop, &deadline);
	(void)uv_timer_start(&deadline, on_deadline, HANG_MS, 0);
	(void)uv_timer_init(&loop, &beat);
	(void)uv_timer_start(&beat, on_beat, BEAT_MS, BEAT_MS);
	return 0;
}

int test_loop_stop(void **state)
{
	(void)state;
	uv_close((uv_handle_t *)&deadline, NULL);
	uv_close((uv_handle_t *)&beat, NULL);
	for (unsigned i = 0; i < CLOSE_TURNS && uv_run(&loop, UV_RUN_NOWAIT);
	     i++)
		;
	return uv_loop_close(&loop);
}

bool test_loop_turn(void)
{
	if (!stuck)
		(void)uv_run(&loop, UV_RUN_ONCE);
	return !stuck;
}
