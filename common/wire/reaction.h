/*
 * reaction - the rules for a reaction to a message.
 */
#ifndef PARLEY_WIRE_REACTION_H
#define PARLEY_WIRE_REACTION_H

#include "common/base/span.h"

#include <stdbool.h>

enum { REACTION_MAX = 64 }; /* bytes of UTF-8, at least 1 */

/*
 * A reaction that a client may add: one visible grapheme cluster, or letters
 * and digits; without ignorable characters, save in an emoji sequence and
 * between letters that join.
 */
bool reaction_fits(struct span reaction);
/*
 * A reaction that may have been added at some time: without control characters
 * and blanks.
 */
bool reaction_is_stored(struct span reaction);

#endif
