#include "common/base/cookie.h"
#include "common/base/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define NAME "__Secure-t"

struct row {
	const char *why;
	struct span header;
	unsigned count;
	const char *value; /* of the first one */
};

#define ROW(why, header, count, value) \
	{ \
		why, {header, sizeof(header) - 1}, count, value \
	}

static const struct row rows[] = {
	/* What browsers send. */
	ROW("alone", "__Secure-t=abc", 1, "abc"),
	ROW("among others", "a=1; __Secure-t=abc; b=2", 1, "abc"),
	ROW("first and last", "__Secure-t=abc; a=1", 1, "abc"),
	ROW("base64 with padding", "__Secure-t=YWI=", 1, "YWI="),
	ROW("an empty value", "__Secure-t=", 1, ""),
	ROW("another one only", "a=1", 0, NULL),
	ROW("twice", "__Secure-t=a; __Secure-t=b", 2, "a"),
	ROW("twice the same", "__Secure-t=a;__Secure-t=a", 2, "a"),
	ROW("three times, apart", "__Secure-t=a; b=1; __Secure-t=; __Secure-t",
            2, "a"),

	/* Names that others may take for it. */
	ROW("in small letters", "__secure-t=abc", 0, NULL),
	ROW("without the prefix", "t=abc", 0, NULL),
	ROW("a longer name", "__Secure-tt=abc", 0, NULL),
	ROW("a shorter name", "__Secure-=abc", 0, NULL),
	ROW("a letter before", "x__Secure-t=abc", 0, NULL),
	ROW("an underscore more", "___Secure-t=abc", 0, NULL),
	ROW("escaped", "__Secure%2dt=abc", 0, NULL),
	ROW("quoted", "\"__Secure-t\"=abc", 0, NULL),
	ROW("a space of Unicode before", "\xe2\x80\x80__Secure-t=abc", 0, NULL),
	ROW("a no-break space before", "\xc2\xa0__Secure-t=abc", 0, NULL),
	ROW("a form feed before", "\f__Secure-t=abc", 0, NULL),
	ROW("a vertical tab after", "__Secure-t\v=abc", 0, NULL),
	ROW("a NUL after", "__Secure-t\0=abc", 0, NULL),
	ROW("in a value", "a=__Secure-t=abc", 0, NULL),
	ROW("after a comma", "a=1, __Secure-t=abc", 0, NULL),
	ROW("in a quoted value", "a=\"x\\\"; __Secure-t=abc\"", 1, "abc\""),
	ROW("an attribute of RFC 2965", "$Version=1; $Path=/; a=1", 0, NULL),
	ROW("no name", "=abc", 0, NULL),
	ROW("no name, and the name as value", "=__Secure-t=abc", 0, NULL),

	/* Blanks, and what is missing. */
	ROW("blanks around", " \t__Secure-t \t=\t abc \t", 1, "abc"),
	ROW("no blank between", "a=1;__Secure-t=abc;b=2", 1, "abc"),
	ROW("a blank within", "__Secure -t=abc", 0, NULL),
	ROW("a blank within the value", "__Secure-t=a b", 1, "a b"),
	ROW("no equals sign", "__Secure-t", 0, NULL),
	ROW("no equals sign, then one", "__Secure-t; =abc", 0, NULL),
	ROW("nothing", "", 0, NULL),
	ROW("blanks", "  ", 0, NULL),
	ROW("semicolons", ";;;;", 0, NULL),
	ROW("semicolons around", ";; __Secure-t=abc;;", 1, "abc"),
	ROW("an equals sign", "=", 0, NULL),
	ROW("equals signs", "====", 0, NULL),

	/* Values are not read. */
	ROW("a quoted value", "__Secure-t=\"abc\"", 1, "\"abc\""),
	ROW("half a quote", "__Secure-t=\"abc; b=1", 1, "\"abc"),
	ROW("an escape", "__Secure-t=%41", 1, "%41"),
	ROW("bytes of no text", "__Secure-t=\xff\xfe\x80", 1, "\xff\xfe\x80"),
	ROW("a line break", "__Secure-t=a\r\nb", 1, "a\r\nb"),
};

static void cookies_are_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		struct span value = SPAN("untouched");
		unsigned count = cookie_find(row->header, SPAN(NAME), &value);

		if (count != row->count)
			fail_msg("%s: %u", row->why, count);
		if (!span_equal(value,
		                span_of(count ? row->value : "untouched")))
			fail_msg("%s: %.*s", row->why, (int)value.len,
			         value.data);
	}
}

/* As long as a proxy lets one pass, and longer. */
static void a_long_header_is_read_to_its_end(void **state)
{
	enum { LEN = 1024 * 1024 };
	static const char last[] = "; " NAME "=abc";
	char *text = malloc(LEN);
	struct span value;

	(void)state;
	assert_non_null(text);
	memset(text, ';', LEN);
	memset(text, 'a', LEN / 4);
	memset(text + LEN / 2, '=', LEN / 4);
	assert_int_equal(cookie_find(span_make(text, LEN), SPAN(NAME), &value),
	                 0);
	memcpy(text + LEN - (sizeof(last) - 1), last, sizeof(last) - 1);
	assert_int_equal(cookie_find(span_make(text, LEN), SPAN(NAME), &value),
	                 1);
	assert_true(span_equal(value, SPAN("abc")));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cookies_are_told_apart),
		cmocka_unit_test(a_long_header_is_read_to_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
