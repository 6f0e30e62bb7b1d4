#include "common/base/token_bucket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { NOW_S = 5000 };

static const struct token_bucket_rate rate = {.per_s = 10, .burst = 100};

static void a_new_one_is_full(void **state)
{
	struct token_bucket bucket = {0};

	(void)state;
	assert_true(token_bucket_take(&bucket, &rate, 100, NOW_S));
	assert_false(token_bucket_take(&bucket, &rate, 1, NOW_S));
}

static void it_fills_with_time(void **state)
{
	struct token_bucket bucket = {0};

	(void)state;
	assert_true(token_bucket_take(&bucket, &rate, 100, NOW_S));
	assert_true(token_bucket_take(&bucket, &rate, 10, NOW_S + 1));
	assert_false(token_bucket_take(&bucket, &rate, 1, NOW_S + 1));
	assert_true(token_bucket_take(&bucket, &rate, 30, NOW_S + 4));
	assert_false(token_bucket_take(&bucket, &rate, 1, NOW_S + 4));
}

static void it_never_holds_more_than_its_burst(void **state)
{
	struct token_bucket bucket = {0};

	(void)state;
	assert_true(token_bucket_take(&bucket, &rate, 1, NOW_S));
	assert_true(token_bucket_take(&bucket, &rate, 100, NOW_S + 1000000));
	assert_false(token_bucket_take(&bucket, &rate, 1, NOW_S + 1000000));
}

static void its_own_rate_is_kept_up_for_ever(void **state)
{
	struct token_bucket bucket = {0};

	(void)state;
	for (uint64_t second = 0; second < 1000; second++) {
		for (unsigned i = 0; i < rate.per_s; i++)
			assert_true(token_bucket_take(&bucket, &rate, 1,
			                              NOW_S + second));
	}
}

static void a_little_more_than_its_rate_empties_it(void **state)
{
	struct token_bucket bucket = {0};
	uint64_t second = 0;

	(void)state;
	while (token_bucket_take(&bucket, &rate, rate.per_s + 1,
	                         NOW_S + second))
		second++;
	assert_in_range(second, 80, 100);
}

static void too_large_a_bite_empties_it(void **state)
{
	struct token_bucket bucket = {0};

	(void)state;
	assert_false(token_bucket_take(&bucket, &rate, 101, NOW_S));
	assert_false(token_bucket_take(&bucket, &rate, 1, NOW_S));
	assert_true(token_bucket_take(&bucket, &rate, 10, NOW_S + 1));
	assert_false(token_bucket_take(&bucket, &rate, UINT32_MAX, NOW_S + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_one_is_full),
		cmocka_unit_test(it_fills_with_time),
		cmocka_unit_test(it_never_holds_more_than_its_burst),
		cmocka_unit_test(its_own_rate_is_kept_up_for_ever),
		cmocka_unit_test(a_little_more_than_its_rate_empties_it),
		cmocka_unit_test(too_large_a_bite_empties_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
