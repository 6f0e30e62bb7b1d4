/*
 * emoji - finds emoji sequences (UTS #51, ED-17 and EBNF-1): flags, keycaps,
 * skin tones, variation selectors, tag sequences, and emoji that ZERO WIDTH
 * JOINER joins.
 */
#ifndef PARLEY_BASE_EMOJI_H
#define PARLEY_BASE_EMOJI_H

#include <stddef.h>
#include <stdint.h>

/*
 * The number of code points of the emoji sequence that begins at points[0]; 0:
 * none begins there. A digit, # or * alone is a sequence of one.
 */
size_t emoji_sequence(const uint32_t *points, size_t count);

#endif
