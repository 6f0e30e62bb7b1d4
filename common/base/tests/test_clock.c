#include "common/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
	uint64_t unix_ms;
	const char *text;
} moments[] = {
	{0, "1970-01-01T00:00:00.000Z"},
	{1, "1970-01-01T00:00:00.001Z"},
	{951782400000, "2000-02-29T00:00:00.000Z"}, /* a leap day */
	{1709251199999, "2024-02-29T23:59:59.999Z"},
	{1795255200123, "2026-11-21T10:00:00.123Z"},
	{2147483648000, "2038-01-19T03:14:08.000Z"}, /* past 32 bits */
	{253402300799999, "9999-12-31T23:59:59.999Z"},
};

static void a_moment_has_one_text(void **state)
{
	char text[CLOCK_TEXT_LEN + 1];

	(void)state;
	for (unsigned i = 0; i < sizeof(moments) / sizeof(*moments); i++) {
		clock_format(moments[i].unix_ms, text);
		assert_string_equal(text, moments[i].text);
	}
}

static void a_text_is_read_back_as_the_same_moment(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(moments) / sizeof(*moments); i++) {
		uint64_t read = 1;

		assert_true(clock_parse(span_of(moments[i].text), &read));
		assert_int_equal(read, moments[i].unix_ms);
	}
}

static void other_texts_are_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"2026-11-21",
		"2026-11-21T10:00:00Z",
		"2026-11-21T10:00:00.000",
		"2026-11-21T10:00:00.000+00:00",
		"2026-11-21 10:00:00.000Z",
		"2026-11-21t10:00:00.000z",
		"2026-11-21T10:00:00.000Z ",
		" 2026-11-21T10:00:00.000",
		"2026-11-21T10:00:00,000Z",
		"2026-11-21T10:00:00.00aZ",
		"-026-11-21T10:00:00.000Z",
		"2026-02-29T00:00:00.000Z", /* no leap year */
		"2026-02-31T00:00:00.000Z",
		"2026-04-31T00:00:00.000Z",
		"2026-13-01T00:00:00.000Z",
		"2026-00-01T00:00:00.000Z",
		"2026-01-00T00:00:00.000Z",
		"2026-01-01T24:00:00.000Z",
		"2026-01-01T00:60:00.000Z",
		"2026-01-01T00:00:60.000Z",
		"1969-12-31T23:59:59.999Z",
	};
	uint64_t read = 77;

	(void)state;
	for (unsigned i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_false(clock_parse(span_of(texts[i]), &read));
	assert_int_equal(read, 77);
}

static void monotonic_time_never_falls(void **state)
{
	uint64_t last_us = clock_mono_us();

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		uint64_t now_us = clock_mono_us();

		assert_true(now_us >= last_us);
		last_us = now_us;
	}
}

static void milliseconds_and_microseconds_agree(void **state)
{
	uint64_t before_us = clock_mono_us();
	uint64_t ms = clock_mono_ms();
	uint64_t after_us = clock_mono_us();

	(void)state;
	assert_true(ms >= before_us / 1000);
	assert_true(ms <= after_us / 1000);
}

static void unix_time_is_of_this_century(void **state)
{
	uint64_t now;
	char text[CLOCK_TEXT_LEN + 1];

	(void)state;
	clock_format(clock_unix_ms(), text);
	assert_true(clock_parse(span_of(text), &now));
	assert_true(now > 1700000000000 && now < 4102444800000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_moment_has_one_text),
		cmocka_unit_test(a_text_is_read_back_as_the_same_moment),
		cmocka_unit_test(other_texts_are_refused),
		cmocka_unit_test(monotonic_time_never_falls),
		cmocka_unit_test(milliseconds_and_microseconds_agree),
		cmocka_unit_test(unix_time_is_of_this_century),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
