#include "common/wire/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool is_name(const char *name)
{
	CLEANUP(buf_free) struct buf key = BUF(NAME_KEY_MAX);
	const char *detail = NULL;
	bool fit = name_key(span_of(name), &key, &detail);

	assert_true(fit == (detail == NULL));
	assert_true(fit == (name_fault(span_of(name)) == NULL));
	assert_false(fit && key.len == 0);
	return fit;
}

static void names_have_1_to_64_code_points(void **state)
{
	char name[65 * 4 + 1] = "";

	(void)state;
	assert_false(is_name(""));
	for (unsigned i = 1; i <= 65; i++) {
		memcpy(name + (size_t)(i - 1) * 4, "\xf0\x9f\x99\x82", 5);
		assert_true(is_name(name) == (i <= 64));
	}
	/* The letter whose folding grows most. */
	for (unsigned i = 0; i < 64; i++)
		memcpy(name + (size_t)i * 2, "\xce\x90", 3);
	assert_true(is_name(name));
}

static void names_have_no_controls_and_no_space_at_an_end(void **state)
{
	static const char *const good[] = {
		"a",    "a b",     "a\u00a0b",
		"🙂", "\u200bx", "-",
		"0",    "\u0301a", "'; DROP TABLE users; --",
		"<b>",  "\\",
	};
	static const char *const bad[] = {
		" ",
		" a",
		"a ",
		"\ta",
		"a\n",
		"a\tb",
		"a\x01",
		"a\x7f"
		"b",
		"a\xc2\x85"
		"b",
		"a\xc2\x9f"
		"b",
		"\xc2\x80",
		"\u00a0a",
		"a\u00a0",
		"a\u2003",
		"\u3000a",
		"\u1680a",
		"a\u2028",
		"\u202fa",
		"a\u205f",
		"\xff",
		"\xc0\xaf",
		"\xed\xa0\x80",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		if (!is_name(good[i]))
			fail_msg("refused: %s", good[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (is_name(bad[i]))
			fail_msg("taken: '%s' (%zu)", bad[i], i);
	}
}

static void names_that_differ_in_case_have_one_key(void **state)
{
	CLEANUP(buf_free) struct buf a = BUF(NAME_KEY_MAX);
	CLEANUP(buf_free) struct buf b = BUF(NAME_KEY_MAX);
	const char *detail;

	(void)state;
	assert_true(name_key(SPAN("Stra\u00dfe"), &a, &detail));
	assert_true(name_key(SPAN("STRASSE"), &b, &detail));
	assert_true(span_equal(buf_span(&a), buf_span(&b)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_have_1_to_64_code_points),
		cmocka_unit_test(names_have_no_controls_and_no_space_at_an_end),
		cmocka_unit_test(names_that_differ_in_case_have_one_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
