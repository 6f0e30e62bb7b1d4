#include "common/service/clock_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { BOOT_MS = 1000, HOUR_MS = 3600 * 1000 };
#define NOW_MS UINT64_C(1790000000000)

static void the_first_look_tells_nothing(void **state)
{
	struct clock_watch watch = {false, 0};

	(void)state;
	assert_false(clock_watch_check(&watch, BOOT_MS, 0));
}

static void a_clock_that_runs_is_not_set(void **state)
{
	struct clock_watch watch = {false, 0};

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		assert_false(clock_watch_check(&watch, BOOT_MS + i * 500,
		                               NOW_MS + i * 500));
}

static void a_pause_of_the_process_is_no_clock_change(void **state)
{
	struct clock_watch watch = {false, 0};

	(void)state;
	assert_false(clock_watch_check(&watch, BOOT_MS, NOW_MS));
	assert_false(
		clock_watch_check(&watch, BOOT_MS + HOUR_MS, NOW_MS + HOUR_MS));
}

static void a_clock_set_forward_is_not_reported(void **state)
{
	struct clock_watch watch = {false, 0};

	(void)state;
	assert_false(clock_watch_check(&watch, BOOT_MS, NOW_MS));
	assert_false(
		clock_watch_check(&watch, BOOT_MS + 500, NOW_MS + HOUR_MS));
}

static void a_clock_set_back_a_little_is_not_reported(void **state)
{
	struct clock_watch watch = {false, 0};

	(void)state;
	assert_false(clock_watch_check(&watch, BOOT_MS, NOW_MS));
	assert_false(
		clock_watch_check(&watch, BOOT_MS, NOW_MS - CLOCK_BACK_MAX_MS));
}

static void a_clock_set_back_by_more_is_reported_once(void **state)
{
	struct clock_watch watch = {false, 0};

	(void)state;
	assert_false(clock_watch_check(&watch, BOOT_MS, NOW_MS));
	assert_false(
		clock_watch_check(&watch, BOOT_MS + 500, NOW_MS + HOUR_MS));
	assert_true(clock_watch_check(&watch, BOOT_MS + 1000, NOW_MS + 1000));
	assert_false(clock_watch_check(&watch, BOOT_MS + 1500, NOW_MS + 1500));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_look_tells_nothing),
		cmocka_unit_test(a_clock_that_runs_is_not_set),
		cmocka_unit_test(a_pause_of_the_process_is_no_clock_change),
		cmocka_unit_test(a_clock_set_forward_is_not_reported),
		cmocka_unit_test(a_clock_set_back_a_little_is_not_reported),
		cmocka_unit_test(a_clock_set_back_by_more_is_reported_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
