/*
 * utf8 - well-formedness as in Unicode 15, table 3-7 (no surrogates, no
 * overlong forms, nothing above U+10FFFF), whole or piece by piece.
 */
#ifndef PARLEY_BASE_UTF8_H
#define PARLEY_BASE_UTF8_H

#include "common/base/span.h"

#include <stdbool.h>
#include <stdint.h>

/* Zeroed is the start of a text. */
struct utf8 {
	uint8_t need;      /* continuation bytes that must follow */
	uint8_t low, high; /* range of the next one */
};

/* False as soon as the text can no longer become well-formed. */
bool utf8_feed(struct utf8 *state, struct span bytes);

static inline bool utf8_complete(const struct utf8 *state)
{
	return state->need == 0;
}

bool utf8_valid(struct span text);
/* Decodes one code point of valid text at *at and moves *at behind it. */
uint32_t utf8_next(struct span text, size_t *at);
size_t utf8_count(struct span valid_text);

#endif
