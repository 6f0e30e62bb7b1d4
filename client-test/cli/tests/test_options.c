#include "client-test/cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

struct test_options {
	struct options options;
	const char *url;
	const char *name;
	uint64_t count;
	bool seen;
};

static const struct option_row rows[] = {
	OPTION_TEXT(struct test_options, url, "--url", "URL", "http://preset",
                    "TEST_OPTIONS_URL", "where"),
	OPTION_TEXT(struct test_options, name, "--name", "NAME", NULL, NULL,
                    "who"),
	OPTION_NUMBER(struct test_options, count, "--count", "7", 1, 100,
                      "how many"),
	OPTION_FLAG(struct test_options, seen, "--seen", "who has"),
};

static const struct command command = {
	.name = "try",
	.words = "[WORD...]",
	.purpose = "tries",
	.rows = rows,
	.row_count = ARRAY_LEN(rows),
	.words_max = 2,
	.options_size = sizeof(struct test_options),
};

struct reading {
	struct buf fault;
	struct test_options options;
	bool help;
	enum status status;
};

static int create(void **state)
{
	static struct reading reading;

	reading.fault = BUF(4096);
	unsetenv("TEST_OPTIONS_URL");
	*state = &reading;
	return 0;
}

static int destroy(void **state)
{
	struct reading *reading = *state;

	buf_free(&reading->fault);
	return 0;
}

#define READ(reading, ...) \
	do { \
		static char *arguments[] = {__VA_ARGS__, NULL}; \
		(reading)->status = \
			options_read(&command, (int)ARRAY_LEN(arguments) - 1, \
		                     arguments, &(reading)->fault, \
		                     &(reading)->help, &(reading)->options); \
	} while (0)

static char name[] = "--name", bob[] = "bob", count[] = "--count", nine[] = "9",
	    name_is_bob[] = "--name=bob", word[] = "word", ends[] = "--",
	    help[] = "--help", unknown[] = "--colour", many[] = "101",
	    zero[] = "0", text[] = "nine", url[] = "--url",
	    here[] = "http://here", seen[] = "--seen", seen_is[] = "--seen=1";

static void a_flag_is_given_or_not(void **state)
{
	struct reading *reading = *state;

	READ(reading, name, bob);
	assert_int_equal(reading->status, ST_OK);
	assert_false(reading->options.seen);
	READ(reading, seen, name, bob);
	assert_int_equal(reading->status, ST_OK);
	assert_true(reading->options.seen);
	assert_string_equal(reading->options.name, "bob");
}

static void a_flag_takes_no_value(void **state)
{
	struct reading *reading = *state;

	READ(reading, name, bob, seen_is);
	assert_int_equal(reading->status, ST_INVALID);
	assert_string_equal(buf_text(&reading->fault), "--seen takes no value");
}

static void a_value_follows_its_name(void **state)
{
	struct reading *reading = *state;

	READ(reading, name, bob, count, nine);
	assert_int_equal(reading->status, ST_OK);
	assert_string_equal(reading->options.name, "bob");
	assert_int_equal(reading->options.count, 9);
}

static void a_value_may_follow_an_equals_sign(void **state)
{
	struct reading *reading = *state;

	READ(reading, name_is_bob);
	assert_int_equal(reading->status, ST_OK);
	assert_string_equal(reading->options.name, "bob");
}

static void a_preset_holds_until_a_value_is_given(void **state)
{
	struct reading *reading = *state;

	READ(reading, name, bob);
	assert_string_equal(reading->options.url, "http://preset");
	assert_int_equal(reading->options.count, 7);
}

static void the_environment_beats_the_preset(void **state)
{
	struct reading *reading = *state;

	setenv("TEST_OPTIONS_URL", "http://environment", 1);
	READ(reading, name, bob);
	assert_string_equal(reading->options.url, "http://environment");
}

static void an_option_beats_the_environment(void **state)
{
	struct reading *reading = *state;

	setenv("TEST_OPTIONS_URL", "http://environment", 1);
	READ(reading, name, bob, url, here);
	assert_string_equal(reading->options.url, "http://here");
}

static void an_empty_variable_counts_as_unset(void **state)
{
	struct reading *reading = *state;

	setenv("TEST_OPTIONS_URL", "", 1);
	READ(reading, name, bob);
	assert_string_equal(reading->options.url, "http://preset");
}

static void words_are_kept_in_order(void **state)
{
	struct reading *reading = *state;

	READ(reading, word, name, bob, ends, name);
	assert_int_equal(reading->status, ST_OK);
	assert_int_equal(reading->options.options.word_count, 2);
	assert_string_equal(reading->options.options.words[0], "word");
	assert_string_equal(reading->options.options.words[1], "--name");
}

static void help_needs_no_other_option(void **state)
{
	struct reading *reading = *state;

	READ(reading, help);
	assert_int_equal(reading->status, ST_OK);
	assert_true(reading->help);
}

#define REFUSES(test, fault_, ...) \
	static void test(void **state) \
	{ \
		struct reading *reading = *state; \
\
		READ(reading, __VA_ARGS__); \
		assert_int_equal(reading->status, ST_INVALID); \
		assert_string_equal(buf_text(&reading->fault), fault_); \
	}

REFUSES(a_missing_required_option_is_reported, "--name is needed", count, nine)
REFUSES(an_unknown_option_is_reported, "there is no option '--colour'", unknown)
REFUSES(a_missing_value_is_reported, "--name needs a value", name)
REFUSES(a_number_over_its_range_is_refused,
        "--count must be a number from 1 to 100, not '101'", count, many)
REFUSES(a_number_under_its_range_is_refused,
        "--count must be a number from 1 to 100, not '0'", count, zero)
REFUSES(a_number_must_be_digits,
        "--count must be a number from 1 to 100, not 'nine'", count, text)
REFUSES(too_many_words_are_refused, "'word' is too much", name_is_bob, word,
        word, word)

static void help_lists_every_option(void **state)
{
	struct reading *reading = *state;

	options_help(&command, "client-test x", &reading->fault);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_non_null(
			strstr(buf_text(&reading->fault), rows[i].name));
		assert_non_null(
			strstr(buf_text(&reading->fault), rows[i].meaning));
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, create, destroy)
	const struct CMUnitTest tests[] = {
		TEST(a_flag_is_given_or_not),
		TEST(a_flag_takes_no_value),
		TEST(a_value_follows_its_name),
		TEST(a_value_may_follow_an_equals_sign),
		TEST(a_preset_holds_until_a_value_is_given),
		TEST(the_environment_beats_the_preset),
		TEST(an_option_beats_the_environment),
		TEST(an_empty_variable_counts_as_unset),
		TEST(words_are_kept_in_order),
		TEST(help_needs_no_other_option),
		TEST(a_missing_required_option_is_reported),
		TEST(an_unknown_option_is_reported),
		TEST(a_missing_value_is_reported),
		TEST(a_number_over_its_range_is_refused),
		TEST(a_number_under_its_range_is_refused),
		TEST(a_number_must_be_digits),
		TEST(too_many_words_are_refused),
		TEST(help_lists_every_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
