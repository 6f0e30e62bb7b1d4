#include "websocket-service/gateway_loop.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/service/service.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

enum {
	SECOND_MS = 1000,
	SETTLE_TURNS = 100,
};

/* Raised by SIGCONT: a process that was stopped has not slept. */
static atomic_uint continued;

/* Times of the loop's thread since some moment. */
struct thread_times {
	uint64_t wall_us;
	uint64_t waits_us; /* for events */
	uint64_t cpu_us;
	uint64_t ready_us; /* for a processor */
	unsigned continued;
};

struct gateway_loop {
	const struct gateway_loop_events *events;
	void *context;
	uv_loop_t uv;
	uv_timer_t second, tick;
	uv_poll_t wake;
	uv_prepare_t before_wait;
	uv_check_t after_wait;
	uint64_t turn_max_us; /* 0: not measured */
	bool measures;
	struct thread_times turn_began;
	int schedstat; /* the kernel's times of the thread; < 0: none */
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

/* Its text is "<on a processor> <ready> <timeslices>", in nanoseconds. */
static uint64_t thread_ready_us(const struct gateway_loop *loop)
{
	char text[128];
	ssize_t len = pread(loop->schedstat, text, sizeof(text) - 1, 0);
	char *ready;

	text[len > 0 ? len : 0] = '\0';
	ready = strchr(text, ' ');
	return ready ? strtoull(ready, NULL, 10) / 1000 : 0;
}

static struct thread_times read_times(struct gateway_loop *loop)
{
	return (struct thread_times){
		.wall_us = clock_mono_us(),
		.waits_us = uv_metrics_idle_time(&loop->uv) / 1000,
		.cpu_us = clock_thread_cpu_us(),
		.ready_us = thread_ready_us(loop),
		.continued = atomic_load(&continued),
	};
}

/* What is left of the turn when all known times are taken away. */
static uint64_t asleep_us(const struct thread_times *from,
                          const struct thread_times *to)
{
	uint64_t known = to->waits_us - from->waits_us + to->cpu_us -
	                 from->cpu_us + to->ready_us - from->ready_us;
	uint64_t wall = to->wall_us - from->wall_us;

	return wall > known ? wall - known : 0;
}

static void measure_turn(struct gateway_loop *loop)
{
	struct thread_times now, began = loop->turn_began;
	uint64_t cpu_us, asleep;

	if (!loop->turn_max_us || !loop->measures)
		return;
	now = read_times(loop);
	loop->turn_began = now;
	if (!began.wall_us)
		return;
	cpu_us = now.cpu_us - began.cpu_us;
	asleep = loop->schedstat < 0 || began.continued != now.continued
	                 ? 0
	                 : asleep_us(&began, &now);
	if (cpu_us > loop->turn_max_us ||
	    asleep > GATEWAY_LOOP_ASLEEP_MAX_MS * 1000)
		loop->events->slow_turn(loop->context, cpu_us, asleep);
}

static void on_continued(int signal)
{
	(void)signal;
	atomic_fetch_add(&continued, 1);
}

/* Without measuring, libuv does not count its waits either. */
static void start_measuring(struct gateway_loop *loop)
{
	static const struct sigaction on_sigcont = {.sa_handler = on_continued,
	                                            .sa_flags = SA_RESTART};

	loop->schedstat = -1;
	if (!loop->turn_max_us)
		return;
	(void)sigaction(SIGCONT, &on_sigcont, NULL);
	(void)uv_loop_configure(&loop->uv, UV_METRICS_IDLE_TIME);
	loop->schedstat =
		open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
}

void gateway_loop_measure(struct gateway_loop *loop)
{
	loop->measures = true;
	loop->turn_began = (struct thread_times){0};
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
	loop->turn_max_us = (uint64_t)turn_max_ms * 1000;
	(void)uv_loop_init(&loop->uv);
	start_measuring(loop);
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
	if ((*loop)->schedstat >= 0)
		(void)close((*loop)->schedstat);
	mem_free(loop);
}
