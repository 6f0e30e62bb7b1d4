/*
 * clock - time with its unit in the name.
 *
 * mono   since some moment, never set back: for waiting and measuring
 * unix   since 1970-01-01 UTC: for what is stored or told to others
 */
#ifndef PARLEY_BASE_CLOCK_H
#define PARLEY_BASE_CLOCK_H

#include "common/base/span.h"

#include <stdbool.h>
#include <stdint.h>

uint64_t clock_mono_ms(void);
uint64_t clock_mono_us(void);
uint64_t clock_unix_ms(void);

enum { CLOCK_TEXT_LEN = 24 }; /* 2026-11-21T10:00:00.000Z */

/* RFC 3339, UTC, milliseconds; `text` has room for CLOCK_TEXT_LEN + 1. */
void clock_format(uint64_t unix_ms, char *text);
/* Exactly the form that clock_format() writes. */
bool clock_parse(struct span text, uint64_t *ret_unix_ms);

#endif
