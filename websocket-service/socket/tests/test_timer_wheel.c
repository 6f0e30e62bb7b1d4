#include "websocket-service/socket/timer_wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { START_S = 1000, MANY = 2000 };

struct alarm {
	struct timer_wheel_entry item; /* the first member: see on_due() */
	struct timer_wheel *wheel;
	struct alarm *other; /* cleared when this one fires */
	uint64_t again_s;    /* set again for then, once */
	uint32_t costs;      /* beyond 1 */
	unsigned fired;
	uint64_t fired_s;
};

static void on_due(void *context, struct timer_wheel_entry *item)
{
	struct alarm *alarm = (struct alarm *)(void *)item;
	struct timer_wheel *wheel = context;

	alarm->fired++;
	alarm->fired_s = wheel->now_s;
	timer_wheel_spend(wheel, alarm->costs);
	if (alarm->other)
		timer_wheel_clear(wheel, &alarm->other->item);
	if (alarm->again_s) {
		timer_wheel_set(wheel, item, alarm->again_s);
		alarm->again_s = 0;
	}
}

static struct timer_wheel started(void)
{
	struct timer_wheel wheel;

	timer_wheel_start(&wheel, START_S);
	return wheel;
}

static void turn(struct timer_wheel *wheel, uint64_t now_s)
{
	timer_wheel_advance(wheel, now_s, UINT32_MAX, on_due, wheel);
}

static void an_entry_fires_once_at_its_second(void **state)
{
	struct timer_wheel wheel = started();
	struct alarm alarm = {0};

	(void)state;
	timer_wheel_set(&wheel, &alarm.item, START_S + 5);
	turn(&wheel, START_S + 4);
	assert_int_equal(alarm.fired, 0);
	turn(&wheel, START_S + 5);
	assert_int_equal(alarm.fired, 1);
	turn(&wheel, START_S + 200);
	assert_int_equal(alarm.fired, 1);
}

static void an_overdue_entry_fires_a_second_from_now(void **state)
{
	struct timer_wheel wheel = started();
	struct alarm now = {0};
	struct alarm past = {0};

	(void)state;
	timer_wheel_set(&wheel, &now.item, START_S);
	timer_wheel_set(&wheel, &past.item, 3);
	turn(&wheel, START_S);
	assert_int_equal(now.fired + past.fired, 0);
	turn(&wheel, START_S + 1);
	assert_int_equal(now.fired + past.fired, 2);
}

static void a_deadline_too_far_fires_at_the_end_of_the_wheel(void **state)
{
	struct timer_wheel wheel = started();
	struct alarm alarm = {0};

	(void)state;
	timer_wheel_set(&wheel, &alarm.item, START_S + 3600);
	turn(&wheel, START_S + TIMER_WHEEL_SLOTS - 2);
	assert_int_equal(alarm.fired, 0);
	turn(&wheel, START_S + TIMER_WHEEL_SLOTS - 1);
	assert_int_equal(alarm.fired, 1);
}

static void setting_an_entry_again_moves_it(void **state)
{
	struct timer_wheel wheel = started();
	struct alarm alarm = {0};

	(void)state;
	timer_wheel_set(&wheel, &alarm.item, START_S + 2);
	timer_wheel_set(&wheel, &alarm.item, START_S + 9);
	turn(&wheel, START_S + 8);
	assert_int_equal(alarm.fired, 0);
	turn(&wheel, START_S + 9);
	assert_int_equal(alarm.fired, 1);
}

static void a_cleared_entry_does_not_fire(void **state)
{
	struct timer_wheel wheel = started();
	struct alarm alarm = {0};

	(void)state;
	timer_wheel_set(&wheel, &alarm.item, START_S + 2);
	timer_wheel_clear(&wheel, &alarm.item);
	timer_wheel_clear(&wheel, &alarm.item);
	turn(&wheel, START_S + 100);
	assert_int_equal(alarm.fired, 0);
}

static void a_jump_of_minutes_fires_each_once(void **state)
{
	static struct alarm alarm[TIMER_WHEEL_SLOTS];
	struct timer_wheel wheel = started();

	(void)state;
	memset(alarm, 0, sizeof(alarm));
	for (unsigned i = 0; i < TIMER_WHEEL_SLOTS; i++)
		timer_wheel_set(&wheel, &alarm[i].item, START_S + i);
	turn(&wheel, START_S + 600);
	for (unsigned i = 0; i < TIMER_WHEEL_SLOTS; i++)
		assert_int_equal(alarm[i].fired, 1);
	assert_int_equal(wheel.now_s, START_S + 600);
}

static void setting_itself_within_a_jump_goes_on_from_there(void **state)
{
	struct timer_wheel wheel = started();
	struct alarm alarm = {.again_s = START_S + 600 + 25};

	(void)state;
	timer_wheel_set(&wheel, &alarm.item, START_S + 1);
	turn(&wheel, START_S + 600);
	/* Once at its time, once at the wheel's end: never lost. */
	assert_int_equal(alarm.fired, 2);
	assert_int_equal(alarm.fired_s, START_S + 1 + TIMER_WHEEL_SLOTS - 1);
}

