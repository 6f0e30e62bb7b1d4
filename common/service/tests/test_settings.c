#include "common/base/mem.h"
#include "common/service/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { FAULTS_MAX = 64 * 1024 };

struct values {
	uint64_t port;
	uint64_t any;
	const char *host;
	const char *name;
	const char *key;
	const char *pepper;
	uint64_t admin_port;
	const char *save;
	const char *events;
};

static const struct setting rows[] = {
	{"TEST_PORT", SETTING_NUMBER, "8081", 1, 65535, "port", "Where.",
         offsetof(struct values, port)},
	{"TEST_ANY", SETTING_NUMBER, "0", 0, UINT64_MAX, "items", "Many.",
         offsetof(struct values, any)},
	{"TEST_HOST", SETTING_TEXT, "localhost", 1, 16, "host", "Whose.",
         offsetof(struct values, host)},
	{"TEST_NAME", SETTING_TEXT, NULL, 0, 8, "name", "Who.",
         offsetof(struct values, name)},
	{"TEST_KEY", SETTING_SECRET, NULL, 8, 64, "chars", "Opens doors.",
         offsetof(struct values, key)},
	{"TEST_PEPPER", SETTING_SECRET, "", 0, 64, "chars", "Seasons.",
         offsetof(struct values, pepper)},
	{"TEST_ADMIN_PORT", SETTING_NUMBER, "9081", 1, 65535, "port", "Inside.",
         offsetof(struct values, admin_port)},
	{"TEST_SAVE", SETTING_TEXT, "save", 1, 64, "topic", "In.",
         offsetof(struct values, save)},
	{"TEST_EVENTS", SETTING_TEXT, "events", 1, 64, "topic", "Out.",
         offsetof(struct values, events)},
};

static const struct settings_table table = {rows, ARRAY_LEN(rows)};
static struct values values;
static struct buf faults = {.max = FAULTS_MAX};
static char secret_path[] = "/tmp/parley-test-settings-XXXXXX";

/* The least that is good; each test changes something. */
static int set_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char file[64];

		(void)snprintf(file, sizeof(file), "%s_FILE",
		               rows[i].environment);
		(void)unsetenv(rows[i].environment);
		(void)unsetenv(file);
	}
	(void)setenv("TEST_NAME", "zoe", 1);
	(void)setenv("TEST_KEY", "opensesame", 1);
	buf_clear(&faults);
	values = (struct values){0};
	return 0;
}

/* Copies of good values live on by contract: reachable, so no leak to see. */
static enum status load_and_wipe(void)
{
	static struct values kept[256];
	static unsigned count;
	enum status st = settings_load(&table, &values, &faults);

	assert_true(count < ARRAY_LEN(kept));
	kept[count++] = values;
	assert_int_equal(st == ST_OK, faults.len == 0);
	return st;
}

/* The key is there for the next load too. */
static enum status load(void)
{
	char *key = getenv("TEST_KEY");
	char *again CLEANUP(mem_free) = key ? mem_text(key, strlen(key)) : NULL;
	enum status st = load_and_wipe();

	if (again)
		(void)setenv("TEST_KEY", again, 1);
	return st;
}

static void assert_faults(const char *wanted)
{
	assert_int_equal(load(), ST_INVALID);
	assert_string_equal(buf_text(&faults), wanted);
	buf_clear(&faults);
}

/* --- good settings ---------------------------------------------------------
 */
static void an_unset_variable_has_its_default(void **state)
{
	(void)state;
	assert_int_equal(load(), ST_OK);
	assert_int_equal(values.port, 8081);
	assert_int_equal(values.any, 0);
	assert_string_equal(values.host, "localhost");
	assert_string_equal(values.name, "zoe");
	assert_string_equal(values.key, "opensesame");
	assert_string_equal(values.pepper, "");
}

static void a_set_variable_overrides_the_default(void **state)
{
	(void)state;
	(void)setenv("TEST_PORT", "65535", 1);
	(void)setenv("TEST_ANY", "18446744073709551615", 1);
	(void)setenv("TEST_HOST", "kafka-1", 1);
	(void)setenv("TEST_PEPPER", "salt", 1);
	assert_int_equal(load(), ST_OK);
	assert_int_equal(values.port, 65535);
	assert_true(values.any == UINT64_MAX);
	assert_string_equal(values.host, "kafka-1");
	assert_string_equal(values.pepper, "salt");
}

static void a_value_is_a_copy(void **state)
{
	(void)state;
	(void)setenv("TEST_HOST", "first", 1);
	assert_int_equal(load(), ST_OK);
	(void)setenv("TEST_HOST", "other", 1);
	assert_string_equal(values.host, "first");
}

static void an_empty_variable_counts_as_unset(void **state)
{
	(void)state;
	(void)setenv("TEST_PORT", "", 1);
	(void)setenv("TEST_HOST", "", 1);
	(void)setenv("TEST_KEY_FILE", "", 1);
	assert_int_equal(load(), ST_OK);
	assert_int_equal(values.port, 8081);
	assert_string_equal(values.host, "localhost");
	(void)setenv("TEST_NAME", "", 1);
	assert_faults("TEST_NAME is not set\n");
}

