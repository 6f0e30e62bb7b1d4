/* Commands through a pipe that replaces stdin. */
#include "bench/load/stdin_commands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int writer;

static int open_pipe(void **state)
{
	int ends[2];

	(void)state;
	if (pipe(ends) || dup2(ends[0], STDIN_FILENO) < 0)
		return -1;
	writer = ends[1];
	return close(ends[0]);
}

static int close_pipe(void **state)
{
	(void)state;
	return writer < 0 ? 0 : close(writer);
}

static void say(const char *text)
{
	assert_int_equal(write(writer, text, strlen(text)), strlen(text));
}

static void no_line_is_no_command(void **state)
{
	char command[STDIN_COMMAND_MAX];

	(void)state;
	assert_int_equal(stdin_commands_next(command), STDIN_COMMANDS_NONE);
}

static void each_line_is_a_command(void **state)
{
	char command[STDIN_COMMAND_MAX];

	(void)state;
	say("cut\nreport\n");
	assert_int_equal(stdin_commands_next(command), STDIN_COMMANDS_ONE);
	assert_string_equal(command, "cut");
	assert_int_equal(stdin_commands_next(command), STDIN_COMMANDS_ONE);
	assert_string_equal(command, "report");
	assert_int_equal(stdin_commands_next(command), STDIN_COMMANDS_NONE);
}

static void a_long_line_is_truncated(void **state)
{
	char command[STDIN_COMMAND_MAX];

	(void)state;
	for (unsigned i = 0; i < STDIN_COMMAND_MAX; i++)
		say("ab");
	say("\nnext\n");
	assert_int_equal(stdin_commands_next(command), STDIN_COMMANDS_ONE);
	assert_int_equal(strlen(command), STDIN_COMMAND_MAX - 1);
	assert_int_equal(stdin_commands_next(command), STDIN_COMMANDS_ONE);
	assert_string_equal(command, "next");
}

static void the_end_of_stdin_is_reported(void **state)
{
	char command[STDIN_COMMAND_MAX];

	(void)state;
	say("half a line");
	close(writer);
	writer = -1;
	assert_int_equal(stdin_commands_next(command), STDIN_COMMANDS_ENDED);
	assert_int_equal(stdin_commands_next(command), STDIN_COMMANDS_ENDED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_pipe, close_pipe)
	const struct CMUnitTest tests[] = {
		TEST(no_line_is_no_command),
		TEST(each_line_is_a_command),
		TEST(a_long_line_is_truncated),
		TEST(the_end_of_stdin_is_reported),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
