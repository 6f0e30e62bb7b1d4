/*
 * fake_clock - the clock of a unit test, which the test moves.
 *
 * It replaces clock_mono_ms() and clock_unix_ms() in a program that is linked
 * with --wrap for these functions.
 */
#ifndef PARLEY_TESTS_SUPPORT_FAKE_CLOCK_H
#define PARLEY_TESTS_SUPPORT_FAKE_CLOCK_H

#include <stdint.h>

enum { FAKE_CLOCK_UNIX_S = 1790000000 }; /* the Unix time when clock_ms is 0 */

extern uint64_t clock_ms; /* the monotonic time */

uint64_t __wrap_clock_mono_ms(void);
uint64_t __wrap_clock_unix_ms(void);

#endif
