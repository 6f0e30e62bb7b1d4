#include "identity-service/api/credentials.h"

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
	assert_true(span_equal(buf_span(&a.keys.key), SPAN("zoë k")));
	assert_true(span_equal(buf_span(&a.name), buf_span(&b.name)));
	assert_true(span_equal(buf_span(&a.keys.key), buf_span(&b.keys.key)));
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

/* A JSON body with this password, not escaped. */
static enum status take_password(const char *password, enum credentials_use use,
                                 struct credentials *ret_credentials)
{
	CLEANUP(buf_free) struct buf body = BUF(20000);
	const char *detail;

	buf_append(&body, SPAN("{\"name\":\"abc\",\"password\":\""));
	buf_append(&body, span_of(password));
	buf_append(&body, SPAN("\"}"));
	return credentials_read(buf_span(&body), true, use, ret_credentials,
	                        &detail);
}

static void passwords_are_normalised(void **state)
{
	static const struct {
		const char *sent, *password, *raw;
	} rows[] = {
		{"12345678", "12345678", ""},
		{"Gr\u00fc\u00dfe aus K\u00f6ln",
	         "Gr\u00fc\u00dfe aus K\u00f6ln", ""},
		{"Gru\u0308\u00dfe aus Ko\u0308ln",
	         "Gr\u00fc\u00dfe aus K\u00f6ln",
	         "Gru\u0308\u00dfe aus Ko\u0308ln"},
		{"two\u00a0\u3000words", "two  words", "two\u00a0\u3000words"},
		{"ABCdefgh", "ABCdefgh", ""},
		{"\ufb01\u200b\u202e\ue000\u0378",
	         "\ufb01\u200b\u202e\ue000\u0378", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(credentials_free) struct credentials chosen = {0};
		CLEANUP(credentials_free) struct credentials tried = {0};

		assert_int_equal(take_password(rows[i].sent,
		                               CREDENTIALS_REGISTER, &chosen),
		                 ST_OK);
		assert_int_equal(
			take_password(rows[i].sent, CREDENTIALS_LOGIN, &tried),
			ST_OK);
		assert_true(span_equal(buf_span(&chosen.password),
		                       span_of(rows[i].password)));
		assert_int_equal(chosen.raw_password.len, 0);
		assert_true(span_equal(buf_span(&tried.password),
		                       span_of(rows[i].password)));
		assert_true(span_equal(buf_span(&tried.raw_password),
		                       span_of(rows[i].raw)));
	}
}

/* No account has it, so the password is wrong like any other. */
static void an_unfit_password_may_be_tried_but_not_chosen(void **state)
{
	static char long_one[16001];
	static const char *const unfit[] = {
		"",
		"short",
		"1234567",
		"\\t\\t\\t\\t\\t\\t\\t\\t",
		"1234567\\n",
		"12345678\x7f",
		"12345678\xc2\x85",
		long_one,
	};

	(void)state;
	memset(long_one, 'x', sizeof(long_one) - 1);
	for (size_t i = 0; i < ARRAY_LEN(unfit); i++) {
		CLEANUP(credentials_free) struct credentials chosen = {0};
		CLEANUP(credentials_free) struct credentials tried = {0};

		if (take_password(unfit[i], CREDENTIALS_REGISTER, &chosen) !=
		    ST_DENIED)
			fail_msg("chosen: %s", unfit[i]);
		if (take_password(unfit[i], CREDENTIALS_LOGIN, &tried) != ST_OK)
			fail_msg("refused: %s", unfit[i]);
	}
}

static void the_limits_of_passwords_count_after_normalisation(void **state)
{
	static const struct {
		const char *piece;
		unsigned least, most;
	} rows[] = {
		{"x", 8, 256},       {"\u00fc", 4, 128},
		{"u\u0308", 4, 128}, {"\U0001F389", 2, 64},
		{"\u3000", 8, 256},  {"\u1112\u1161\u11ab", 3, 85},
		{"\u0958", 2, 42},
	};
	char text[3000];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = strlen(rows[i].piece);

		for (unsigned n = 1; n <= rows[i].most + 1; n++) {
			CLEANUP(credentials_free) struct credentials c = {0};
			bool fits = n >= rows[i].least && n <= rows[i].most;

			memcpy(text + (n - 1) * len, rows[i].piece, len + 1);
			if ((take_password(text, CREDENTIALS_REGISTER, &c) ==
			     ST_OK) != fits)
				fail_msg("%s, %u times", rows[i].piece, n);
		}
	}
}

static void a_name_of_before_may_be_tried_but_not_chosen(void **state)
{
	static const char *const names[] = {"\u200b", "adm\u00adin", "\u202ea",
	                                    "\ue000"};
	CLEANUP(buf_free) struct buf body = BUF(1000);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		buf_clear(&body);
		buf_format(&body, "{\"name\":\"%s\",\"password\":\"12345678\"}",
		           names[i]);
		assert_int_equal(
			read_as(buf_span(&body), true, CREDENTIALS_REGISTER),
			ST_DENIED);
		assert_int_equal(
			read_as(buf_span(&body), true, CREDENTIALS_LOGIN),
			ST_OK);
	}
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
		cmocka_unit_test(passwords_are_normalised),
		cmocka_unit_test(an_unfit_password_may_be_tried_but_not_chosen),
		cmocka_unit_test(
			the_limits_of_passwords_count_after_normalisation),
		cmocka_unit_test(a_name_of_before_may_be_tried_but_not_chosen),
		cmocka_unit_test(passwords_have_8_to_256_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
