#include "tests/support/fake_clock.h"

uint64_t clock_ms;

uint64_t __wrap_clock_mono_ms(void)
{
	return clock_ms;
}

uint64_t __wrap_clock_unix_ms(void)
{
	return FAKE_CLOCK_UNIX_S * UINT64_C(1000) + clock_ms;
}
