/* Orders through a pipe that takes stdin's place. */
#include "bench/load/bench_orders.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int writer;

static int open_pipe(void **state)
{
	int ends[2];

	(void)state;
	if (pipe(ends) || dup2(ends[0], STDIN_FILENO) < 0)
		return -1;
	writer = ends[1];
	return close(ends[0]);
}

static int close_pipe(void **state)
{
	(void)state;
	return writer < 0 ? 0 : close(writer);
}

static void say(const char *text)
{
	assert_int_equal(write(writer, text, strlen(text)), strlen(text));
}

static void no_line_is_no_order(void **state)
{
	char order[BENCH_ORDER_MAX];

	(void)state;
	assert_int_equal(bench_orders_next(order), BENCH_ORDERS_NONE);
}

static void each_line_is_an_order(void **state)
{
	char order[BENCH_ORDER_MAX];

	(void)state;
	say("cut\nreport\n");
	assert_int_equal(bench_orders_next(order), BENCH_ORDERS_ONE);
	assert_string_equal(order, "cut");
	assert_int_equal(bench_orders_next(order), BENCH_ORDERS_ONE);
	assert_string_equal(order, "report");
	assert_int_equal(bench_orders_next(order), BENCH_ORDERS_NONE);
}

static void a_line_too_long_is_cut(void **state)
{
	char order[BENCH_ORDER_MAX];

	(void)state;
	for (unsigned i = 0; i < BENCH_ORDER_MAX; i++)
		say("ab");
	say("\nnext\n");
	assert_int_equal(bench_orders_next(order), BENCH_ORDERS_ONE);
	assert_int_equal(strlen(order), BENCH_ORDER_MAX - 1);
	assert_int_equal(bench_orders_next(order), BENCH_ORDERS_ONE);
	assert_string_equal(order, "next");
}

static void the_end_is_told(void **state)
{
	char order[BENCH_ORDER_MAX];

	(void)state;
	say("half a line");
	close(writer);
	writer = -1;
	assert_int_equal(bench_orders_next(order), BENCH_ORDERS_ENDED);
	assert_int_equal(bench_orders_next(order), BENCH_ORDERS_ENDED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_pipe, close_pipe)
	const struct CMUnitTest tests[] = {
		TEST(no_line_is_no_order),
		TEST(each_line_is_an_order),
		TEST(a_line_too_long_is_cut),
		TEST(the_end_is_told),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
