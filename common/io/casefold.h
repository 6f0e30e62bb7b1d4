/*
 * casefold - full default case folding of Unicode text (Unicode 3.13, R4:
 * toCasefold), without normalisation and without regard to any locale.
 */
#ifndef PARLEY_IO_CASEFOLD_H
#define PARLEY_IO_CASEFOLD_H

#include "common/base/buf.h"
#include "common/base/span.h"
#include "common/base/status.h"

/* One code point becomes at most three. */
enum { CASEFOLD_GROWTH = 3 };

/* Appends; ST_INVALID when `text` is not UTF-8 or the result doesn't fit. */
MUST_CHECK enum status casefold(struct span text, struct buf *ret_folded);

#endif