/* However many are due, and meanwhile more become due. */
static void a_step_fires_no_more_than_it_may(void **state)
{
	enum { MAX = 300 };
	static struct alarm alarm[MANY];
	struct timer_wheel wheel = started();
	struct alarm later = {0};
	unsigned steps = 0, fired = 0, before;

	(void)state;
	memset(alarm, 0, sizeof(alarm));
	for (unsigned i = 0; i < MANY; i++)
		timer_wheel_set(&wheel, &alarm[i].item, START_S + 1 + i % 2);
	timer_wheel_set(&wheel, &later.item, START_S + 3);
	do {
		before = fired;
		timer_wheel_advance(&wheel, START_S + 3 + steps++, MAX, on_due,
		                    &wheel);
		fired = later.fired;
		for (unsigned i = 0; i < MANY; i++)
			fired += alarm[i].fired;
		assert_true(fired - before <= MAX);
		assert_int_equal(later.fired, fired > MANY);
	} while (fired > before);
	assert_int_equal(fired, MANY + 1);
	assert_int_equal(steps, MANY / MAX + 2);
}

static void a_step_costs_no_more_than_it_may(void **state)
{
	static const struct {
		uint32_t costs, max;
		unsigned fired; /* in the first step, of MANY */
	} rows[] = {{0, 300, 300},       {9, 300, 30},  {9, 305, 31},
	            {9, 1, 1},           {500, 300, 1}, {UINT32_MAX, 300, 1},
	            {9, 10 * MANY, MANY}};
	static struct alarm alarm[MANY];

	(void)state;
	for (unsigned row = 0; row < sizeof(rows) / sizeof(*rows); row++) {
		struct timer_wheel wheel = started();
		unsigned fired = 0, steps = 0;

		memset(alarm, 0, sizeof(alarm));
		for (unsigned i = 0; i < MANY; i++) {
			alarm[i].costs = rows[row].costs;
			timer_wheel_set(&wheel, &alarm[i].item, START_S + 1);
		}
		while (fired < MANY) {
			fired = 0;
			timer_wheel_advance(&wheel, START_S + 1, rows[row].max,
			                    on_due, &wheel);
			for (unsigned i = 0; i < MANY; i++)
				fired += alarm[i].fired;
			if (steps++ == 0)
				assert_int_equal(fired, rows[row].fired);
		}
		assert_int_equal(steps, (MANY + rows[row].fired - 1) /
		                                rows[row].fired);
	}
}

static void a_clock_that_stands_or_goes_back_fires_nothing(void **state)
{
	struct timer_wheel wheel = started();
	struct alarm alarm = {0};

	(void)state;
	timer_wheel_set(&wheel, &alarm.item, START_S + 1);
	turn(&wheel, START_S);
	turn(&wheel, START_S - 500);
	assert_int_equal(alarm.fired, 0);
	assert_int_equal(wheel.now_s, START_S);
	turn(&wheel, START_S + 1);
	assert_int_equal(alarm.fired, 1);
}

static void setting_itself_for_now_within_due_does_not_spin(void **state)
{
	struct timer_wheel wheel = started();
	struct alarm alarm = {.again_s = 1};

	(void)state;
	timer_wheel_set(&wheel, &alarm.item, START_S + 1);
	turn(&wheel, START_S + 1);
	assert_int_equal(alarm.fired, 1);
	turn(&wheel, START_S + 2);
	assert_int_equal(alarm.fired, 2);
}

static void clearing_another_of_the_same_second_within_due_holds(void **state)
{
	struct timer_wheel wheel = started();
	struct alarm last = {0};
	struct alarm middle = {0};
	struct alarm first = {.other = &middle};

	(void)state;
	timer_wheel_set(&wheel, &first.item, START_S + 1);
	timer_wheel_set(&wheel, &middle.item, START_S + 1);
	timer_wheel_set(&wheel, &last.item, START_S + 1);
	turn(&wheel, START_S + 1);
	assert_int_equal(first.fired, 1);
	assert_int_equal(middle.fired, 0);
	assert_int_equal(last.fired, 1);
}

static void each_of_many_fires_in_its_own_second(void **state)
{
	static struct alarm alarm[MANY];
	struct timer_wheel wheel = started();

	(void)state;
	memset(alarm, 0, sizeof(alarm));
	for (unsigned i = 0; i < MANY; i++)
		timer_wheel_set(&wheel, &alarm[i].item, START_S + 1 + i % 60);
	for (unsigned s = 1; s <= 60; s++)
		turn(&wheel, START_S + s);
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(alarm[i].fired, 1);
		assert_int_equal(alarm[i].fired_s, START_S + 1 + i % 60);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_fires_once_at_its_second),
		cmocka_unit_test(an_overdue_entry_fires_a_second_from_now),
		cmocka_unit_test(
			a_deadline_too_far_fires_at_the_end_of_the_wheel),
		cmocka_unit_test(setting_an_entry_again_moves_it),
		cmocka_unit_test(a_cleared_entry_does_not_fire),
		cmocka_unit_test(a_jump_of_minutes_fires_each_once),
		cmocka_unit_test(
			setting_itself_within_a_jump_goes_on_from_there),
		cmocka_unit_test(a_step_fires_no_more_than_it_may),
		cmocka_unit_test(a_step_costs_no_more_than_it_may),
		cmocka_unit_test(
			a_clock_that_stands_or_goes_back_fires_nothing),
		cmocka_unit_test(
			setting_itself_for_now_within_due_does_not_spin),
		cmocka_unit_test(
			clearing_another_of_the_same_second_within_due_holds),
		cmocka_unit_test(each_of_many_fires_in_its_own_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
