#include "common/io/unicode.h"

#include "common/io/tests/unicode_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT_MAX = 4096 };

typedef enum status transformation(struct span, struct buf *);

static struct buf result = {.max = TEXT_MAX};

static const char *of(transformation *transform, const char *text)
{
	buf_clear(&result);
	if (transform(span_of(text), &result) != ST_OK)
		fail_msg("refused: %s", text);
	return buf_text(&result);
}

static void assert_becomes(transformation *transform, const char *text,
                           const char *want)
{
	const char *got = of(transform, text);

	if (strcmp(got, want) != 0)
		fail_msg("'%s' becomes '%s', not '%s'", text, got, want);
}

/* --- transformations ------------------------------------------------------ */
static void keys_are_those_of_unicode(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(unicode_keys); i++)
		assert_becomes(unicode_key, unicode_keys[i][0],
		               unicode_keys[i][1]);
}

static void the_key_of_a_key_is_the_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(unicode_keys); i++)
		assert_becomes(unicode_key, unicode_keys[i][1],
		               unicode_keys[i][1]);
}

/* In every place of a text, and in every normal form. */
static void a_text_and_its_normal_form_have_one_key(void **state)
{
	char text[300];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(unicode_keys); i++) {
		CLEANUP(buf_free) struct buf normal = BUF(TEXT_MAX);
		CLEANUP(buf_free) struct buf key = BUF(TEXT_MAX);

		(void)snprintf(
			text, sizeof(text), "x%s%s\u0301", unicode_keys[i][0],
			unicode_keys[ARRAY_LEN(unicode_keys) - 1 - i][0]);
		assert_int_equal(unicode_nfc(span_of(text), &normal), ST_OK);
		assert_int_equal(unicode_key(span_of(text), &key), ST_OK);
		assert_becomes(unicode_key, buf_text(&normal), buf_text(&key));
		assert_becomes(unicode_key, buf_text(&key), buf_text(&key));
	}
}

static void different_names_keep_different_keys(void **state)
{
	static const char *const pairs[][2] = {
		{"Zoe", "Zo\u00eb"},
		{"a", "\u0430"},
		{"\u0131", "i"},
		{"alice", "al1ce"},
		{"a b", "ab"},
		{"\u304c", "\u304b"},
		{"\u30ab", "\u304b"},
		{"o", "\u00f8"},
		{"l", "I"},
		{"x", "x\u0301"},
		{"\U0001F44D", "\U0001F44D\U0001F3FD"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		CLEANUP(buf_free) struct buf one = BUF(TEXT_MAX);

		buf_append(&one, span_of(of(unicode_key, pairs[i][0])));
		if (strcmp(buf_text(&one), of(unicode_key, pairs[i][1])) == 0)
			fail_msg("%s, %s", pairs[i][0], pairs[i][1]);
	}
}

static void a_search_ignores_accents_but_no_letters(void **state)
{
	static const char *const rows[][2] = {
		{"Caf\u00e9", "cafe"},
		{"Cafe\u0301", "cafe"},
		{"\u00c9COLE", "ecole"},
		{"Stra\u00dfe", "strasse"},
		{"\u0141\u00f3d\u017a", "lodz"},
		{"\u00d8rsted \u0110or\u0111e \u0126al \u0166",
	         "orsted dorde hal t"},
		{"\u0130stanbul", "istanbul"},
		{"\u03a3\u038a\u03a3\u03a5\u03a6\u039f\u03a3",
	         "\u03c3\u03b9\u03c3\u03c5\u03c6\u03bf\u03c3"},
		{"\u0401\u0436", "\u0435\u0436"},
		{"\u1ec7", "e"},
		/* voiced kana, nukta, vowels: letters of their own */
		{"\u304c", "\u304b\u3099"},
		{"\u0958", "\u0915\u093c"},
		{"\u0e01\u0e38", "\u0e01\u0e38"},
		{"\u0915\u094d\u0937", "\u0915\u094d\u0937"},
		{"\u0915\u0941", "\u0915\u0941"},
		/* points of Hebrew and Arabic */
		{"\u05e9\u05b8\u05dc\u05d5\u05b9\u05dd",
	         "\u05e9\u05dc\u05d5\u05dd"},
		{"\u0645\u064f\u062d\u064e\u0645\u064e\u0651\u062f",
	         "\u0645\u062d\u0645\u062f"},
		{"\u0301", ""},
		{"\u200b", ""},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_becomes(unicode_search_key, rows[i][0], rows[i][1]);
	/* A syllable begins with its letters. */
	assert_memory_equal(of(unicode_search_key, "\ud55c"), "\u1112\u1161",
	                    6);
}

static void texts_with_one_key_have_one_search_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(unicode_keys); i++) {
		CLEANUP(buf_free) struct buf key = BUF(TEXT_MAX);

		buf_append(&key,
		           span_of(of(unicode_search_key, unicode_keys[i][0])));
		assert_becomes(unicode_search_key, unicode_keys[i][1],
		               buf_text(&key));
	}
}

