#include "client-test/cli/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
static void small_values_are_exact(void **state)
{
	struct histogram histogram = {0};

	(void)state;
	for (uint64_t us = 1; us <= 100; us++)
		histogram_add(&histogram, us);
	assert_int_equal(histogram_at(&histogram, 50), 50);
	assert_int_equal(histogram_at(&histogram, 99), 99);
	assert_int_equal(histogram_at(&histogram, 100), 100);
	assert_int_equal(histogram.max, 100);
}

static void large_values_are_close(void **state)
{
	(void)state;
	for (uint64_t us = 128; us < UINT64_C(1) << 39; us = us * 5 / 3) {
		struct histogram histogram = {0};
		uint64_t middle;

		histogram_add(&histogram, us);
		histogram_add(&histogram, us);
		histogram_add(&histogram, us * 4);
		middle = histogram_at(&histogram, 50);
		assert_true(middle >= us);
		assert_true((double)middle <= (double)us * 1.016);
	}
}

static void no_percentile_exceeds_the_maximum(void **state)
{
	struct histogram histogram = {0};

	(void)state;
	histogram_add(&histogram, 1000001);
	assert_int_equal(histogram_at(&histogram, 50), 1000001);
	assert_int_equal(histogram_at(&histogram, 99.9), 1000001);
}

static void a_value_beyond_all_buckets_is_counted(void **state)
{
	struct histogram histogram = {0};

	(void)state;
	histogram_add(&histogram, UINT64_MAX);
	assert_int_equal(histogram.count, 1);
	assert_true(histogram_at(&histogram, 50) > UINT64_C(1) << 39);
}

static void an_empty_histogram_is_zero(void **state)
{
	struct histogram histogram = {0};

	(void)state;
	assert_int_equal(histogram_at(&histogram, 99), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_values_are_exact),
		cmocka_unit_test(large_values_are_close),
		cmocka_unit_test(no_percentile_exceeds_the_maximum),
		cmocka_unit_test(a_value_beyond_all_buckets_is_counted),
		cmocka_unit_test(an_empty_histogram_is_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
