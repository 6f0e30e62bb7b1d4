#include "client-test/client/address.h"
#include "common/base/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_url_has_host_and_port(void **state)
{
	struct address address;

	(void)state;
	assert_true(address_parse("http://chat.example:8080/", &address));
	assert_string_equal(address.host, "chat.example");
	assert_string_equal(address.port, "8080");
	assert_string_equal(address.authority, "chat.example:8080");
}

static void the_default_port_may_be_omitted(void **state)
{
	struct address address;

	(void)state;
	assert_true(address_parse("http://chat.example", &address));
	assert_string_equal(address.port, "80");
}

static void other_urls_are_refused(void **state)
{
	static const char *const urls[] = {
		"",           "http://",
		"http:///",   "https://a",
		"ws://a",     "a:80",
		"http://a:0", "http://a:65536",
		"http://a:",  "http://a:b",
		"http://a/b", "http://a?b",
		"http://u@a", "http://a\r\nX: 1",
		"http://a b", "http://[::1]",
	};
	struct address address;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(urls); i++)
		assert_false(address_parse(urls[i], &address));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_url_has_host_and_port),
		cmocka_unit_test(the_default_port_may_be_omitted),
		cmocka_unit_test(other_urls_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
