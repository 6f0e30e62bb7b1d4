#include "client-test/chat/typed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_typed(const char *line, enum typed_kind kind, uint64_t seq,
                         const char *text)
{
	struct typed typed;

	assert_null(typed_read(span_of(line), &typed));
	assert_int_equal(typed.kind, kind);
	assert_int_equal(typed.seq, seq);
	assert_true(span_equal(typed.text, span_of(text)));
}

static void assert_refused(const char *line)
{
	struct typed typed;

	assert_non_null(typed_read(span_of(line), &typed));
}

static void a_line_is_a_text(void **state)
{
	(void)state;
	assert_typed("hi there", TYPED_TEXT, 0, "hi there");
	assert_typed(" hi ", TYPED_TEXT, 0, " hi ");
	assert_typed("", TYPED_NOTHING, 0, "");
}

static void two_slashes_are_a_text_with_one(void **state)
{
	(void)state;
	assert_typed("//etc", TYPED_TEXT, 0, "/etc");
}

static void a_command_has_its_number_and_text(void **state)
{
	(void)state;
	assert_typed("/reply 42 hi  there", TYPED_REPLY, 42, "hi  there");
	assert_typed("/edit  #42  hi", TYPED_EDIT, 42, "hi");
	assert_typed("/delete 42 ", TYPED_DELETE, 42, "");
	assert_typed("/react 7 👍", TYPED_REACT, 7, "👍");
	assert_typed("/unreact 7 👍", TYPED_UNREACT, 7, "👍");
	assert_typed("/who", TYPED_WHO, 0, "");
	assert_typed("/quit ", TYPED_QUIT, 0, "");
}

static void what_is_missing_or_too_much_is_said(void **state)
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
		cmocka_unit_test(what_is_missing_or_too_much_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
