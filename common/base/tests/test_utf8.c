#include "common/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
	struct span text;
	bool valid;
} texts[] = {
	{{"", 0}, true},
	{{"plain ascii, longer than eight bytes", 36}, true},
	{{"\0", 1}, true},
	{{"\x7f", 1}, true},
	{{"\xc2\x80", 2}, true},         /* U+0080, the first of two bytes */
	{{"\xdf\xbf", 2}, true},         /* U+07FF */
	{{"\xe0\xa0\x80", 3}, true},     /* U+0800 */
	{{"\xed\x9f\xbf", 3}, true},     /* U+D7FF, before the surrogates */
	{{"\xee\x80\x80", 3}, true},     /* U+E000, behind them */
	{{"\xef\xbf\xbf", 3}, true},     /* U+FFFF */
	{{"\xf0\x90\x80\x80", 4}, true}, /* U+10000 */
	{{"\xf4\x8f\xbf\xbf", 4}, true}, /* U+10FFFF, the last */
	{{"\x80", 1}, false},            /* a lone continuation */
	{{"\xbf", 1}, false},
	{{"\xc0\x80", 2}, false}, /* overlong */
	{{"\xc1\xbf", 2}, false},
	{{"\xe0\x80\x80", 3}, false},
	{{"\xe0\x9f\xbf", 3}, false},
	{{"\xf0\x80\x80\x80", 4}, false},
	{{"\xf0\x8f\xbf\xbf", 4}, false},
	{{"\xed\xa0\x80", 3}, false}, /* surrogates */
	{{"\xed\xbf\xbf", 3}, false},
	{{"\xed\xa0\xbd\xed\xb8\x80", 6}, false},
	{{"\xf4\x90\x80\x80", 4}, false}, /* beyond the last */
	{{"\xf5\x80\x80\x80", 4}, false},
	{{"\xff", 1}, false},
	{{"\xfe", 1}, false},
	{{"\xf8\x88\x80\x80\x80", 5}, false},
	{{"\xc2", 1}, false}, /* cut off */
	{{"\xe2\x82", 2}, false},
	{{"\xf0\x9f\x8e", 3}, false},
	{{"\xc2z", 2}, false}, /* a letter where one must follow */
	{{"\xe2\x82z", 3}, false},
	{{"12345678\xff", 9}, false}, /* behind the fast path */
	{{"12345678\xc3\xa9", 10}, true},
	{{"1234567\xc3\xa9"
          "12345678",
          17},
         true},
};

enum { COUNT = sizeof(texts) / sizeof(*texts) };

static void well_formed_text_is_recognised(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT; i++)
		assert_int_equal(utf8_valid(texts[i].text), texts[i].valid);
}

static bool fed_in_two(struct span text, size_t cut)
{
	struct utf8 utf8 = {0};

	return utf8_feed(&utf8, span_make(text.data, cut)) &&
	       utf8_feed(&utf8, span_make(text.data + cut, text.len - cut)) &&
	       utf8_complete(&utf8);
}

static void the_verdict_does_not_depend_on_where_it_is_split(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT; i++)
		for (size_t cut = 0; cut <= texts[i].text.len; cut++)
			assert_int_equal(fed_in_two(texts[i].text, cut),
			                 texts[i].valid);
}

static void a_wrong_byte_is_noticed_at_once(void **state)
{
	struct utf8 utf8 = {0};

	(void)state;
	assert_true(utf8_feed(&utf8, SPAN("\xf4")));
	assert_false(utf8_complete(&utf8));
	assert_false(utf8_feed(&utf8, SPAN("\x90")));
}

static void all_two_byte_sequences_are_judged_right(void **state)
{
	(void)state;
	for (unsigned a = 0; a < 256; a++)
		for (unsigned b = 0; b < 256; b++) {
			char pair[2] = {(char)a, (char)b};
			bool right = (a < 0x80 && b < 0x80) ||
			             (a >= 0xc2 && a <= 0xdf && b >= 0x80 &&
			              b <= 0xbf);

			assert_int_equal(utf8_valid(span_make(pair, 2)), right);
		}
}

static void code_points_come_out_one_by_one(void **state)
{
	struct span text = SPAN("aë€🎉\xf4\x8f\xbf\xbf");
	static const uint32_t points[] = {'a', 0xeb, 0x20ac, 0x1f389, 0x10ffff};
	size_t at = 0;

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(utf8_next(text, &at), points[i]);
	assert_int_equal(at, text.len);
}

static void code_points_are_counted_not_bytes(void **state)
{
	(void)state;
	assert_int_equal(utf8_count(SPAN("")), 0);
	assert_int_equal(utf8_count(SPAN("abc")), 3);
	assert_int_equal(utf8_count(SPAN("Zoë")), 3);
	assert_int_equal(utf8_count(SPAN("🎉🎉")), 2);
	assert_int_equal(utf8_count(SPAN("e\xcc\x81")), 2); /* combining */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(well_formed_text_is_recognised),
		cmocka_unit_test(
			the_verdict_does_not_depend_on_where_it_is_split),
		cmocka_unit_test(a_wrong_byte_is_noticed_at_once),
		cmocka_unit_test(all_two_byte_sequences_are_judged_right),
		cmocka_unit_test(code_points_come_out_one_by_one),
		cmocka_unit_test(code_points_are_counted_not_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
