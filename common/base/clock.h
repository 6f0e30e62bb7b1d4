/*
 * clock - time, with the unit in each name.
 *
 * mono   counts from an arbitrary moment and never goes back: for waiting and
 *        measuring
 * unix   counts from 1970-01-01 UTC: for stored times and for messages
 */
#ifndef PARLEY_BASE_CLOCK_H
#define PARLEY_BASE_CLOCK_H

#include "common/base/span.h"

#include <stdbool.h>
#include <stdint.h>

uint64_t clock_mono_ms(void);
uint64_t clock_mono_us(void);
uint64_t clock_unix_ms(void);
/* Time of a processor that the calling thread has used. */
uint64_t clock_thread_cpu_us(void);

static inline uint64_t clock_mono_s(void)
{
	return clock_mono_ms() / 1000;
}

enum { CLOCK_TEXT_LEN = 24 }; /* 2026-11-21T10:00:00.000Z */

/* RFC 3339, UTC, milliseconds; `text` has room for CLOCK_TEXT_LEN + 1. */
void clock_format(uint64_t unix_ms, char *text);
/* Accepts exactly the form that clock_format() writes. */
bool clock_parse(struct span text, uint64_t *ret_unix_ms);

#endif
