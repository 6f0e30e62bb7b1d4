/*
 * casefold - full default case folding of Unicode text (Unicode 3.13, R4:
 * toCasefold), without normalisation and independent of the locale.
 */
#ifndef PARLEY_IO_CASEFOLD_H
#define PARLEY_IO_CASEFOLD_H

#include "common/base/buf.h"
#include "common/base/span.h"
#include "common/base/status.h"

/*
 * Appends; one code point folds to at most three. ST_INVALID: `text` is not
 * UTF-8, or the result does not fit.
 */
MUST_CHECK enum status casefold(struct span text, struct buf *ret_folded);

#endif