static void passwords_are_opaque_strings(void **state)
{
	/* RFC 8265 4.3, and spaces (category Zs). */
	static const char *const rows[][2] = {
		{"correct horse battery staple",
	         "correct horse battery staple"},
		{"Correct Horse Battery Staple",
	         "Correct Horse Battery Staple"},
		{"\u03c0\u00df\u00e5", "\u03c0\u00df\u00e5"},
		{"Jack of \u2666s", "Jack of \u2666s"},
		{"foo\u1680bar", "foo bar"},
		{"a\u00a0b\u2003c\u3000d\u202fe\u205ff", "a b c d e f"},
		{"Gru\u0308\u00dfe aus Ko\u0308ln",
	         "Gr\u00fc\u00dfe aus K\u00f6ln"},
		{"  two  ", "  two  "},
		{"\ufb01sh \uff21 \u200b", "\ufb01sh \uff21 \u200b"},
		{"\t\n", "\t\n"},
		{"\u2028", "\u2028"},
		{"\U0001F389", "\U0001F389"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_becomes(unicode_opaque, rows[i][0], rows[i][1]);
}

static void old_keys_only_fold_case(void **state)
{
	static const char *const rows[][2] = {
		{"STRASSE", "strasse"},   {"Stra\u00dfe", "strasse"},
		{"\uff21", "\uff41"},     {"Zoe\u0308", "zoe\u0308"},
		{"Zo\u00cb", "zo\u00eb"}, {"a\u200bB", "a\u200bb"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_becomes(unicode_casefold, rows[i][0], rows[i][1]);
}

static void text_that_is_not_utf8_or_does_not_fit_is_invalid(void **state)
{
	static transformation *const all[] = {
		unicode_nfc,    unicode_key,        unicode_casefold,
		unicode_opaque, unicode_search_key,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		CLEANUP(buf_free) struct buf small = BUF(4);

		assert_int_equal(all[i](SPAN("a\xff"), &small), ST_INVALID);
		buf_clear(&small);
		assert_int_equal(all[i](SPAN("\xed\xa0\x80"), &small),
		                 ST_INVALID);
		buf_clear(&small);
		assert_int_equal(all[i](SPAN("ABCDE"), &small), ST_INVALID);
		buf_clear(&small);
		assert_int_equal(all[i](SPAN(""), &small), ST_OK);
		assert_int_equal(small.len, 0);
	}
}

/* --- contents ------------------------------------------------------------- */
static void a_text_is_known_by_its_contents(void **state)
{
	enum {
		V = UNICODE_VISIBLE,
		N = UNICODE_NOT_WORD,
		I = UNICODE_IGNORABLE | N,
	};
	static const struct {
		const char *text;
		unsigned contents;
	} rows[] = {
		{"", 0},
		{"a", V},
		{"a1\u00e9", V},
		{"a\u0301", V},
		{"\u0301", N},
		{"-", V | N},
		{"a b", V | N | UNICODE_SPACE},
		{"\u3000", N | UNICODE_SPACE},
		{"\n", N | UNICODE_CONTROL | UNICODE_SPACE},
		{"\x7f", N | UNICODE_CONTROL},
		{"\u2028", N | UNICODE_CONTROL | UNICODE_SPACE},
		{"\ufff9", N | UNICODE_CONTROL},
		{"\u202e", N | UNICODE_BIDI_CONTROL},
		{"\u061c", N | UNICODE_BIDI_CONTROL},
		{"\u2066", N | UNICODE_BIDI_CONTROL},
		{"\u0378", N | UNICODE_UNASSIGNED},
		{"\uffff", N | UNICODE_UNASSIGNED},
		{"\ufdd0", N | UNICODE_UNASSIGNED},
		{"\ue000", N | UNICODE_PRIVATE},
		{"\U0010FFFD", N | UNICODE_PRIVATE},
		{"\u00ad", I},
		{"\u200b", I},
		{"\u3164", I},
		{"\ufeff", I},
		{"\u2800", N},
		{"\U0001D159", N},
		{"\u00bd", V | N},
		{"\u2163", V | N},
		/* joiners between letters that join */
		{"\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", V},
		{"\u0645\u06cc\u200d\u062e", V},
		{"\u0628\u064e\u200c\u0628", V},
		{"\u0915\u094d\u200d\u0937", V},
		{"\u0915\u094d\u200c\u0937", V},
		{"\u0dc1\u0dca\u200d\u0dbb\u0dd3", V},
		{"\u09b0\u200d\u09cd\u09af", V},
		/* … and elsewhere */
		{"a\u200cb", V | I},
		{"a\u200db", V | I},
		{"\u200da", V | I},
		{"a\u200d", V | I},
		{"\u0628\u200c", V | I},
		{"\u200c\u0628", V | I},
		{"\u0627\u200c\u0628", V | I}, /* does not join to the left */
		{"\u0628\u200c-", V | I},
		{"\u0628\u200ca", V | I},
		{"\u0628\u200c\u200c\u0628", V | I},
		{"\u0915\u094d\u200d", V | I},
		{"\u0915\u200d\u0937", V | I},
		/* emoji sequences, and their parts elsewhere */
		{"\U0001F469\u200d\U0001F4BB", V | N},
		{"\u2764\ufe0f", V | N},
		{"1\ufe0f\u20e3", V | N},
		{"\U0001F3F4\U000E0067\U000E0062\U000E007F", V | N},
		{"a\ufe0f", V | I},
		{"\ufe0f", I},
		{"\U0001F44D\u200d", V | I},
		{"\u200d\U0001F44D", V | I},
		{"\U0001F44D\ufe0f\ufe0f", V | I},
		{"\U0001F44Da\ufe0f", V | I},
		{"a\U000E0067\U000E007F", V | I},
		{"\U0001F3F4\U000E0067", V | I},
		{"\u4e00\U000E0100", V | I},
		{"\u1820\u180b", V | I},
		/* an emoji of the future */
		{"\U0001FAFF", V | N | UNICODE_UNASSIGNED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned contents = unicode_contents(span_of(rows[i].text));

		if (contents != rows[i].contents)
			fail_msg("row %zu: '%s': %u, not %u", i, rows[i].text,
			         contents, rows[i].contents);
	}
}

static void clusters_are_what_people_see_as_one(void **state)
{
	static const struct {
		const char *text;
		bool one;
	} rows[] = {
		{"", false},
		{"a", true},
		{"ab", false},
		{"e\u0301", true},
		{"e\u0301\u0323\u0300", true},
		{"\r\n", true},
		{"\ud55c", true},
		{"\u1112\u1161\u11ab", true},
		{"\u0e01\u0e33", true},
		{"\U0001F44D", true},
		{"\U0001F44D\U0001F3FD", true},
		{"\U0001F44D\U0001F44D", false},
		{"\u2764\ufe0f", true},
		{"1\ufe0f\u20e3", true},
		{"\U0001F1E9\U0001F1EA", true},
		{"\U0001F1E9\U0001F1EA\U0001F1EB\U0001F1F7", false},
		{"\U0001F468\U0001F3FB\u200d\u2764\ufe0f\u200d\U0001F48B\u200d"
	         "\U0001F468\U0001F3FF",
	         true},
		{"\U0001F469\u200d\U0001F469\u200d\U0001F467\u200d\U0001F466",
	         true},
		{"\U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067"
	         "\U000E007F",
	         true},
		{"+1", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (unicode_is_one_cluster(span_of(rows[i].text)) !=
		    rows[i].one)
			fail_msg("row %zu: '%s'", i, rows[i].text);
	}
}

static void spaces_are_those_of_unicode(void **state)
{
	static const uint32_t spaces[] = {
		0x09,   0x0a,   0x0b,   0x0c,   0x0d,   0x20,   0x85,   0xa0,
		0x1680, 0x2000, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000,
	};
	static const uint32_t others[] = {0,      'a',    0x200b,
	                                  0x180e, 0xfeff, 0x2800};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(spaces); i++)
		assert_true(unicode_is_space(spaces[i]));
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_false(unicode_is_space(others[i]));
}

static int stop(void **state)
{
	(void)state;
	buf_free(&result);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_those_of_unicode),
		cmocka_unit_test(the_key_of_a_key_is_the_key),
		cmocka_unit_test(a_text_and_its_normal_form_have_one_key),
		cmocka_unit_test(different_names_keep_different_keys),
		cmocka_unit_test(a_search_ignores_accents_but_no_letters),
		cmocka_unit_test(texts_with_one_key_have_one_search_key),
		cmocka_unit_test(passwords_are_opaque_strings),
		cmocka_unit_test(old_keys_only_fold_case),
		cmocka_unit_test(
			text_that_is_not_utf8_or_does_not_fit_is_invalid),
		cmocka_unit_test(a_text_is_known_by_its_contents),
		cmocka_unit_test(clusters_are_what_people_see_as_one),
		cmocka_unit_test(spaces_are_those_of_unicode),
	};

	return cmocka_run_group_tests(tests, NULL, stop);
}
