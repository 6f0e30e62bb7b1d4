/*
 * unicode - normal forms, keys of names, and what text contains, through
 * libunistring. The tables are those of the library: Unicode 14 on Debian 12,
 * 16 on Debian 13.
 *
 * Errors     ST_INVALID: the text is not UTF-8, or the result does not fit.
 *            Functions that write append to a buffer.
 */
#ifndef PARLEY_IO_UNICODE_H
#define PARLEY_IO_UNICODE_H

#include "common/base/buf.h"
#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Normalization Form C (UAX #15). */
MUST_CHECK enum status unicode_nfc(struct span text, struct buf *ret_text);
/*
 * NFKC_Casefold (UAX #44), repeated until it changes nothing: without case,
 * compatibility variants and characters that are ignored by default. May be
 * empty.
 */
MUST_CHECK enum status unicode_key(struct span text, struct buf *ret_key);
/* The key in Normalization Form D without accents: for searches. */
MUST_CHECK enum status unicode_search_key(struct span text,
                                          struct buf *ret_key);
/* Full default case folding (Unicode 3.13, R4), without normalisation. */
MUST_CHECK enum status unicode_casefold(struct span text,
                                        struct buf *ret_folded);
/*
 * OpaqueString of RFC 8265: Normalization Form C, with U+0020 instead of other
 * spaces.
 */
MUST_CHECK enum status unicode_opaque(struct span text, struct buf *ret_text);

/* --- what a text contains, as a set of bits ------------------------------ */
enum unicode_content {
	UNICODE_CONTROL = 1,      /* Cc, Zl, Zp, annotation characters */
	UNICODE_BIDI_CONTROL = 2, /* property Bidi_Control */
	UNICODE_UNASSIGNED = 4,   /* Cn: also noncharacters */
	UNICODE_PRIVATE = 8,      /* Co */
	/*
	 * Default_Ignorable_Code_Point, except ZWJ and ZWNJ between letters
	 * that join, and ZWJ, variation selectors and tags in an emoji
	 * sequence.
	 */
	UNICODE_IGNORABLE = 16,
	UNICODE_SPACE = 32,   /* property White_Space */
	UNICODE_VISIBLE = 64, /* a character with a glyph of its own */
	/* Something other than letters, their marks and joiners, and digits. */
	UNICODE_NOT_WORD = 128,
};

/* Of at most UNICODE_POINTS_MAX code points of valid UTF-8. */
enum { UNICODE_POINTS_MAX = 256 };
unsigned unicode_contents(struct span text);
/* One extended grapheme cluster (UAX #29). */
bool unicode_is_one_cluster(struct span text);
/* Property White_Space. */
bool unicode_is_space(uint32_t point);

#endif
