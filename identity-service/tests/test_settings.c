#include "identity-service/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void proxies_that_cannot_be_read_are_a_fault(void **state)
{
	static const struct {
		const char *proxies;
		bool fits;
		unsigned count;
	} rows[] = {
		{"127.0.0.0/8,::1", true, 2}, {"none", true, 0},
		{"10.0.0.1", true, 1},        {"10.0.0.0/8, fc00::/7", true, 2},
		{"nginx", false, 0},          {"10.0.0.0/33", false, 0},
		{"10.0.0.0/8;::1", false, 0}, {"*", false, 0},
		{"none,10.0.0.1", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf_free) struct buf faults = BUF(2000);
		struct identity_settings settings = {.trusted_proxies =
		                                             rows[i].proxies};
		struct ip_networks networks = {.count = 0};

		identity_settings_check(&settings, &faults);
		if ((faults.len == 0) != rows[i].fits)
			fail_msg("%s: %s", rows[i].proxies, buf_text(&faults));
		if (!rows[i].fits)
			assert_non_null(strstr(buf_text(&faults),
			                       "IDENTITY_TRUSTED_PROXIES"));
		else
			assert_true(
				identity_trusted_proxies(&settings, &networks));
		assert_int_equal(networks.count, rows[i].count);
	}
}

static void each_limit_on_guessing_has_its_setting(void **state)
{
	const struct identity_settings settings = {
		.guess_window_s = 1,
		.guess_name_max = 2,
		.guess_known_max = 3,
		.guess_known_s = 4,
		.guess_address_max = 5,
		.guess_wait_max_s = 6,
	};
	struct guess_rules rules = identity_guess_rules(&settings);

	(void)state;
	assert_int_equal(rules.name.max, 2);
	assert_int_equal(rules.known.max, 3);
	assert_int_equal(rules.address.max, 5);
	assert_int_equal(rules.known_s, 4);
	assert_int_equal(rules.name.window_s, 1);
	assert_int_equal(rules.known.window_s, 1);
	assert_int_equal(rules.address.window_s, 1);
	assert_int_equal(rules.name.wait_max_s, 6);
	assert_int_equal(rules.known.wait_max_s, 6);
	assert_int_equal(rules.address.wait_max_s, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proxies_that_cannot_be_read_are_a_fault),
		cmocka_unit_test(each_limit_on_guessing_has_its_setting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
