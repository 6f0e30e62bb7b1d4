#include "common/wire/reaction.h"

#include "common/base/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SKIN_TONES_KISS \
	"\U0001F468\U0001F3FB\u200d\u2764\ufe0f\u200d\U0001F48B\u200d" \
	"\U0001F468\U0001F3FF"
#define ENGLAND \
	"\U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067" \
	"\U000E007F"
#define WORD_64 \
	"0123456789abcdef0123456789abcdef0123456789ABCDEF0123456789ABCDEF"
#define MARKS_8 "\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308"

enum { NEITHER, REMOVED_ONLY, FITS };

static const struct {
	const char *text;
	int how;
} rows[] = {
	/* one grapheme cluster */
	{"\U0001F44D", FITS},
	{"\u2764\ufe0f", FITS},
	{"\u2764", FITS},
	{"\U0001F44D\U0001F3FD", FITS},
	{SKIN_TONES_KISS, FITS}, /* 35 bytes */
	{ENGLAND, FITS},
	{"\U0001F469\u200d\U0001F469\u200d\U0001F467\u200d\U0001F466", FITS},
	{"\U0001F1E9\U0001F1EA", FITS},
	{"1\ufe0f\u20e3", FITS},
	{"\U0001FAFF", FITS}, /* an emoji of a newer Unicode */
	{"+", FITS},
	{"!", FITS},
	{"\"", FITS},
	{"\u00bd", FITS},
	{"\u2026", FITS},
	{"e\u0301", FITS},
	{"\u0915\u094d\u0937\u093f", FITS},
	{"\uf8ff", FITS},
	{"!" MARKS_8 MARKS_8 MARKS_8 "\u0301\u0302\u0303\u0304\u0305\u0306"
         "\u0307",
         FITS}, /* 63 bytes */
	/* letters and digits */
	{"a", FITS},
	{"ok", FITS},
	{"100", FITS},
	{"r20", FITS},
	{"\u0434\u0430", FITS},
	{"\u00e9t\u00e9", FITS},
	{"e\u0301te\u0301", FITS},
	{"\u0939\u093e\u0901", FITS},
	{"\u0645\u06cc\u200c\u062e\u0648\u0627\u0645", FITS},
	{"\u4f60\u597d", FITS},
	{WORD_64, FITS},
	/* several clusters that are no word */
	{"+1", REMOVED_ONLY},
	{":thumbsup:", REMOVED_ONLY},
	{"thumbs_up", REMOVED_ONLY},
	{"\U0001F44D\U0001F44D", REMOVED_ONLY},
	{"\U0001F44Da", REMOVED_ONLY},
	{"a\U0001F44D", REMOVED_ONLY},
	{"\U0001F1E9\U0001F1EA\U0001F1EB\U0001F1F7", REMOVED_ONLY},
	{"\u00bd\u00bd", REMOVED_ONLY},
	/* nothing to be seen, or something hidden */
	{"\u00a0", REMOVED_ONLY},
	{"\u3000", REMOVED_ONLY},
	{"a\u00a0b", REMOVED_ONLY},
	{"\u200b", REMOVED_ONLY},
	{"\u3164", REMOVED_ONLY},
	{"\u2800", REMOVED_ONLY},
	{"\u0301", REMOVED_ONLY},
	{"\ufe0f", REMOVED_ONLY},
	{"\u202e", REMOVED_ONLY},
	{"a\u202e", REMOVED_ONLY},
	{"a\ufe0f", REMOVED_ONLY},
	{"a\u200d", REMOVED_ONLY},
	{"\U0001F44D\u200d", REMOVED_ONLY},
	{"\U0001F44D\U000E0067", REMOVED_ONLY},
	{"\u2028", REMOVED_ONLY},
	/* no reaction at any time */
	{"", NEITHER},
	{" ", NEITHER},
	{"a b", NEITHER},
	{"a\n", NEITHER},
	{"\r\n", NEITHER},
	{"\x01", NEITHER},
	{"\x7f", NEITHER},
	{"\xc2\x80", NEITHER},
	{"x\xc2\x9f", NEITHER},
	{WORD_64 "x", NEITHER},
	{"e" MARKS_8 MARKS_8 MARKS_8 MARKS_8, NEITHER}, /* 65 bytes */
	{"\xff", NEITHER},
	{"\xf0\x9f\x91", NEITHER},
};

static void a_reaction_is_one_character_or_a_word(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (reaction_fits(span_of(rows[i].text)) !=
		    (rows[i].how == FITS))
			fail_msg("row %zu: '%s'", i, rows[i].text);
	}
}

static void what_was_a_reaction_once_can_be_removed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (reaction_is_stored(span_of(rows[i].text)) !=
		    (rows[i].how != NEITHER))
			fail_msg("row %zu: '%s'", i, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reaction_is_one_character_or_a_word),
		cmocka_unit_test(what_was_a_reaction_once_can_be_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
