#include "common/io/password.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_password_matches_its_own_hash_only(void **state)
{
	char hash[PASSWORD_HASH_MAX + 1];

	(void)state;
	assert_int_equal(password_hash(SPAN("correct horse"), hash), ST_OK);
	assert_true(password_matches(SPAN("correct horse"), hash));
	assert_false(password_matches(SPAN("correct horsf"), hash));
	assert_false(password_matches(SPAN("correct horse "), hash));
	assert_false(password_matches(SPAN("correct horse\0"), hash));
	assert_false(password_matches(SPAN(""), hash));
}

static void the_text_names_the_parameters(void **state)
{
	static const char start[] = "$argon2id$v=19$m=19456,t=2,p=1$";
	char hash[PASSWORD_HASH_MAX + 1];

	(void)state;
	assert_int_equal(password_hash(SPAN("correct horse"), hash), ST_OK);
	assert_int_equal(strncmp(hash, start, strlen(start)), 0);
}

static void the_same_password_never_hashes_alike(void **state)
{
	char one[PASSWORD_HASH_MAX + 1], two[PASSWORD_HASH_MAX + 1];

	(void)state;
	assert_int_equal(password_hash(SPAN("correct horse"), one), ST_OK);
	assert_int_equal(password_hash(SPAN("correct horse"), two), ST_OK);
	assert_string_not_equal(one, two);
}

static void text_that_is_no_hash_matches_no_password(void **state)
{
	static const char *const bad[] = {
		"", "x", "correct horse", "$argon2id$v=19$m=19456,t=2,p=1$",
		"$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA"};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(password_matches(SPAN("correct horse"), bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_password_matches_its_own_hash_only),
		cmocka_unit_test(the_text_names_the_parameters),
		cmocka_unit_test(the_same_password_never_hashes_alike),
		cmocka_unit_test(text_that_is_no_hash_matches_no_password),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
