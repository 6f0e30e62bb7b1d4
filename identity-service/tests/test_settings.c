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
		struct identity_settings settings = {
			.trusted_proxies = rows[i].proxies,
			.sms_provider = "",
			.sms_base_url = "",
		};
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

/* A provider without what it needs can never send. */
static void a_provider_needs_its_settings(void **state)
{
	const struct identity_settings whole = {
		.trusted_proxies = "none",
		.sms_provider = "twilio-messages",
		.sms_base_url = "",
		.sms_account = "AC0123",
		.sms_secret = "token",
		.sms_from = "+15017122661",
		.sms_webotp_domain = "",
		.sms_verify_service = "VA0123",
	};
	static const struct {
		const char *provider;
		size_t offset;
		const char *value;
		const char *fault; /* NULL: none */
	} rows[] = {
#define ROW(provider, field, value, fault) \
	{provider, offsetof(struct identity_settings, field), value, fault}
		ROW("", sms_account, "", NULL),
		ROW("log", sms_account, "", NULL),
		ROW("smoke", sms_account, "AC", "SMS_PROVIDER"),
		ROW("LOG", sms_account, "AC", "SMS_PROVIDER"),
		ROW("twilio-messages", sms_base_url, "", NULL),
		ROW("twilio-messages", sms_base_url, "http://example.com",
	            "SMS_BASE_URL"),
		ROW("twilio-messages", sms_base_url, "http://127.0.0.1:1",
	            NULL),
		ROW("twilio-messages", sms_account, "", "SMS_ACCOUNT"),
		ROW("twilio-messages", sms_account, "AC/../x", "SMS_ACCOUNT"),
		ROW("twilio-messages", sms_secret, "", "SMS_SECRET"),
		ROW("twilio-messages", sms_from, "", "SMS_FROM"),
		ROW("twilio-messages", sms_webotp_domain, "chat-1.example",
	            NULL),
		ROW("twilio-messages", sms_webotp_domain, "https://a",
	            "WEBOTP"),
		ROW("twilio-messages", sms_webotp_domain, "a b", "WEBOTP"),
		ROW("twilio-messages", sms_webotp_domain, "a#1", "WEBOTP"),
		ROW("twilio-messages", sms_webotp_domain, "A.example",
	            "WEBOTP"),
		ROW("twilio-messages", sms_webotp_domain, ".example", "WEBOTP"),
		ROW("twilio-messages", sms_webotp_domain, "a..b", "WEBOTP"),
		ROW("twilio-messages", sms_webotp_domain, "example.", "WEBOTP"),
		ROW("twilio-messages", sms_webotp_domain, "ä.example",
	            "WEBOTP"),
		ROW("twilio-messages", sms_verify_service, "", NULL),
		ROW("twilio-verify", sms_from, "", NULL),
		ROW("twilio-verify", sms_verify_service, "",
	            "SMS_VERIFY_SERVICE"),
		ROW("twilio-verify", sms_verify_service, "VA?",
	            "SMS_VERIFY_SERVICE"),
#undef ROW
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf_free) struct buf faults = BUF(2000);
		struct identity_settings settings = whole;

		settings.sms_provider = rows[i].provider;
		memcpy((char *)&settings + rows[i].offset, &rows[i].value,
		       sizeof(rows[i].value));
		identity_settings_check(&settings, &faults);
		if (!faults.len != !rows[i].fault ||
		    (rows[i].fault &&
		     !strstr(buf_text(&faults), rows[i].fault)))
			fail_msg("row %zu: %s", i, buf_text(&faults));
	}
}

static void each_limit_on_codes_has_its_setting(void **state)
{
	const struct identity_settings settings = {
		.code_window_s = 1,
		.code_phone_max = 2,
		.code_address_max = 3,
		.code_country_max = 4,
		.code_total_max = 5,
	};
	struct send_rules rules = identity_send_rules(&settings);

	(void)state;
	assert_int_equal(rules.window_s, 1);
	assert_int_equal(rules.max[SEND_PHONE], 2);
	assert_int_equal(rules.max[SEND_ADDRESS], 3);
	assert_int_equal(rules.max[SEND_COUNTRY], 4);
	assert_int_equal(rules.max[SEND_TOTAL], 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proxies_that_cannot_be_read_are_a_fault),
		cmocka_unit_test(each_limit_on_guessing_has_its_setting),
		cmocka_unit_test(a_provider_needs_its_settings),
		cmocka_unit_test(each_limit_on_codes_has_its_setting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
