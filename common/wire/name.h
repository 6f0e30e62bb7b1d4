/*
 * name - the rules for names of users, groups and channels: 1 to 64 code points
 * of UTF-8, no control characters (C0, DEL, C1), no Unicode white space at
 * either end.
 */
#ifndef PARLEY_WIRE_NAME_H
#define PARLEY_WIRE_NAME_H

#include "common/base/buf.h"
#include "common/base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum { NAME_MAX_POINTS = 64, NAME_MAX_BYTES = 256, NAME_KEY_MAX = 768 };

/* NULL, or a constant text for the client that names the fault. */
const char *name_fault(struct span name);
/*
 * Appends the name with its case folded: names with the same key are the same
 * name. False: the name breaks a rule, and *ret_detail says which.
 */
bool name_key(struct span name, struct buf *ret_key, const char **ret_detail);
/* Unicode property White_Space (PropList.txt). */
bool name_is_space(uint32_t point);

#endif
