#include "identity-service/credentials.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static enum status read_as(struct span body, bool is_json,
                           enum credentials_use use)
{
	CLEANUP(credentials_free) struct credentials credentials = {0};
	const char *detail = NULL;
	enum status status =
		credentials_read(body, is_json, use, &credentials, &detail);

	if (status != ST_OK)
		assert_non_null(detail);
	return status;
}

static void assert_json(const char *body, enum status want)
{
	if (read_as(span_of(body), true, CREDENTIALS_REGISTER) != want)
		fail_msg("json: %s", body);
}

static void assert_form(const char *body, enum status want)
{
	if (read_as(span_of(body), false, CREDENTIALS_REGISTER) != want)
		fail_msg("form: %s", body);
}

static void both_kinds_of_body_are_read(void **state)
{
	CLEANUP(credentials_free) struct credentials a = {0}, b = {0};
	const char *detail;

	(void)state;
	assert_int_equal(credentials_read(SPAN("{\"name\":\"Zo\\u00eb K\","
	                                       "\"password\":\"12345678\"}"),
	                                  true, CREDENTIALS_REGISTER, &a,
	                                  &detail),
	                 ST_OK);
	assert_int_equal(credentials_read(SPAN("pass=12345678&x=&&"
	                                       "name=Zo%C3%AB+K"),
	                                  false, CREDENTIALS_REGISTER, &b,
	                                  &detail),
	                 ST_OK);
	assert_true(span_equal(buf_span(&a.name), SPAN("Zoë K")));
	assert_true(span_equal(buf_span(&a.key), SPAN("zoë k")));
	assert_true(span_equal(buf_span(&a.name), buf_span(&b.name)));
	assert_true(span_equal(buf_span(&a.key), buf_span(&b.key)));
	assert_true(span_equal(buf_span(&a.password), buf_span(&b.password)));
	assert_true(span_equal(buf_span(&a.password), SPAN("12345678")));
}

static void bodies_that_are_not_well_formed_are_invalid(void **state)
{
	static const char *const json[] = {
		"",
		"[]",
		"null",
		"{",
		"{\"name\":\"abc\",\"password\":\"12345678\"} x",
		"{\"name\":\"a\",\"name\":\"b\",\"password\":\"12345678\"}",
		"{\"name\":\"\xff\",\"password\":\"12345678\"}",
		"{\"name\":\"\\ud800\",\"password\":\"12345678\"}",
		"{\"name\":\"a\\u0000\",\"password\":\"12345678\"}",
	};
	static const char *const form[] = {
		"name=a%",   "name=a%4",       "name=%zz", "name=%ff",
		"name=\xff", "name=a&name=b",  "name=%00", "%00=a",
		"a%=1",      "x=1&x=2&name=a",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(json); i++)
		assert_json(json[i], ST_INVALID);
	for (size_t i = 0; i < ARRAY_LEN(form); i++)
		assert_form(form[i], ST_INVALID);
}

static void a_form_of_too_many_members_is_invalid(void **state)
{
	char form[65 * 4 + 1] = "";

	(void)state;
	for (unsigned i = 0; i < 65; i++) {
		const char pair[] = {(char)('A' + i / 26), (char)('a' + i % 26),
		                     '=', '&', '\0'};

		memcpy(form + i * 4, pair, sizeof(pair));
	}
	assert_form(form, ST_INVALID);
	form[64 * 4] = '\0';
	assert_form(form, ST_DENIED);
}

static void missing_or_unfit_members_are_denied(void **state)
{
	static const char *const json[] = {
		"{}",
		"{\"name\":\"abc\"}",
		"{\"password\":\"12345678\"}",
		"{\"name\":7,\"password\":\"12345678\"}",
		"{\"name\":null,\"password\":\"12345678\"}",
		"{\"name\":\"abc\",\"password\":12345678}",
		"{\"name\":\"abc\",\"password\":\"1234567\"}",
		"{\"name\":\"abc\",\"password\":\"\"}",
		"{\"Name\":\"abc\",\"password\":\"12345678\"}",
		"{\"name\":\"abc\",\"password\":null,\"pass\":\"12345678\"}",
	};
	static const char *const form[] = {"", "name=abc", "pass=12345678",
	                                   "name=&pass=12345678",
	                                   "name&pass=12345678"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(json); i++)
		assert_json(json[i], ST_DENIED);
	for (size_t i = 0; i < ARRAY_LEN(form); i++)
		assert_form(form[i], ST_DENIED);
}

static void a_short_password_may_be_tried_but_not_chosen(void **state)
{
	struct span body = SPAN("name=abc&password=short");

	(void)state;
	assert_int_equal(read_as(body, false, CREDENTIALS_REGISTER), ST_DENIED);
	assert_int_equal(read_as(body, false, CREDENTIALS_LOGIN), ST_OK);
	body = SPAN("name=abc&password=");
	assert_int_equal(read_as(body, false, CREDENTIALS_LOGIN), ST_DENIED);
}

static void passwords_have_8_to_256_bytes(void **state)
{
	static char body[400];

	(void)state;
	for (size_t len = 0; len <= 300; len++) {
		size_t at = strlen("name=abc&password=");

		memcpy(body, "name=abc&password=", at);
		memset(body + at, 'x', len);
		body[at + len] = '\0';
		assert_form(body, len >= 8 && len <= 256 ? ST_OK : ST_DENIED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_kinds_of_body_are_read),
		cmocka_unit_test(bodies_that_are_not_well_formed_are_invalid),
		cmocka_unit_test(a_form_of_too_many_members_is_invalid),
		cmocka_unit_test(missing_or_unfit_members_are_denied),
		cmocka_unit_test(a_short_password_may_be_tried_but_not_chosen),
		cmocka_unit_test(passwords_have_8_to_256_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
