#include "common/base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const enum status all[] = {
#define STATUS_LISTED(name, text) ST_##name,
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

static void an_unknown_code_has_a_text(void **state)
{
	(void)state;
	assert_string_equal(status_text((enum status)9999), "unknown");
}

static void only_passing_troubles_are_worth_a_retry(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		bool passes = all[i] == ST_BUSY || all[i] == ST_UNAVAILABLE ||
		              all[i] == ST_UNCERTAIN;

		assert_int_equal(status_retryable(all[i]), passes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ok_is_zero),
		cmocka_unit_test(each_has_a_text_of_its_own),
		cmocka_unit_test(an_unknown_code_has_a_text),
		cmocka_unit_test(only_passing_troubles_are_worth_a_retry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
