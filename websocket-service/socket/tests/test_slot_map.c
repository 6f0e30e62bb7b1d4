#include "websocket-service/socket/slot_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MANY = 5000 };

static int object[MANY];

static void a_number_finds_its_object_until_it_is_removed(void **state)
{
	struct slot_map *slots = slot_map_create(10);
	uint64_t number = slot_map_add(slots, &object[0]);

	(void)state;
	assert_true(number != 0);
	assert_ptr_equal(slot_map_get(slots, number), &object[0]);
	slot_map_remove(slots, number);
	assert_null(slot_map_get(slots, number));
	slot_map_destroy(&slots);
	assert_null(slots);
}

static void a_number_is_never_reused(void **state)
{
	struct slot_map *slots = slot_map_create(1);
	uint64_t last = 0;

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		uint64_t number = slot_map_add(slots, &object[i]);

		assert_true(number > last); /* the numbers of a slot rise */
		assert_null(slot_map_get(slots, last));
		assert_ptr_equal(slot_map_get(slots, number), &object[i]);
		slot_map_remove(slots, number);
		last = number;
	}
	slot_map_destroy(&slots);
}

static void a_full_map_takes_no_more_until_one_is_removed(void **state)
{
	struct slot_map *slots = slot_map_create(2);
	uint64_t first = slot_map_add(slots, &object[0]);

	(void)state;
	assert_true(slot_map_add(slots, &object[1]) != 0);
	assert_int_equal(slot_map_add(slots, &object[2]), 0);
	slot_map_remove(slots, first);
	assert_true(slot_map_add(slots, &object[2]) != 0);
	assert_int_equal(slot_map_count(slots), 2);
	slot_map_destroy(&slots);
}

static void removing_twice_removes_once(void **state)
{
	struct slot_map *slots = slot_map_create(10);
	uint64_t first = slot_map_add(slots, &object[0]);
	uint64_t second;

	(void)state;
	slot_map_remove(slots, first);
	slot_map_remove(slots, first);
	assert_int_equal(slot_map_count(slots), 0);
	second = slot_map_add(slots, &object[1]);
	slot_map_remove(slots, first); /* its slot has a new object */
	assert_ptr_equal(slot_map_get(slots, second), &object[1]);
	slot_map_destroy(&slots);
}

static void unknown_numbers_find_nothing(void **state)
{
	struct slot_map *slots = slot_map_create(10);
	uint64_t number = slot_map_add(slots, &object[0]);

	(void)state;
	assert_null(slot_map_get(slots, 0));
	assert_null(slot_map_get(slots, number + 1));
	assert_null(slot_map_get(slots, number + (1 << 24)));
	assert_null(slot_map_get(slots, UINT64_MAX));
	slot_map_remove(slots, UINT64_MAX);
	assert_int_equal(slot_map_count(slots), 1);
	slot_map_destroy(&slots);
}

static void all_are_found_while_the_map_grows(void **state)
{
	static uint64_t number[MANY];
	struct slot_map *slots = slot_map_create(MANY);

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		number[i] = slot_map_add(slots, &object[i]);
	for (unsigned i = 0; i < MANY; i += 2)
		slot_map_remove(slots, number[i]);
	for (unsigned i = 0; i < MANY; i++)
		assert_ptr_equal(slot_map_get(slots, number[i]),
		                 i % 2 ? &object[i] : NULL);
	assert_int_equal(slot_map_count(slots), MANY / 2);
	slot_map_destroy(&slots);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_finds_its_object_until_it_is_removed),
		cmocka_unit_test(a_number_is_never_reused),
		cmocka_unit_test(a_full_map_takes_no_more_until_one_is_removed),
		cmocka_unit_test(removing_twice_removes_once),
		cmocka_unit_test(unknown_numbers_find_nothing),
		cmocka_unit_test(all_are_found_while_the_map_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
