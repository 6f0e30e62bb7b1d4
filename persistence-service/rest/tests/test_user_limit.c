#include "persistence-service/rest/user_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct user_limit *limit;

static void make(uint32_t per_s, uint32_t burst)
{
	struct token_bucket_rate rate = {.per_s = per_s, .burst = burst};

	limit = user_limit_create(&rate);
}

static int stop(void **state)
{
	(void)state;
	user_limit_destroy(&limit);
	assert_null(limit);
	return 0;
}

static unsigned taken(uint64_t user, uint64_t now_ms)
{
	unsigned count = 0;

	while (count < 1000 && user_limit_take(limit, user, now_ms))
		count++;
	return count;
}

static void after_a_burst_the_rate_applies(void **state)
{
	(void)state;
	make(5, 20);
	assert_int_equal(taken(7, 100000), 20);
	assert_int_equal(taken(7, 100500), 0);
	assert_int_equal(taken(7, 101000), 5);
	assert_int_equal(taken(7, 103000), 10);
	assert_int_equal(taken(7, 200000), 20);
}

static void each_user_has_a_bucket(void **state)
{
	(void)state;
	make(5, 20);
	assert_int_equal(taken(1, 100000), 20);
	assert_int_equal(taken(2, 100000), 20);
	assert_int_equal(taken(1, 100000), 0);
}

static void a_rate_of_zero_means_no_limit(void **state)
{
	(void)state;
	make(0, 1);
	assert_int_equal(taken(1, 100000), 1000);
}

static void many_users_need_bounded_memory(void **state)
{
	(void)state;
	make(1, 3);
	for (uint64_t user = 1; user <= 50000; user++)
		assert_true(user_limit_take(limit, user, 100000));
	assert_int_equal(taken(50000, 100000), 2);
	assert_int_equal(taken(1, 100000), 3); /* forgotten */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, stop)
	const struct CMUnitTest tests[] = {
		TEST(after_a_burst_the_rate_applies),
		TEST(each_user_has_a_bucket),
		TEST(a_rate_of_zero_means_no_limit),
		TEST(many_users_need_bounded_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
