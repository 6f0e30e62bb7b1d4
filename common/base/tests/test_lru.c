#include "common/base/lru.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct span key_of(unsigned number, char *text)
{
	return span_make(text, (size_t)snprintf(text, 16, "key %u", number));
}

static void put(struct lru *lru, unsigned number, uint64_t expires_ms)
{
	char text[16];

	lru_put(lru, key_of(number, text), &number, expires_ms);
}

/* The value, or -1. */
static int get(struct lru *lru, unsigned number, uint64_t now_ms)
{
	char text[16];
	unsigned value;

	if (!lru_get(lru, key_of(number, text), now_ms, &value))
		return -1;
	return (int)value;
}

static void a_value_is_found_until_it_expires(void **state)
{
	struct lru *lru = lru_create(4, sizeof(unsigned));

	(void)state;
	put(lru, 1, 100);
	assert_int_equal(get(lru, 1, 0), 1);
	assert_int_equal(get(lru, 1, 99), 1);
	assert_int_equal(get(lru, 2, 0), -1);
	assert_int_equal(get(lru, 1, 100), -1);
	assert_int_equal(lru_count(lru), 0);
	lru_destroy(&lru);
	assert_null(lru);
}

static void the_longest_unused_makes_room(void **state)
{
	struct lru *lru = lru_create(3, sizeof(unsigned));

	(void)state;
	put(lru, 1, 9);
	put(lru, 2, 9);
	put(lru, 3, 9);
	assert_int_equal(get(lru, 1, 0), 1);
	put(lru, 4, 9);
	assert_int_equal(get(lru, 2, 0), -1);
	assert_int_equal(get(lru, 1, 0), 1);
	assert_int_equal(get(lru, 3, 0), 3);
	assert_int_equal(get(lru, 4, 0), 4);
	assert_int_equal(lru_count(lru), 3);
	lru_destroy(&lru);
}

static void a_second_put_replaces_the_value(void **state)
{
	struct lru *lru = lru_create(3, sizeof(int));
	int one = 1, two = 2, value = 0;

	(void)state;
	lru_put(lru, SPAN("k"), &one, 9);
	lru_put(lru, SPAN("k"), &two, 20);
	assert_true(lru_get(lru, SPAN("k"), 10, &value));
	assert_int_equal(value, 2);
	assert_int_equal(lru_count(lru), 1);
	assert_true(lru_get(lru, SPAN("k"), 10, NULL));
	lru_remove(lru, SPAN("k"));
	lru_remove(lru, SPAN("k"));
	assert_false(lru_get(lru, SPAN("k"), 10, NULL));
	lru_destroy(&lru);
}

static void the_empty_key_is_a_key(void **state)
{
	struct lru *lru = lru_create(2, 0);

	(void)state;
	assert_false(lru_get(lru, SPAN_NONE, 0, NULL));
	lru_put(lru, SPAN_NONE, NULL, 1);
	assert_true(lru_get(lru, SPAN_NONE, 0, NULL));
	lru_destroy(&lru);
}

/* Against a plain array that remembers the same things in the slow way. */
static void many_turns_agree_with_a_slow_map(void **state)
{
	enum { KEYS = 40, PLACES = 16 };
	struct lru *lru = lru_create(PLACES, sizeof(unsigned));
	unsigned used[KEYS] = {0};
	uint32_t dice = 1;

	(void)state;
	for (unsigned turn = 1; turn < 20000; turn++) {
		unsigned key;
		unsigned present = 0, oldest = KEYS;

		dice = dice * 1664525 + 1013904223;
		key = (dice >> 16) % KEYS;
		for (unsigned i = 0; i < KEYS; i++) {
			present += used[i] > 0;
			if (used[i] &&
			    (oldest == KEYS || used[i] < used[oldest]))
				oldest = i;
		}
		assert_int_equal(lru_count(lru), present);
		if (dice >> 30 == 0) {
			char text[16];

			lru_remove(lru, key_of(key, text));
			used[key] = 0;
		} else if (dice >> 30 == 1) {
			assert_int_equal(get(lru, key, 0),
			                 used[key] ? (int)key : -1);
			used[key] = used[key] ? turn : 0;
		} else {
			if (!used[key] && present == PLACES)
				used[oldest] = 0;
			put(lru, key, 1);
			used[key] = turn;
		}
	}
	lru_destroy(&lru);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_found_until_it_expires),
		cmocka_unit_test(the_longest_unused_makes_room),
		cmocka_unit_test(a_second_put_replaces_the_value),
		cmocka_unit_test(the_empty_key_is_a_key),
		cmocka_unit_test(many_turns_agree_with_a_slow_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
