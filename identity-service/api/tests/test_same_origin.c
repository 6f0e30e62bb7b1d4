#include "common/base/scope.h"
#include "identity-service/api/same_origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define HOST "chat.example"

enum verdict {
	SAME,
	OTHER,
	UNKNOWN, /* no browser says where it comes from */
};

static const struct row {
	const char *origin, *host, *fetch_site, *proto;
	enum verdict verdict;
	bool https;
} rows[] = {
	/* A page of the host itself. */
	{"https://" HOST, HOST, "same-origin", "https", SAME, true},
	{"https://" HOST, HOST, "same-origin", "http", SAME, true},
	{"https://" HOST, HOST, "same-origin", "", SAME, true},
	{"https://" HOST, HOST, "", "https", SAME, true},
	{"https://" HOST ":8443", HOST ":8443", "", "https", SAME, true},
	{"http://" HOST, HOST, "", "http", SAME, false},
	{"http://192.0.2.7:8080", "192.0.2.7:8080", "", "http", SAME, false},
	{"http://127.0.0.1:8080", "127.0.0.1:8080", "same-origin", "http", SAME,
         false},
	{"http://localhost:8080", "localhost:8080", "same-origin", "", SAME,
         false},
	{"http://[::1]:8080", "[::1]:8080", "same-origin", "", SAME, false},

	/* Other hosts, ports and schemes. */
	{"https://evil.example", HOST, "cross-site", "https", OTHER, false},
	{"https://evil.example", HOST, "", "https", OTHER, false},
	{"https://evil.example", HOST, "same-origin", "", OTHER, false},
	{"https://a." HOST, HOST, "same-site", "https", OTHER, false},
	{"https://a." HOST, HOST, "", "https", OTHER, false},
	{"https://example", HOST, "", "", OTHER, false},
	{"https://" HOST ":8443", HOST, "", "", OTHER, false},
	{"https://" HOST, HOST ":8443", "", "", OTHER, false},
	{"http://localhost:3000", "localhost:8080", "same-site", "", OTHER,
         false},
	{"http://" HOST, HOST, "", "https", OTHER, false},
	{"http://" HOST, HOST, "", "HTTPS", OTHER, false},
	{"http://" HOST, HOST, "", " https , http", OTHER, false},
	{"http://" HOST, HOST, "", "http, https", SAME, false},
	{"http://" HOST, HOST, "cross-site", "https", OTHER, false},
	{"https://" HOST, HOST, "same-site", "https", OTHER, false},
	{"https://" HOST, HOST, "cross-site", "https", OTHER, false},
	{"https://" HOST, HOST, "none", "https", OTHER, false},
	{"https://" HOST, HOST, "SAME-ORIGIN", "https", OTHER, false},
	{"https://" HOST, HOST, "same-origin, cross-site", "", OTHER, false},

	/* No origin of a page. */
	{"null", HOST, "cross-site", "https", OTHER, false},
	{"null", HOST, "same-origin", "https", OTHER, false},
	{"null", HOST, "", "", OTHER, false},
	{"null", "null", "", "", OTHER, false},
	{"", HOST, "cross-site", "https", OTHER, false},
	{"", HOST, "same-site", "https", OTHER, false},
	{"", HOST, "same-origin", "https", UNKNOWN, false},
	{"", HOST, "none", "https", UNKNOWN, false},
	{"", HOST, "", "https", UNKNOWN, false},
	{"", "", "", "", UNKNOWN, false},

	/* Texts that no browser sends. */
	{"https://" HOST, "", "", "", OTHER, false},
	{"https://", "", "", "", OTHER, false},
	{"https://", HOST, "", "", OTHER, false},
	{HOST, HOST, "", "", OTHER, false},
	{"//" HOST, HOST, "", "", OTHER, false},
	{"ftp://" HOST, HOST, "", "", OTHER, false},
	{"httpss://" HOST, HOST, "", "", OTHER, false},
	{"HTTPS://" HOST, HOST, "", "", OTHER, false},
	{"https://CHAT.example", HOST, "", "", OTHER, false},
	{"https://" HOST "/", HOST, "", "", OTHER, false},
	{"https://" HOST ".", HOST, "", "", OTHER, false},
	{"https://" HOST ".evil.example", HOST, "", "", OTHER, false},
	{"https://evil.example#" HOST, HOST, "", "", OTHER, false},
	{"https://" HOST "@evil.example", HOST, "", "", OTHER, false},
	{"https://evil.example@" HOST, HOST, "", "", OTHER, false},
	{"https://" HOST " https://evil.example", HOST, "", "", OTHER, false},
	{"https://" HOST ", https://evil.example", HOST, "", "", OTHER, false},
	{"https://https://" HOST, HOST, "", "", OTHER, false},
	{"*", HOST, "", "", OTHER, false},
	{"*", "*", "", "", OTHER, false},
};

static void only_a_page_of_the_host_is_of_the_same_origin(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		const struct request_origin request = {
			span_of(row->origin), span_of(row->host),
			span_of(row->fetch_site), span_of(row->proto)};
		bool https = false;

		if (same_origin(&request, &https) != (row->verdict == SAME) ||
		    https != row->https)
			fail_msg("same: %s, %s, %s, %s", row->origin, row->host,
			         row->fetch_site, row->proto);
		if (other_origin(&request) != (row->verdict == OTHER))
			fail_msg("other: %s, %s, %s, %s", row->origin,
			         row->host, row->fetch_site, row->proto);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_page_of_the_host_is_of_the_same_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
