#include "common/base/clock.h"
#include "tests/support/fake_clock.h"
#include "websocket-service/presence/presence_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { HOUR_MS = 3600 * 1000 };

static void without_an_answer_the_own_clock_counts(void **state)
{
	const struct presence_clock clock = {0};

	(void)state;
	clock_ms = 1000;
	assert_int_equal(presence_clock_now_ms(&clock), clock_unix_ms());
}

static void the_time_of_redis_counts_on(void **state)
{
	struct presence_clock clock = {0};
	uint64_t redis_ms;

	(void)state;
	clock_ms = 1000;
	redis_ms = clock_unix_ms() - HOUR_MS;
	presence_clock_set(&clock, redis_ms);
	assert_int_equal(presence_clock_now_ms(&clock), redis_ms);
	clock_ms += 7000;
	assert_int_equal(presence_clock_now_ms(&clock), redis_ms + 7000);
	presence_clock_set(&clock, redis_ms + 5000);
	assert_int_equal(presence_clock_now_ms(&clock), redis_ms + 5000);
	clock_ms += 1;
	assert_int_equal(presence_clock_now_ms(&clock), redis_ms + 5001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_an_answer_the_own_clock_counts),
		cmocka_unit_test(the_time_of_redis_counts_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
