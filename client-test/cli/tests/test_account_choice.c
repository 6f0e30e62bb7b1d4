#include "client-test/cli/account_choice.h"
#include "common/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT "http://127.0.0.1:9999"

static char root[64];

static int create(void **state)
{
	(void)state;
	(void)snprintf(root, sizeof(root), "/tmp/parley-choice-XXXXXX");
	assert_non_null(mkdtemp(root));
	assert_int_equal(setenv("XDG_STATE_HOME", root, 1), 0);
	return 0;
}

static int destroy(void **state)
{
	static const char *const names[] = {
		"/parley/session", "/parley/session.lock", "/parley", ""};
	char path[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", root, names[i]);
		(void)remove(path);
	}
	return 0;
}

static void alice_signs_in(void)
{
	static char url[] = AT, name[] = "alice", token[] = "t",
		    refresh_token[] = "r";
	const struct saved_session saved = {
		.url = url,
		.name = name,
		.user = 7,
		.token = token,
		.refresh_token = refresh_token,
	};
	struct buf fault CLEANUP(buf_free) = BUF(4096);
	struct session_file *file CLEANUP(session_file_destroy) =
		account_choice_file(&fault);

	assert_non_null(file);
	assert_int_equal(session_file_lock(file), ST_OK);
	assert_int_equal(session_file_write(file, &saved), ST_OK);
}

static struct account_options given(const char *url, const char *name,
                                    const char *password)
{
	return (struct account_options){
		.url = url, .name = name, .password = password};
}

static void a_password_needs_no_session(void **state)
{
	struct account_options options = given("http://x", "bob", "secret");
	struct buf fault CLEANUP(buf_free) = BUF(4096);

	(void)state;
	alice_signs_in();
	assert_int_equal(account_choice_make(&options, &fault), ST_OK);
	assert_null(options.session);
	assert_string_equal(options.name, "bob");
	assert_string_equal(options.url, "http://x");
	account_choice_free(&options);
}

static void without_a_password_the_saved_session_is_used(void **state)
{
	static const char *const urls[] = {OPTION_URL_PRESET, AT};
	static const char *const names[] = {"", "alice"};

	(void)state;
	alice_signs_in();
	for (unsigned i = 0; i < 4; i++) {
		struct account_options options =
			given(urls[i / 2], names[i % 2], "");
		struct buf fault CLEANUP(buf_free) = BUF(4096);

		assert_int_equal(account_choice_make(&options, &fault), ST_OK);
		assert_non_null(options.session);
		assert_string_equal(options.name, "alice");
		assert_string_equal(options.url, AT);
		account_choice_free(&options);
		assert_null(options.session);
	}
}

static void assert_fault(struct account_options options, const char *words)
{
	struct buf fault CLEANUP(buf_free) = BUF(4096);

	assert_int_equal(account_choice_make(&options, &fault), ST_INVALID);
	if (!strstr(buf_text(&fault), words))
		fail_msg("%s: %s", words, buf_text(&fault));
}

static void a_fault_says_what_is_needed(void **state)
{
	(void)state;
	assert_fault(given(OPTION_URL_PRESET, "", ""), "client-test login");
	assert_fault(given(OPTION_URL_PRESET, "bob", ""),
	             "--password is needed");
	assert_fault(given(OPTION_URL_PRESET, "", "secret"),
	             "--name is needed");
	alice_signs_in();
	assert_fault(given(OPTION_URL_PRESET, "", "secret"),
	             "--name is needed");
	assert_fault(given(OPTION_URL_PRESET, "bob", ""),
	             "the session is of 'alice'");
	assert_fault(given("http://elsewhere", "", ""),
	             "the session is at " AT);
}

static void assert_path(const char *state_home, const char *home,
                        const char *path)
{
	struct buf fault CLEANUP(buf_free) = BUF(4096);
	struct session_file *file CLEANUP(session_file_destroy) = NULL;

	(void)unsetenv("XDG_STATE_HOME");
	(void)unsetenv("HOME");
	if (state_home)
		(void)setenv("XDG_STATE_HOME", state_home, 1);
	if (home)
		(void)setenv("HOME", home, 1);
	file = account_choice_file(&fault);
	if (!path) {
		assert_null(file);
		assert_true(fault.len > 0);
		return;
	}
	assert_non_null(file);
	assert_string_equal(session_file_path(file), path);
}

/* The specification ignores a relative path. */
static void the_folder_is_that_of_the_xdg_specification(void **state)
{
	(void)state;
	assert_path("/s", "/h", "/s/parley/session");
	assert_path(NULL, "/h", "/h/.local/state/parley/session");
	assert_path("", "/h", "/h/.local/state/parley/session");
	assert_path("s", "/h", "/h/.local/state/parley/session");
	assert_path("s", "h", NULL);
	assert_path(NULL, NULL, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, destroy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_password_needs_no_session),
		TEST(without_a_password_the_saved_session_is_used),
		TEST(a_fault_says_what_is_needed),
		TEST(the_folder_is_that_of_the_xdg_specification),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
