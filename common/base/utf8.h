/*
 * utf8 - checks that text is well-formed UTF-8 (Unicode 15, table 3-7: no
 * surrogates, no overlong forms, nothing above U+10FFFF), in one piece or in
 * several.
 */
#ifndef PARLEY_BASE_UTF8_H
#define PARLEY_BASE_UTF8_H

#include "common/base/span.h"

#include <stdbool.h>
#include <stdint.h>

/* Zeroed at the start of a text. */
struct utf8 {
	uint8_t need;      /* continuation bytes still expected */
	uint8_t low, high; /* range of the next byte */
};

/* False as soon as the text can no longer become well-formed. */
bool utf8_feed(struct utf8 *state, struct span bytes);

static inline bool utf8_complete(const struct utf8 *state)
{
	return state->need == 0;
}

bool utf8_valid(struct span text);
/* Decodes the code point at *at of valid text and moves *at past it. */
uint32_t utf8_next(struct span text, size_t *at);
/* A code point of the category Cc. */
static inline bool utf8_is_control(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point <= 0x9f);
}

/* Code points. */
size_t utf8_count(struct span valid_text);

#endif
