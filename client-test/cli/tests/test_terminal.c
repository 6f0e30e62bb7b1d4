#include "client-test/cli/terminal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_shown(const char *text, const char *shown)
{
	struct buf out CLEANUP(buf_free) = BUF(1024);

	terminal_text(&out, span_of(text), 2);
	assert_string_equal(buf_text(&out), shown);
}

static void letters_of_all_alphabets_are_shown(void **state)
{
	(void)state;
	assert_shown("Zo\u00eb \u65e5\u672c \U0001f44b",
	             "Zo\u00eb \u65e5\u672c \U0001f44b");
}

static void no_text_reaches_the_terminal_as_a_command(void **state)
{
	(void)state;
	assert_shown("\x1b[2J", "\ufffd[2J");
	assert_shown("a\rb\x7f", "a\ufffdb\ufffd");
	assert_shown("\xc2\x9b"
	             "2J",
	             "\ufffd"
	             "2J");
}

static void continued_lines_are_indented(void **state)
{
	(void)state;
	assert_shown("a\nb\tc", "a\n  b c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters_of_all_alphabets_are_shown),
		cmocka_unit_test(no_text_reaches_the_terminal_as_a_command),
		cmocka_unit_test(continued_lines_are_indented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