/* --- bad settings ----------------------------------------------------------
 */
static void a_number_must_be_one_and_in_its_range(void **state)
{
	static const char *const bad[] = {
		"0",   "65536", "-1",   "+1",  "1.0", "0x10",
		"80 ", " 80",   "8e3",  "080", "x",   "18446744073709551617",
		"1,2", "\n",    "1\n2",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char wanted[128];

		(void)setenv("TEST_PORT", bad[i], 1);
		(void)snprintf(wanted, sizeof(wanted),
		               "TEST_PORT is '%s', must be a number from 1 to "
		               "65535 (port)\n",
		               bad[i]);
		assert_faults(wanted);
		assert_int_equal(values.port, 8081);
	}
	(void)setenv("TEST_PORT", "1", 1);
	assert_int_equal(load(), ST_OK);
	assert_int_equal(values.port, 1);
}

static void a_text_must_have_its_length(void **state)
{
	(void)state;
	(void)setenv("TEST_HOST", "sixteen-letters1", 1);
	assert_int_equal(load(), ST_OK);
	(void)setenv("TEST_HOST", "seventeen letters", 1);
	assert_faults("TEST_HOST has 17 characters, must have 1 to 16\n");
	assert_string_equal(values.host, "localhost");
}

static void all_faults_are_reported_at_once(void **state)
{
	(void)state;
	(void)setenv("TEST_PORT", "x", 1);
	(void)setenv("TEST_ANY", "y", 1);
	(void)unsetenv("TEST_NAME");
	(void)unsetenv("TEST_KEY");
	assert_faults(
		"TEST_PORT is 'x', must be a number from 1 to 65535 "
		"(port)\n"
		"TEST_ANY is 'y', must be a number from 0 to "
		"18446744073709551615 (items)\n"
		"TEST_NAME is not set\n"
		"TEST_KEY is not set (nor TEST_KEY_FILE): Opens doors.\n");
	/* later checks may look at all values */
	assert_int_equal(values.port, 8081);
	assert_string_equal(values.name, "");
	assert_string_equal(values.key, "");
}

/* --- secrets ---------------------------------------------------------------
 */
