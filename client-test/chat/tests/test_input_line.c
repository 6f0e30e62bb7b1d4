#include "client-test/chat/input_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_typed(const char *line, enum input_line_kind kind,
                         uint64_t seq, const char *text)
{
	struct input_line input;

	assert_null(input_line_parse(span_of(line), &input));
	assert_int_equal(input.kind, kind);
	assert_int_equal(input.seq, seq);
	assert_true(span_equal(input.text, span_of(text)));
}

static void assert_refused(const char *line)
{
	struct input_line input;

	assert_non_null(input_line_parse(span_of(line), &input));
}

static void a_line_is_a_text(void **state)
{
	(void)state;
	assert_typed("hi there", INPUT_LINE_TEXT, 0, "hi there");
	assert_typed(" hi ", INPUT_LINE_TEXT, 0, " hi ");
	assert_typed("", INPUT_LINE_NOTHING, 0, "");
}

static void two_slashes_are_a_text_with_one(void **state)
{
	(void)state;
	assert_typed("//etc", INPUT_LINE_TEXT, 0, "/etc");
}

static void a_command_has_its_number_and_text(void **state)
{
	(void)state;
	assert_typed("/reply 42 hi  there", INPUT_LINE_REPLY, 42, "hi  there");
	assert_typed("/edit  #42  hi", INPUT_LINE_EDIT, 42, "hi");
	assert_typed("/delete 42 ", INPUT_LINE_DELETE, 42, "");
	assert_typed("/react 7 👍", INPUT_LINE_REACT, 7, "👍");
	assert_typed("/unreact 7 👍", INPUT_LINE_UNREACT, 7, "👍");
	assert_typed("/who", INPUT_LINE_WHO, 0, "");
	assert_typed("/quit ", INPUT_LINE_QUIT, 0, "");
}

static void a_wrong_argument_is_reported(void **state)
{
	(void)state;
	assert_refused("/reply");
	assert_refused("/reply x hi");
	assert_refused("/reply 0 hi");
	assert_refused("/reply 42");
	assert_refused("/delete 42 now");
	assert_refused("/quit now");
	assert_refused("/dance");
	assert_refused("/");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_a_text),
		cmocka_unit_test(two_slashes_are_a_text_with_one),
		cmocka_unit_test(a_command_has_its_number_and_text),
		cmocka_unit_test(a_wrong_argument_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
