#include "identity-service/phone/phone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void numbers_of_e164_are_phones(void **state)
{
	static const struct {
		const char *text;
		bool fits;
	} rows[] = {
		{"+4915112345678", true},
		{"+1234567", true},
		{"+123456789012345", true},
		{"+123456", false},
		{"+1234567890123456", false},
		{"4915112345678", false},
		{"+0151123456", false},
		{"+49 15112345678", false},
		{"+4915112345678 ", false},
		{"+49151a2345678", false},
		{"++491511234567", false},
		{"+", false},
		{"", false},
		{"+49151\u0661234567", false},
		{"+49-151-12345", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct phone phone = {.text = "untouched"};
		const char *fault = phone_read(span_of(rows[i].text), &phone);

		if (!fault != rows[i].fits)
			fail_msg("%s: %s", rows[i].text, fault);
		assert_string_equal(phone.text,
		                    fault ? "untouched" : rows[i].text);
	}
}

static void a_nul_is_no_digit(void **state)
{
	struct phone phone;

	(void)state;
	assert_non_null(phone_read(SPAN("+4915112345\0"
	                                "678"),
	                           &phone));
}

/* ITU-T, list of country codes of 2016. */
static void a_phone_has_the_code_of_its_country(void **state)
{
	static const struct {
		const char *phone, *country;
	} rows[] = {
		{"+12025550123", "1"},    {"+18765550123", "1"},
		{"+79161234567", "7"},    {"+77011234567", "7"},
		{"+201001234567", "20"},  {"+211912345678", "211"},
		{"+27821234567", "27"},   {"+28012345678", "280"},
		{"+302101234567", "30"},  {"+351912345678", "351"},
		{"+393123456789", "39"},  {"+380501234567", "380"},
		{"+420601123456", "420"}, {"+447911123456", "44"},
		{"+4915112345678", "49"}, {"+50012345678", "500"},
		{"+525512345678", "52"},  {"+59812345678", "598"},
		{"+60123456789", "60"},   {"+66812345678", "66"},
		{"+67012345678", "670"},  {"+819012345678", "81"},
		{"+821012345678", "82"},  {"+85291234567", "852"},
		{"+8613812345678", "86"}, {"+88213123456", "882"},
		{"+905321234567", "90"},  {"+919876543210", "91"},
		{"+96171234567", "961"},  {"+989121234567", "98"},
		{"+995551234567", "995"}, {"+998901234567", "998"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct phone phone;

		assert_null(phone_read(span_of(rows[i].phone), &phone));
		if (!span_equal(phone_country(&phone),
		                span_of(rows[i].country)))
			fail_msg("%s", rows[i].phone);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_of_e164_are_phones),
		cmocka_unit_test(a_nul_is_no_digit),
		cmocka_unit_test(a_phone_has_the_code_of_its_country),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