static void put_secret(const void *bytes, size_t len)
{
	FILE *file = fopen(secret_path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	(void)unsetenv("TEST_KEY");
	(void)setenv("TEST_KEY_FILE", secret_path, 1);
}

static void a_secret_comes_from_a_file_without_one_newline(void **state)
{
	static const struct {
		const char *file;
		const char *secret;
	} good[] = {
		{"12345678", "12345678"},       {"12345678\n", "12345678"},
		{"12345678\n\n", "12345678\n"}, {" 12345678 \n", " 12345678 "},
		{"1234\n5678", "1234\n5678"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		put_secret(good[i].file, strlen(good[i].file));
		assert_int_equal(load(), ST_OK);
		assert_string_equal(values.key, good[i].secret);
	}
}

static void a_secret_is_given_once(void **state)
{
	(void)state;
	put_secret("12345678", 8);
	(void)setenv("TEST_KEY", "opensesame", 1);
	assert_faults("TEST_KEY and TEST_KEY_FILE are both set, set one\n");
}

static void a_fault_of_a_secret_does_not_print_it(void **state)
{
	(void)state;
	(void)setenv("TEST_KEY", "hunter2", 1);
	assert_faults("TEST_KEY has 7 characters, must have 8 to 64\n");
	put_secret("hunter2\n", 8);
	assert_faults("TEST_KEY has 7 characters, must have 8 to 64\n");
}

static void a_secret_file_that_cannot_be_read_is_named(void **state)
{
	(void)state;
	(void)unsetenv("TEST_KEY");
	(void)setenv("TEST_KEY_FILE", "/nonexistent/key", 1);
	assert_faults("TEST_KEY_FILE names '/nonexistent/key', which cannot be "
	              "used: No such file or directory\n");
	(void)setenv("TEST_KEY_FILE", "/", 1);
	assert_faults("TEST_KEY_FILE names '/', which cannot be used: Is a "
	              "directory\n");
}

static void assert_secret_refused(const void *bytes, size_t len,
                                  const char *why)
{
	char wanted[256];

	put_secret(bytes, len);
	(void)snprintf(wanted, sizeof(wanted),
	               "TEST_KEY_FILE names '%s', which cannot be used: %s\n",
	               secret_path, why);
	assert_faults(wanted);
}

static void an_empty_or_windows_secret_file_is_refused(void **state)
{
	(void)state;
	assert_secret_refused("", 0, "it is empty");
	assert_secret_refused("\n", 1, "it is empty");
	assert_secret_refused("opensesame\r\n", 12,
	                      "its last line ends with CR LF");
}

static void settings_that_must_differ_are_compared(void **state)
{
	(void)state;
	(void)setenv("TEST_ADMIN_PORT", "8081", 1);
	assert_faults("TEST_PORT and TEST_ADMIN_PORT are the same port\n");
	(void)setenv("TEST_EVENTS", "save", 1);
	assert_faults("TEST_PORT and TEST_ADMIN_PORT are the same port\n"
	              "TEST_SAVE and TEST_EVENTS are the same topic\n");
}

static void a_text_must_have_the_form_of_its_unit(void **state)
{
	(void)state;
	(void)setenv("TEST_HOST", "db:3306", 1);
	assert_faults("TEST_HOST is 'db:3306', must be a host alone; the port "
	              "has a setting of its own\n");
}

static void a_secret_file_too_long_is_refused(void **state)
{
	char *bytes CLEANUP(mem_free) = mem_new(100000);

	(void)state;
	memset(bytes, 'x', 100000);
	assert_secret_refused(bytes, 100000, "too long");
	assert_secret_refused(bytes, 4096, "too long");
}

/* Half of a key would work until another program read all of it. */
static void a_secret_file_with_a_nul_is_refused(void **state)
{
	(void)state;
	assert_secret_refused("12345678\0rest", 13, "it has a NUL byte");
	assert_secret_refused("12345678\0", 9, "it has a NUL byte");
	assert_secret_refused("\0", 1, "it has a NUL byte");
}

static void a_secret_leaves_the_environment(void **state)
{
	(void)state;
	(void)setenv("TEST_KEY", "opensesame", 1);
	assert_int_equal(load_and_wipe(), ST_OK);
	assert_string_equal(values.key, "opensesame");
	assert_string_equal(getenv("TEST_KEY"), "");
}

/* --- help ------------------------------------------------------------------
 */
static void help_shows_the_table_and_no_secret(void **state)
{
	struct buf text CLEANUP(buf_free) = BUF(FAULTS_MAX);

	(void)state;
	settings_help(&table, &text);
	assert_string_equal(
		buf_text(&text),
		"  TEST_PORT\n      Where.\n"
		"      default: 8081; 1 to 65535, port\n"
		"  TEST_ANY\n      Many.\n"
		"      default: 0; 0 to 18446744073709551615, items\n"
		"  TEST_HOST\n      Whose.\n"
		"      default: localhost; 1 to 16 characters, host\n"
		"  TEST_NAME\n      Who.\n"
		"      required; 0 to 8 characters, name\n"
		"  TEST_KEY (or _FILE)\n      Opens doors.\n"
		"      required; 8 to 64 characters, chars\n"
		"  TEST_PEPPER (or _FILE)\n      Seasons.\n"
		"      default: none; 0 to 64 characters, chars\n"
		"  TEST_ADMIN_PORT\n      Inside.\n"
		"      default: 9081; 1 to 65535, port\n"
		"  TEST_SAVE\n      In.\n"
		"      default: save; 1 to 64 characters, topic\n"
		"  TEST_EVENTS\n      Out.\n"
		"      default: events; 1 to 64 characters, topic\n");
}

static int make_secret_file(void **state)
{
	int fd = mkstemp(secret_path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int clean_up(void **state)
{
	(void)set_up(state);
	buf_free(&faults);
	return unlink(secret_path);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_unset_variable_has_its_default,
	                               set_up),
		cmocka_unit_test_setup(a_set_variable_overrides_the_default,
	                               set_up),
		cmocka_unit_test_setup(a_value_is_a_copy, set_up),
		cmocka_unit_test_setup(an_empty_variable_counts_as_unset,
	                               set_up),
		cmocka_unit_test_setup(a_number_must_be_one_and_in_its_range,
	                               set_up),
		cmocka_unit_test_setup(a_text_must_have_its_length, set_up),
		cmocka_unit_test_setup(all_faults_are_reported_at_once, set_up),
		cmocka_unit_test_setup(
			a_secret_comes_from_a_file_without_one_newline, set_up),
		cmocka_unit_test_setup(a_secret_is_given_once, set_up),
		cmocka_unit_test_setup(a_fault_of_a_secret_does_not_print_it,
	                               set_up),
		cmocka_unit_test_setup(
			a_secret_file_that_cannot_be_read_is_named, set_up),
		cmocka_unit_test_setup(
			an_empty_or_windows_secret_file_is_refused, set_up),
		cmocka_unit_test_setup(settings_that_must_differ_are_compared,
	                               set_up),
		cmocka_unit_test_setup(a_text_must_have_the_form_of_its_unit,
	                               set_up),
		cmocka_unit_test_setup(a_secret_file_too_long_is_refused,
	                               set_up),
		cmocka_unit_test_setup(a_secret_file_with_a_nul_is_refused,
	                               set_up),
		cmocka_unit_test_setup(a_secret_leaves_the_environment, set_up),
		cmocka_unit_test_setup(help_shows_the_table_and_no_secret,
	                               set_up),
	};

	return cmocka_run_group_tests(tests, make_secret_file, clean_up);
}
