#include "identity-service/guess/guess_window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MAX = 10, WINDOW_S = 900, WAIT_MAX_S = 900 };

static const struct guess_rule rule = {
	.max = MAX, .window_s = WINDOW_S, .wait_max_s = WAIT_MAX_S};

static struct guess_window window;
static uint64_t now_ms;
static uint64_t slot;

static int start(void **state)
{
	(void)state;
	guess_window_read(SPAN_NONE, &rule, &window);
	now_ms = 1764432000123;
	return 0;
}

static void pass(uint64_t ms)
{
	now_ms += ms;
}

/* The wait in seconds; 0: the attempt counts as a failure. */
static uint64_t try_once(void)
{
	uint64_t wait_s = 0;

	if (guess_window_try(&window, &rule, now_ms, &slot, &wait_s))
		return 0;
	assert_true(wait_s >= 1);
	return wait_s;
}

static void fail_up_to_the_limit(void)
{
	for (unsigned i = 0; i < MAX; i++)
		assert_int_equal(try_once(), 0);
}

static void the_attempt_past_the_limit_waits_for_a_second(void **state)
{
	(void)state;
	fail_up_to_the_limit();
	assert_int_equal(try_once(), 1);
	assert_int_equal(guess_window_failures(&window), MAX);
}

/* However long the last failure is ago. */
static void the_first_attempt_past_the_limit_is_refused_later_too(void **state)
{
	(void)state;
	fail_up_to_the_limit();
	pass((uint64_t)(WINDOW_S - 1) * 1000);
	assert_int_equal(try_once(), 1);
}

static void the_wait_doubles_up_to_its_maximum(void **state)
{
	static const uint64_t waits[] = {1,  2,   4,   8,   16,  32,
	                                 64, 128, 256, 512, 900, 900};

	(void)state;
	fail_up_to_the_limit();
	for (size_t i = 0; i < ARRAY_LEN(waits); i++)
		assert_int_equal(try_once(), waits[i]);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(try_once(), WAIT_MAX_S);
}

static void after_a_wait_one_attempt_is_let_through(void **state)
{
	(void)state;
	fail_up_to_the_limit();
	assert_int_equal(try_once(), 1);
	pass(999);
	assert_int_equal(try_once(), 2);
	pass(2000);
	assert_int_equal(try_once(), 0); /* and it fails */
	assert_int_equal(try_once(), 4);
	pass(4000);
	assert_int_equal(try_once(), 0);
	assert_int_equal(guess_window_failures(&window), MAX + 2);
	pass(100000);
	assert_int_equal(try_once(), 8);
}

static void a_right_attempt_is_no_failure(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(try_once(), 0);
		guess_window_undo(&window, slot);
	}
	assert_int_equal(guess_window_failures(&window), 0);
	fail_up_to_the_limit();
	assert_int_equal(try_once(), 1);
	pass(1000);
	assert_int_equal(try_once(), 0);
	guess_window_undo(&window, slot);
	assert_int_equal(guess_window_failures(&window), MAX);
}

static void parallel_attempts_cannot_pass_the_limit_together(void **state)
{
	uint64_t slots[20];
	unsigned through = 0;

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		if (try_once() == 0)
			slots[through++] = slot;
	}
	assert_int_equal(through, MAX);
	for (unsigned i = 0; i < through; i++)
		guess_window_undo(&window, slots[i]);
	assert_int_equal(try_once(), 0);
}

/* Not before the window has passed, and at most a slot later. */
static void a_failure_leaves_the_window(void **state)
{
	(void)state;
	for (unsigned begin = 0; begin < 60; begin++) {
		uint64_t window_ms = (uint64_t)WINDOW_S * 1000;

		(void)start(state);
		pass((uint64_t)begin * 1000);
		fail_up_to_the_limit();
		pass(window_ms - 1);
		assert_int_equal(try_once(), 1);
		pass(window.slot_ms + 1);
		assert_int_equal(try_once(), 0);
		assert_int_equal(guess_window_failures(&window), 1);
	}
}

static void the_window_slides(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MAX; i++) {
		assert_int_equal(try_once(), 0);
		pass(60 * 1000);
	}
	assert_int_equal(try_once(), 1); /* the first is 10 minutes old */
	pass(390 * 1000);                /* now two have left */
	assert_int_equal(try_once(), 0);
	assert_int_equal(try_once(), 0);
	assert_int_equal(try_once(), 1);
}

