/* Rates of users, with a fake clock. */
#include "tests/support/fake_clock.h"
#include "websocket-service/socket/rate_limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { PER_S = 10, BURST = 50, USERS_MAX = 3 };

static struct rate_limits *limits;

static int start(void **state)
{
	(void)state;
	clock_ms = 5000000;
	limits = rate_limits_create(PER_S, BURST, USERS_MAX);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	rate_limits_destroy(&limits);
	return limits != NULL;
}

static unsigned takes(uint64_t user, unsigned tries)
{
	unsigned taken = 0;

	while (tries--)
		taken += rate_limits_take(limits, user);
	return taken;
}

static void a_burst_passes_and_then_the_rate(void **state)
{
	(void)state;
	assert_int_equal(takes(7, 1000), BURST);
	for (unsigned i = 0; i < 20; i++) {
		clock_ms += 1000;
		assert_int_equal(takes(7, 100), PER_S);
	}
	clock_ms += 60000;
	assert_int_equal(takes(7, 1000), BURST);
}

static void one_user_does_not_slow_another(void **state)
{
	(void)state;
	(void)takes(7, 1000);
	assert_int_equal(takes(8, 1000), BURST);
}

static void the_least_recently_used_is_evicted(void **state)
{
	(void)state;
	for (uint64_t user = 1; user <= USERS_MAX + 1; user++)
		(void)takes(user, 1000);
	assert_int_equal(takes(USERS_MAX + 1, 1), 0);
	assert_int_equal(takes(1, 1), 1);
}

static void rate_zero_is_no_limit(void **state)
{
	struct rate_limits *none = rate_limits_create(0, 1, USERS_MAX);

	(void)state;
	for (unsigned i = 0; i < 100000; i++)
		assert_true(rate_limits_take(none, 7));
	rate_limits_destroy(&none);
}

static void too_many_refusals_in_a_short_time_close_the_socket(void **state)
{
	struct refusals refusals = {0};

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		for (unsigned k = 0; k < TOO_FAST_MAX; k++)
			assert_true(refusals_take(&refusals));
		clock_ms += TOO_FAST_WINDOW_S * 1000;
	}
	for (unsigned k = 0; k < TOO_FAST_MAX; k++)
		assert_true(refusals_take(&refusals));
	assert_false(refusals_take(&refusals));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(a_burst_passes_and_then_the_rate),
		TEST(one_user_does_not_slow_another),
		TEST(the_least_recently_used_is_evicted),
		TEST(rate_zero_is_no_limit),
		TEST(too_many_refusals_in_a_short_time_close_the_socket),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
