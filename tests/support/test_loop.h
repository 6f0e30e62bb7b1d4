/*
 * test_loop - the event loop of a test. A beat of 10 ms shows that the loop
 * turns; a deadline ends a test that hangs.
 */
#ifndef PARLEY_TESTS_SUPPORT_TEST_LOOP_H
#define PARLEY_TESTS_SUPPORT_TEST_LOOP_H

#include <stdbool.h>

struct uv_loop_s;

extern struct uv_loop_s *test_loop;
extern unsigned test_loop_beats;

int test_loop_start(void **state); /* before each test */
/* After it. Not 0, so the test fails, when a handle is still open. */
int test_loop_stop(void **state);
/* One turn; false when the deadline has passed. */
bool test_loop_turn(void);

#define turn_until(condition) \
	do { \
		while (!(condition)) \
			if (!test_loop_turn()) \
				fail_msg("never: %s", #condition); \
	} while (0)

#endif
