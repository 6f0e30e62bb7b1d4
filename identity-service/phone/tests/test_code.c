#include "identity-service/phone/code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* 2^32 is no multiple of a million: the numbers at its end are left out. */
static void each_code_comes_from_as_many_numbers(void **state)
{
	static const struct {
		uint32_t number;
		const char *code;
	} rows[] = {
		{0, "000000"},       {7, "000007"},      {999999, "999999"},
		{1000000, "000000"}, {123456, "123456"}, {4293999999, "999999"},
	};
	struct code code;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(code_from(rows[i].number, &code));
		assert_string_equal(code.text, rows[i].code);
	}
	assert_false(code_from(4294000000, &code));
	assert_false(code_from(UINT32_MAX, &code));
}

static void codes_differ(void **state)
{
	struct code first, code;
	unsigned same = 0;

	(void)state;
	code_make(&first);
	for (unsigned i = 0; i < 100; i++) {
		code_make(&code);
		assert_int_equal(strspn(code.text, "0123456789"), CODE_LEN);
		assert_int_equal(code.text[CODE_LEN], '\0');
		same += !strcmp(code.text, first.text);
	}
	assert_true(same < 5);
}

static void six_digits_are_a_code(void **state)
{
	static const char *const bad[] = {
		"",       "12345",  "1234567",
		"12345a", " 12345", "+12345",
		"-12345", "12 345", "\u0661\u0662\u0663"};
	struct code code;

	(void)state;
	assert_null(code_read(SPAN("012345"), &code));
	assert_string_equal(code.text, "012345");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (!code_read(span_of(bad[i]), &code))
			fail_msg("%s", bad[i]);
	}
}

static struct digest digest_of(const char *secret, const char *phone,
                               const char *digits)
{
	struct digest digest, key = code_key(span_of(secret));
	struct phone number;
	struct code code;

	assert_null(phone_read(span_of(phone), &number));
	assert_null(code_read(span_of(digits), &code));
	code_digest(&key, &number, &code, &digest);
	return digest;
}

static void a_digest_is_of_secret_phone_and_code(void **state)
{
	struct digest digest = digest_of("secret", "+4915112345678", "012345");
	const struct digest others[] = {
		digest_of("Secret", "+4915112345678", "012345"),
		digest_of("secret", "+4915112345679", "012345"),
		digest_of("secret", "+4915112345678", "012346"),
	};
	struct digest again = digest_of("secret", "+4915112345678", "012345");

	(void)state;
	assert_true(code_digest_equal(&digest, &again));
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_false(code_digest_equal(&digest, &others[i]));
	for (unsigned i = 0; i < DIGEST_LEN; i++) {
		again = digest;
		again.byte[i] ^= 1;
		assert_false(code_digest_equal(&digest, &again));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_code_comes_from_as_many_numbers),
		cmocka_unit_test(codes_differ),
		cmocka_unit_test(six_digits_are_a_code),
		cmocka_unit_test(a_digest_is_of_secret_phone_and_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
