#include "websocket-service/gateway_loop.h"

#include "common/base/turn_watch.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

enum { TURN_MAX_MS = 200, TURNS = 40 };

int __wrap_service_wake_fd(void);

static int wake_fd;

int __wrap_service_wake_fd(void)
{
	return wake_fd;
}

/* --- what a turn may do -------------------------------------------------- */
static void wait_for_events(void)
{
}

static void sleep_for_long(void)
{
	(void)usleep((TURN_ASLEEP_MAX_MS + 200) * 1000);
}

/* By another process, as an operator or a debugger does. */
static void be_stopped(void)
{
	pid_t child = fork();

	if (child == 0) {
		(void)kill(getppid(), SIGSTOP);
		sleep_for_long();
		(void)kill(getppid(), SIGCONT);
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static struct gateway_loop *loop;
static bool measured = true;

static void sleep_and_measure_from_then_on(void)
{
	sleep_for_long();
	gateway_loop_measure(loop);
}

static void sleep_for_a_moment(void)
{
	(void)usleep(1000);
}

/* Of this thread, so that it is as much on a busy machine. */
static void compute(void)
{
	clock_t until =
		clock() + (clock_t)(2 * TURN_MAX_MS) * CLOCKS_PER_SEC / 1000;

	while (clock() < until)
		;
}

/* --- the loop ------------------------------------------------------------ */
struct seen {
	void (*act)(void);
	bool acted;
	unsigned slow;
	struct slow_turn last;
};

static void on_tick(void *context)
{
	struct seen *seen = context;

	if (!seen->acted)
		seen->act();
	seen->acted = true;
}

static void on_slow_turn(void *context, const struct slow_turn *slow)
{
	struct seen *seen = context;

	seen->slow++;
	seen->last = *slow;
}

static void nothing(void *context)
{
	(void)context;
}

static struct seen run(void (*act)(void), unsigned turn_max_ms)
{
	static const struct gateway_loop_events events = {
		.second = nothing,
		.tick = on_tick,
		.before_wait = nothing,
		.after_wait = nothing,
		.slow_turn = on_slow_turn,
	};
	struct seen seen = {.act = act};

	wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	loop = gateway_loop_create(&events, turn_max_ms, &seen);
	if (measured)
		gateway_loop_measure(loop);
	for (unsigned i = 0; i < TURNS; i++)
		gateway_loop_step(loop);
	gateway_loop_close(loop);
	gateway_loop_settle(loop);
	gateway_loop_destroy(&loop);
	(void)close(wake_fd);
	return seen;
}

static void a_turn_that_waits_for_events_is_not_slow(void **state)
{
	struct seen seen = run(wait_for_events, TURN_MAX_MS);

	(void)state;
	assert_true(seen.acted);
	assert_int_equal(seen.slow, 0);
	assert_int_equal(run(sleep_for_a_moment, TURN_MAX_MS).slow, 0);
}

static void a_turn_that_sleeps_is_slow(void **state)
{
	struct seen seen = run(sleep_for_long, TURN_MAX_MS);

	(void)state;
	assert_int_equal(seen.slow, 1);
	assert_in_range(seen.last.asleep_us, TURN_ASLEEP_MAX_MS * 1000,
	                UINT32_MAX);
	assert_in_range(seen.last.cpu_us, 0, TURN_MAX_MS * 1000);
}

static void a_turn_that_computes_is_slow(void **state)
{
	struct seen seen = run(compute, TURN_MAX_MS);

	(void)state;
	assert_int_equal(seen.slow, 1);
	assert_in_range(seen.last.cpu_us, TURN_MAX_MS * 1000, UINT32_MAX);
	assert_in_range(seen.last.asleep_us, 0, TURN_ASLEEP_MAX_MS * 1000);
}

static void a_turn_in_which_the_process_is_stopped_is_not_slow(void **state)
{
	(void)state;
	assert_int_equal(run(be_stopped, TURN_MAX_MS).slow, 0);
}

static void before_the_gateway_listens_no_turn_is_slow(void **state)
{
	(void)state;
	measured = false;
	assert_int_equal(run(sleep_for_long, TURN_MAX_MS).slow, 0);
	assert_int_equal(run(sleep_and_measure_from_then_on, TURN_MAX_MS).slow,
	                 0);
	measured = true;
}

static void without_a_limit_no_turn_is_slow(void **state)
{
	(void)state;
	assert_int_equal(run(sleep_for_long, 0).slow, 0);
	assert_int_equal(run(compute, 0).slow, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_turn_that_waits_for_events_is_not_slow),
		cmocka_unit_test(a_turn_that_sleeps_is_slow),
		cmocka_unit_test(a_turn_that_computes_is_slow),
		cmocka_unit_test(
			a_turn_in_which_the_process_is_stopped_is_not_slow),
		cmocka_unit_test(before_the_gateway_listens_no_turn_is_slow),
		cmocka_unit_test(without_a_limit_no_turn_is_slow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
