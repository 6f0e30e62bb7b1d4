#include "common/base/scope.h"
#include "identity-service/session/refresh_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_token_comes_back_from_its_text(void **state)
{
	struct refresh_token token, read;
	char text[REFRESH_TOKEN_LEN + 1];

	(void)state;
	refresh_token_make(&token);
	refresh_token_format(&token, text);
	assert_int_equal(strlen(text), REFRESH_TOKEN_LEN);
	assert_true(refresh_token_parse(span_of(text), &read));
	assert_memory_equal(&read, &token, sizeof(token));
}

static void other_texts_are_no_token(void **state)
{
	static const char *const texts[] = {
		"",
		"x",
		/* 63, 65 and, with a foreign letter each, 64 characters */
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		"A",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		"AAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		"A=",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		"A+",
		" AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		"AA",
	};
	struct refresh_token token;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_false(refresh_token_parse(span_of(texts[i]), &token));
}

static void a_token_has_one_successor_for_a_salt(void **state)
{
	struct refresh_token token, other, one, two;
	struct digest salt = {{1}}, another = {{2}};

	(void)state;
	refresh_token_make(&token);
	other = token;
	other.secret[0] ^= 1;
	refresh_token_follow(&token, &salt, &one);
	refresh_token_follow(&token, &salt, &two);
	assert_memory_equal(&one, &two, sizeof(one));
	assert_memory_equal(one.family, token.family, sizeof(token.family));
	assert_memory_not_equal(one.secret, token.secret, sizeof(token.secret));
	refresh_token_follow(&token, &another, &two);
	assert_memory_not_equal(one.secret, two.secret, sizeof(one.secret));
	refresh_token_follow(&other, &salt, &two);
	assert_memory_not_equal(one.secret, two.secret, sizeof(one.secret));
}

static void digests_tell_the_family_and_the_token(void **state)
{
	struct refresh_token token, next;
	struct digest salt = {{1}}, a, b;

	(void)state;
	refresh_token_make(&token);
	refresh_token_follow(&token, &salt, &next);
	a = refresh_token_family(&token);
	b = refresh_token_family(&next);
	assert_memory_equal(&a, &b, sizeof(a));
	a = refresh_token_digest(&token);
	b = refresh_token_digest(&next);
	assert_memory_not_equal(&a, &b, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_comes_back_from_its_text),
		cmocka_unit_test(other_texts_are_no_token),
		cmocka_unit_test(a_token_has_one_successor_for_a_salt),
		cmocka_unit_test(digests_tell_the_family_and_the_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
