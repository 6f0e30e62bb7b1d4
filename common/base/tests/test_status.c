#include "common/base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const enum status all[] = {
#define STATUS_LISTED(name, http, text) ST_##name,
	STATUS_TABLE(STATUS_LISTED)
#undef STATUS_LISTED
};

enum { COUNT = sizeof(all) / sizeof(*all) };

static void ok_is_zero(void **state)
{
	(void)state;
	assert_int_equal(ST_OK, 0);
}

static void each_has_a_text_of_its_own(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		assert_true(strlen(status_text(all[i])) > 0);
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(status_text(all[i]),
			                        status_text(all[k]));
	}
}

static void a_code_that_is_none_has_a_text_too(void **state)
{
	(void)state;
	assert_string_equal(status_text((enum status)9999), "unknown");
	assert_int_equal(status_http((enum status)9999), 500);
}

static void http_codes_are_as_clients_know_them(void **state)
{
	(void)state;
	assert_int_equal(status_http(ST_OK), 200);
	assert_int_equal(status_http(ST_INVALID), 400);
	assert_int_equal(status_http(ST_DENIED), 401);
	assert_int_equal(status_http(ST_NOT_FOUND), 404);
	assert_int_equal(status_http(ST_CONFLICT), 409);
	assert_int_equal(status_http(ST_TOO_LARGE), 413);
	assert_int_equal(status_http(ST_BUSY), 429);
	assert_int_equal(status_http(ST_UNAVAILABLE), 503);
	assert_int_equal(status_http(ST_BROKEN), 500);
}

static void only_passing_troubles_are_worth_a_retry(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		unsigned http = status_http(all[i]);

		assert_int_equal(status_retryable(all[i]),
		                 http == 429 || http == 503);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ok_is_zero),
		cmocka_unit_test(each_has_a_text_of_its_own),
		cmocka_unit_test(a_code_that_is_none_has_a_text_too),
		cmocka_unit_test(http_codes_are_as_clients_know_them),
		cmocka_unit_test(only_passing_troubles_are_worth_a_retry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