static void a_long_silence_forgets_all(void **state)
{
	static const uint64_t silences_s[] = {WINDOW_S + 60, 86400, 315360000};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(silences_s); i++) {
		(void)start(state);
		fail_up_to_the_limit();
		for (unsigned j = 0; j < 20; j++)
			assert_true(try_once() > 0);
		assert_true(guess_window_end_ms(&window) >
		            now_ms + (uint64_t)WINDOW_S * 1000);
		pass(silences_s[i] * 1000);
		assert_true(guess_window_end_ms(&window) < now_ms);
		fail_up_to_the_limit();
		assert_int_equal(try_once(), 1);
	}
}

static void a_clock_that_goes_back_forgets_nothing(void **state)
{
	(void)state;
	fail_up_to_the_limit();
	now_ms -= (uint64_t)3600 * 1000;
	assert_int_equal(try_once(), 1);
	guess_window_undo(&window, window.newest + 1);
	guess_window_undo(&window, 0);
	assert_int_equal(guess_window_failures(&window), MAX);
}

static void a_window_survives_as_bytes(void **state)
{
	CLEANUP(buf_free) struct buf bytes = BUF(GUESS_WINDOW_BYTES);
	struct guess_window again;

	(void)state;
	fail_up_to_the_limit();
	assert_int_equal(try_once(), 1);
	guess_window_write(&window, &bytes);
	assert_int_equal(bytes.len, GUESS_WINDOW_BYTES);
	guess_window_read(buf_span(&bytes), &rule, &again);
	assert_memory_equal(&again, &window, sizeof(window));
}

static void bytes_of_another_form_are_an_empty_window(void **state)
{
	CLEANUP(buf_free) struct buf bytes = BUF(GUESS_WINDOW_BYTES);
	struct guess_rule other = rule;
	struct guess_window again;

	(void)state;
	fail_up_to_the_limit();
	guess_window_write(&window, &bytes);
	guess_window_read(span_make(bytes.data, bytes.len - 1), &rule, &again);
	assert_int_equal(guess_window_failures(&again), 0);
	other.window_s = WINDOW_S / 2;
	guess_window_read(buf_span(&bytes), &other, &again);
	assert_int_equal(guess_window_failures(&again), 0);
	assert_true(again.slot_ms > 0);
}

/* --- events that are no guesses ------------------------------------------- */
static uint64_t count_once(void)
{
	uint64_t wait_s = 0;

	if (guess_window_count(&window, &rule, now_ms, &wait_s))
		return 0;
	assert_true(wait_s >= 1);
	return wait_s;
}

static void past_the_limit_no_event_is_counted(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MAX; i++)
		assert_int_equal(count_once(), 0);
	for (unsigned i = 0; i < 100; i++) {
		uint64_t wait_s = count_once();

		assert_in_range(wait_s, WINDOW_S - 99, WINDOW_S + 30);
		pass(1000);
	}
	assert_int_equal(guess_window_failures(&window), MAX);
}

/* After the wait there is room, and not a second earlier. */
static void the_wait_ends_when_there_is_room(void **state)
{
	(void)state;
	for (unsigned step_s = 0; step_s < 100; step_s += 7) {
		uint64_t wait_s;

		(void)start(state);
		for (unsigned i = 0; i < MAX; i++) {
			assert_int_equal(count_once(), 0);
			pass((uint64_t)step_s * 1000);
		}
		wait_s = count_once();
		if (wait_s == 0)
			continue; /* the first ones have left the window */
		if (wait_s > 1) {
			pass((wait_s - 1) * 1000 - 1);
			assert_true(count_once() > 0);
			pass(1001);
		} else {
			pass(1000);
		}
		assert_int_equal(count_once(), 0);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, start)
	const struct CMUnitTest tests[] = {
		TEST(the_attempt_past_the_limit_waits_for_a_second),
		TEST(the_first_attempt_past_the_limit_is_refused_later_too),
		TEST(the_wait_doubles_up_to_its_maximum),
		TEST(after_a_wait_one_attempt_is_let_through),
		TEST(a_right_attempt_is_no_failure),
		TEST(parallel_attempts_cannot_pass_the_limit_together),
		TEST(a_failure_leaves_the_window),
		TEST(the_window_slides),
		TEST(a_long_silence_forgets_all),
		TEST(a_clock_that_goes_back_forgets_nothing),
		TEST(a_window_survives_as_bytes),
		TEST(bytes_of_another_form_are_an_empty_window),
		cmocka_unit_test_setup(past_the_limit_no_event_is_counted,
	                               start),
		cmocka_unit_test_setup(the_wait_ends_when_there_is_room, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
