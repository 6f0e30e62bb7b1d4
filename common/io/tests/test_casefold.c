#include "common/io/casefold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool same(const char *a, const char *b)
{
	CLEANUP(buf_free) struct buf one = BUF(1000), two = BUF(1000);

	assert_int_equal(casefold(span_of(a), &one), ST_OK);
	assert_int_equal(casefold(span_of(b), &two), ST_OK);
	return span_equal(buf_span(&one), buf_span(&two));
}

static void case_is_folded_in_every_alphabet(void **state)
{
	static const char *const pairs[][2] = {
		{"Alice", "aLICE"},   {"ÜNAL", "ünal"},
		{"ИВАН", "иван"},     {"ΟΔΥΣΣΕΥΣ", "οδυσσευς"},
		{"ԱՐԱՄ", "արամ"},     {"STRASSE", "straße"},
		{"ᏣᎳᎩ", "ꮳꮃꭹ"}, {"𐐀", "𐐨"},
		{"ﬁn", "FIN"},        {"K", "k"},
		{"ᲐᲑ", "აბ"},     {"Å", "å"},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(pairs); i++) {
		if (!same(pairs[i][0], pairs[i][1]))
			fail_msg("%s and %s differ", pairs[i][0], pairs[i][1]);
	}
}

static void nothing_else_is_folded(void **state)
{
	static const char *const pairs[][2] = {
		{"Zoe", "Zoë"},     {"Zo\xc3\xab", "Zoe\xcc\x88"},
		{"a", "а"},         {"ı", "i"},
		{"alice", "al1ce"}, {"ａ", "a"},
		{"ﬁn", "fın"},      {"a b", "ab"},
		{"が", "か"},       {"カ", "か"},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(pairs); i++) {
		if (same(pairs[i][0], pairs[i][1]))
			fail_msg("%s and %s are one", pairs[i][0], pairs[i][1]);
	}
}

static void folding_twice_changes_nothing(void **state)
{
	static const char *const texts[] = {"İstanbul", "ΐΰ", "ẞ", "ŉ", "🙂"};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
		CLEANUP(buf_free) struct buf once = BUF(100), twice = BUF(100);

		assert_int_equal(casefold(span_of(texts[i]), &once), ST_OK);
		assert_int_equal(casefold(buf_span(&once), &twice), ST_OK);
		assert_true(span_equal(buf_span(&once), buf_span(&twice)));
	}
}

static void text_that_is_not_utf8_or_does_not_fit_is_invalid(void **state)
{
	CLEANUP(buf_free) struct buf folded = BUF(4);

	(void)state;
	assert_int_equal(casefold(SPAN("a\xff"), &folded), ST_INVALID);
	assert_int_equal(casefold(SPAN("ABCDE"), &folded), ST_INVALID);
	buf_clear(&folded);
	assert_int_equal(casefold(SPAN(""), &folded), ST_OK);
	assert_int_equal(folded.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(case_is_folded_in_every_alphabet),
		cmocka_unit_test(nothing_else_is_folded),
		cmocka_unit_test(folding_twice_changes_nothing),
		cmocka_unit_test(
			text_that_is_not_utf8_or_does_not_fit_is_invalid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
