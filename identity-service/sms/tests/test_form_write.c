#include "identity-service/sms/form_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_plus_is_escaped_and_a_blank_becomes_one(void **state)
{
	CLEANUP(buf_free) struct buf form = BUF(200);

	(void)state;
	form_write(&form, "To", SPAN("+4915112345678"));
	form_write(&form, "Body", SPAN("1 + 1 = 2 & a%20*-._~/\n\u00fc"));
	form_write(&form, "Empty", SPAN(""));
	assert_string_equal(buf_text(&form),
	                    "To=%2B4915112345678"
	                    "&Body=1+%2B+1+%3D+2+%26+a%2520*-._%7E%2F%0A%C3%BC"
	                    "&Empty=");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plus_is_escaped_and_a_blank_becomes_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
