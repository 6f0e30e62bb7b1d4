#include "common/io/https_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void good_urls_have_no_fault(void **state)
{
	static const char *const good[] = {
		"https://example.com",
		"https://example.com/",
		"HTTPS://EXAMPLE.com/a.png",
		"https://example.com:8443/a/b.png?size=64&x[]=1#top",
		"https://example.com?q=https://user@other.example/",
		"https://example.com/~ann/@me:big%20one.png",
		"https://192.0.2.7/a",
		"https://[2001:db8::7]:443/a",
		"https://xn--bcher-kva.example/",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		const char *fault = https_url_fault(span_of(good[i]));

		if (fault)
			fail_msg("%s: %s", good[i], fault);
	}
}

static void bad_urls_have_a_fault(void **state)
{
	static const struct {
		const char *url;
		const char *fault; /* a part of it */
	} bad[] = {
		{"", "https://"},
		{"https:/", "https://"},
		{"example.com/a.png", "https://"},
		{"//example.com/a.png", "https://"},
		{"http://example.com/a.png", "https://"},
		{"ftp://example.com/a.png", "https://"},
		{"javascript:alert(1)", "https://"},
		{"data:image/png;base64,AAAA", "https://"},
		{" https://example.com/", "https://"},
		{"https:/example.com/", "https://"},
		{"https:example.com", "https://"},
		{"https://example.com/a b", "RFC 3986"},
		{"https://example.com/\n", "RFC 3986"},
		{"https://example.com/\x7f", "RFC 3986"},
		{"https://example.com/\"onerror=", "RFC 3986"},
		{"https://example.com/<script>", "RFC 3986"},
		{"https://example.com\\@other.example/", "RFC 3986"},
		{"https://b\u00fccher.example/", "RFC 3986"},
		{"https://example.com/%", "RFC 3986"},
		{"https://example.com/%4", "RFC 3986"},
		{"https://example.com/%zz", "RFC 3986"},
		{"https://ann@example.com/", "user"},
		{"https://ann:secret@example.com/", "user"},
		{"https://:@example.com/", "user"},
		{"https://@example.com/", "user"},
		{"https://example.com@other.example/", "user"},
		{"https://", "host"},
		{"https:///a.png", "host"},
		{"https://?q", "host"},
		{"https://#a", "host"},
		{"https://:443/", "host"},
		{"https://example.com:0x50/", "host"},
		{"https://example.com:99999/", "host"},
		{"https://example.com:8080:80/", "host"},
		{"https://[2001:db8::7/", "host"},
		{"https://[example]/", "host"},
		{"https://exa%6Dple.com/", "host"},
		{"https://exa$mple.com/", "host"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *fault = https_url_fault(span_of(bad[i].url));

		if (!fault || !strstr(fault, bad[i].fault))
			fail_msg("%s: %s", bad[i].url, fault ? fault : "good");
	}
	assert_non_null(https_url_fault(SPAN_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_urls_have_no_fault),
		cmocka_unit_test(bad_urls_have_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
