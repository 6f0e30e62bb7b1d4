#include "common/base/span.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define assert_span(span, text) assert_true(span_equal(span, span_of(text)))

static void empty_spans_are_equal_whatever_they_point_to(void **state)
{
	(void)state;
	assert_true(span_equal(SPAN_NONE, SPAN("")));
	assert_true(span_equal(span_of(NULL), span_make("abc", 0)));
	assert_false(span_equal(SPAN_NONE, SPAN("a")));
}

static void equality_looks_at_every_byte(void **state)
{
	(void)state;
	assert_true(span_equal(span_make("a\0b", 3), span_make("a\0b", 3)));
	assert_false(span_equal(span_make("a\0b", 3), span_make("a\0c", 3)));
	assert_false(span_equal(SPAN("abc"), SPAN("ab")));
	assert_false(span_equal(SPAN("abc"), SPAN("Abc")));
}

static void case_is_ignored_where_asked(void **state)
{
	(void)state;
	assert_true(span_equal_nocase(SPAN("Bearer"), SPAN("bEARER")));
	assert_false(span_equal_nocase(SPAN("Bearer"), SPAN("Bearer ")));
	assert_false(span_equal_nocase(SPAN("a["), SPAN("a{")));
	assert_true(span_equal_nocase(SPAN_NONE, SPAN("")));
}

static void a_start_is_found(void **state)
{
	(void)state;
	assert_true(span_starts(SPAN("bearer.x"), SPAN("bearer.")));
	assert_true(span_starts(SPAN("x"), SPAN("")));
	assert_true(span_starts(SPAN_NONE, SPAN("")));
	assert_false(span_starts(SPAN("bear"), SPAN("bearer.")));
}

static void blanks_are_trimmed_at_both_ends_only(void **state)
{
	(void)state;
	assert_span(span_trim(SPAN(" \t a b\t ")), "a b");
	assert_span(span_trim(SPAN("a")), "a");
	assert_span(span_trim(SPAN(" \t ")), "");
	assert_span(span_trim(SPAN("\na\n")), "\na\n");
	assert_int_equal(span_trim(SPAN_NONE).len, 0);
}

static void a_cut_gives_the_parts_one_by_one(void **state)
{
	struct span rest = SPAN("17,,23");

	(void)state;
	assert_span(span_cut(rest, ',', &rest), "17");
	assert_span(span_cut(rest, ',', &rest), "");
	assert_span(span_cut(rest, ',', &rest), "23");
	assert_int_equal(rest.len, 0);
	assert_span(span_cut(rest, ',', &rest), "");
	assert_span(span_cut(SPAN_NONE, ',', &rest), "");
}

static void whole_numbers_are_read(void **state)
{
	uint64_t number = 1;

	(void)state;
	assert_true(span_to_u64(SPAN("0"), 10, &number));
	assert_int_equal(number, 0);
	assert_true(span_to_u64(SPAN("10"), 10, &number));
	assert_int_equal(number, 10);
	assert_true(
		span_to_u64(SPAN("18446744073709551615"), UINT64_MAX, &number));
	assert_true(number == UINT64_MAX);
}

static void text_that_is_no_whole_number_is_refused(void **state)
{
	static const char *const texts[] = {
		"",   "-1", "+1",  " 1",  "1 ",  "1.0", "0x1",
		"00", "01", "1e3", "one", "1,0", "\t1", "99999999999999999999",
	};
	uint64_t number = 77;

	(void)state;
	for (unsigned i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_false(
			span_to_u64(span_of(texts[i]), UINT64_MAX, &number));
	assert_false(
		span_to_u64(SPAN("18446744073709551616"), UINT64_MAX, &number));
	assert_false(span_to_u64(span_make("1\0", 2), UINT64_MAX, &number));
	assert_int_equal(number, 77);
}

static void a_number_over_the_maximum_is_refused(void **state)
{
	static const uint64_t maxima[] = {0, 5, 9, 10, 65535, UINT64_MAX / 2};
	uint64_t number;

	(void)state;
	for (unsigned i = 0; i < sizeof(maxima) / sizeof(*maxima); i++) {
		char text[24];
		struct span span = {text, 0};

		for (uint64_t at = maxima[i]; at || !span.len; at /= 10)
			text[sizeof(text) - ++span.len] = (char)('0' + at % 10);
		span.data = text + sizeof(text) - span.len;
		assert_true(span_to_u64(span, maxima[i], &number));
		assert_int_equal(number, maxima[i]);
		if (maxima[i])
			assert_false(span_to_u64(span, maxima[i] - 1, &number));
	}
	assert_false(span_to_u64(SPAN("1"), 0, &number));
	assert_false(span_to_u64(SPAN("6"), 5, &number));
	assert_false(span_to_u64(SPAN("9"), 5, &number));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_spans_are_equal_whatever_they_point_to),
		cmocka_unit_test(equality_looks_at_every_byte),
		cmocka_unit_test(case_is_ignored_where_asked),
		cmocka_unit_test(a_start_is_found),
		cmocka_unit_test(blanks_are_trimmed_at_both_ends_only),
		cmocka_unit_test(a_cut_gives_the_parts_one_by_one),
		cmocka_unit_test(whole_numbers_are_read),
		cmocka_unit_test(text_that_is_no_whole_number_is_refused),
		cmocka_unit_test(a_number_over_the_maximum_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
