/*
 * name - what people, groups and channels may be called: 1 to 64 code points
 * of UTF-8, no control characters (C0, DEL, C1), no white space of Unicode at
 * either end.
 */
#ifndef PARLEY_WIRE_NAME_H
#define PARLEY_WIRE_NAME_H

#include "common/base/buf.h"
#include "common/base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum { NAME_MAX_POINTS = 64, NAME_MAX_BYTES = 256, NAME_KEY_MAX = 768 };

/* NULL, or what is wrong with it, for the client. */
const char *name_fault(struct span name);
/*
 * Appends the name with its case folded: two names with one key are one name.
 * False with *ret_detail when it is not fit to be one.
 */
bool name_key(struct span name, struct buf *ret_key, const char **ret_detail);
/* The property White_Space of Unicode. */
bool name_is_space(uint32_t point);

#endif
