#include "common/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void every_byte_asked_for_is_written(void **state)
{
	unsigned char seen[300] = {0};

	(void)state;
	/* A byte left out would stay 0 in all rounds. */
	for (unsigned round = 0; round < 20; round++) {
		unsigned char bytes[300] = {0};

		random_bytes(bytes, sizeof(bytes));
		for (unsigned i = 0; i < sizeof(bytes); i++)
			seen[i] |= bytes[i];
	}
	for (unsigned i = 0; i < sizeof(seen); i++)
		assert_int_not_equal(seen[i], 0);
}

static void no_byte_beyond_is_touched(void **state)
{
	unsigned char bytes[32] = {0};

	(void)state;
	random_bytes(bytes, 0);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], 0);
	random_bytes(bytes, 16);
	for (unsigned i = 16; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], 0);
}

static void two_numbers_are_not_the_same(void **state)
{
	(void)state;
	assert_true(random_u64() != random_u64());
}

static void a_wait_never_passes_its_ceiling(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		assert_in_range(backoff_ms(0, 100, 5000), 0, 100);
		assert_in_range(backoff_ms(1, 100, 5000), 0, 200);
		assert_in_range(backoff_ms(3, 100, 5000), 0, 800);
		assert_in_range(backoff_ms(10, 100, 5000), 0, 5000);
		assert_in_range(backoff_ms(19, 100, 5000), 0, 5000);
		assert_in_range(backoff_ms(4000000000, 100, 5000), 0, 5000);
	}
}

static void waits_use_the_whole_range(void **state)
{
	uint64_t least = UINT64_MAX;
	uint64_t most = 0;

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		uint64_t wait = backoff_ms(3, 100, 5000);

		least = wait < least ? wait : least;
		most = wait > most ? wait : most;
	}
	assert_in_range(least, 0, 80);
	assert_in_range(most, 720, 800);
}

static void a_maximum_of_zero_does_not_wait(void **state)
{
	(void)state;
	assert_int_equal(backoff_ms(5, 100, 0), 0);
	assert_int_equal(backoff_ms(5, 0, 100), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_asked_for_is_written),
		cmocka_unit_test(no_byte_beyond_is_touched),
		cmocka_unit_test(two_numbers_are_not_the_same),
		cmocka_unit_test(a_wait_never_passes_its_ceiling),
		cmocka_unit_test(waits_use_the_whole_range),
		cmocka_unit_test(a_maximum_of_zero_does_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
