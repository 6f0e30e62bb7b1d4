#include "common/base/ip_address.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct ip_address address(const char *text)
{
	struct ip_address parsed = {{0}};

	if (!ip_address_parse(span_of(text), &parsed))
		fail_msg("no address: %s", text);
	return parsed;
}

static bool same(struct ip_address a, struct ip_address b)
{
	return span_equal(ip_address_span(&a), ip_address_span(&b));
}

static void both_families_are_read(void **state)
{
	static const char *const bad[] = {
		"",          "1",           "1.2.3",      "1.2.3.4.5",
		"1.2.3.256", "1.2.3.4 ",    " 1.2.3.4",   "1.2.3.4:80",
		"[::1]",     "::1%lo",      "1:2:3",      "::g",
		"localhost", "unknown",     "1.2.3.4\n",  "01.2.3.4",
		"1.2.3.4/8", "1.2.3.4,::1", "0x7f.0.0.1", "2130706433",
	};
	struct ip_address parsed;

	(void)state;
	assert_true(same(address("::ffff:192.0.2.1"), address("192.0.2.1")));
	assert_true(
		same(address("2001:db8::1"), address("2001:0DB8:0:0:0:0:0:1")));
	assert_false(same(address("::1"), address("127.0.0.1")));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (ip_address_parse(span_of(bad[i]), &parsed))
			fail_msg("taken: '%s'", bad[i]);
	}
	assert_false(ip_address_parse(SPAN("1.2.3.4\0"), &parsed));
}

static void the_address_of_a_socket_is_read(void **state)
{
	struct sockaddr_in four = {.sin_family = AF_INET,
	                           .sin_addr = {htonl(0x7f000001)}};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6,
	                           .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr other = {.sa_family = AF_UNIX};
	struct ip_address read;

	(void)state;
	assert_true(ip_address_of_socket((struct sockaddr *)&four, &read));
	assert_true(same(read, address("127.0.0.1")));
	assert_true(ip_address_of_socket((struct sockaddr *)&six, &read));
	assert_true(same(read, address("::1")));
	assert_false(ip_address_of_socket(&other, &read));
}

static void a_subscriber_has_64_bits_of_ipv6(void **state)
{
	static const struct {
		const char *one, *other;
		bool same;
	} rows[] = {
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true},
		{"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"::1", "::2", true},
		{"::1", "127.0.0.1", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip_address one = address(rows[i].one);
		struct ip_address other = address(rows[i].other);

		if (same(ip_address_subscriber(&one),
		         ip_address_subscriber(&other)) != rows[i].same)
			fail_msg("%s, %s", rows[i].one, rows[i].other);
	}
}

static void a_network_has_its_addresses(void **state)
{
	static const struct {
		const char *networks, *address;
		bool in;
	} rows[] = {
		{"127.0.0.0/8,::1", "127.0.0.1", true},
		{"127.0.0.0/8,::1", "127.255.0.1", true},
		{"127.0.0.0/8,::1", "128.0.0.1", false},
		{"127.0.0.0/8,::1", "::1", true},
		{"127.0.0.0/8,::1", "::2", false},
		{"10.1.2.3/8", "10.9.9.9", true},
		{"10.0.0.0/9 , 10.128.0.0/10", "10.191.0.1", true},
		{"10.0.0.0/9 , 10.128.0.0/10", "10.192.0.1", false},
		{"10.0.0.1/32", "10.0.0.1", true},
		{"10.0.0.1/32", "10.0.0.0", false},
		{"0.0.0.0/0", "203.0.113.9", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"::/0", "203.0.113.9", true},
		{"::/0", "2001:db8::1", true},
		{"2001:db8::/33", "2001:db8:7fff::1", true},
		{"2001:db8::/33", "2001:db8:8000::1", false},
		{"::ffff:10.0.0.0/8", "10.9.9.9", true},
		{"", "127.0.0.1", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip_networks networks;
		struct ip_address one = address(rows[i].address);

		if (!ip_networks_parse(span_of(rows[i].networks), &networks) ||
		    ip_networks_have(&networks, &one) != rows[i].in)
			fail_msg("%s in %s", rows[i].address, rows[i].networks);
	}
}

static void other_text_is_no_network(void **state)
{
	static const char *const bad[] = {
		",",           "10.0.0.0/",    "10.0.0.0/33", "10.0.0.0/-1",
		"10.0.0.0/08", "10.0.0.0/8/8", "::/129",      "::1,,::2",
		"10.0.0/8",    "none",         "*",           "10.0.0.0/8;::1",
	};
	static char many[IP_NETWORKS_MAX * 4 + 4];
	struct ip_networks networks;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (ip_networks_parse(span_of(bad[i]), &networks))
			fail_msg("taken: '%s'", bad[i]);
	}
	for (unsigned i = 0; i < IP_NETWORKS_MAX; i++)
		memcpy(many + (size_t)i * 4, "::1,", 4);
	assert_true(ip_networks_parse(span_make(many, IP_NETWORKS_MAX * 4 - 1),
	                              &networks));
	assert_int_equal(networks.count, IP_NETWORKS_MAX);
	memcpy(many + (size_t)IP_NETWORKS_MAX * 4, "::1", 4);
	assert_false(ip_networks_parse(span_of(many), &networks));
}

static void only_trusted_proxies_name_the_client(void **state)
{
	static const struct {
		const char *peer, *forwarded, *client;
	} rows[] = {
		{"127.0.0.1", "", "127.0.0.1"},
		{"127.0.0.1", "203.0.113.9", "203.0.113.9"},
		{"127.0.0.1", "2001:db8::1", "2001:db8::1"},
		{"::1", "203.0.113.9", "203.0.113.9"},
		/* a client that speaks to the service itself */
		{"203.0.113.9", "198.51.100.1", "203.0.113.9"},
		/* a client that sends the header to a proxy that appends */
		{"127.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"},
		{"127.0.0.1", "127.0.0.1,203.0.113.9", "203.0.113.9"},
		/* two proxies */
		{"127.0.0.1", "198.51.100.1,203.0.113.9, 10.0.0.7",
	         "203.0.113.9"},
		/* all trusted: the first */
		{"127.0.0.1", "10.0.0.8,10.0.0.7", "10.0.0.8"},
		/* what is no address is not believed, nor what stands before */
		{"127.0.0.1", "203.0.113.9, unknown", "127.0.0.1"},
		{"127.0.0.1", "203.0.113.9,", "127.0.0.1"},
		{"127.0.0.1", "203.0.113.9, ,10.0.0.7", "10.0.0.7"},
		{"127.0.0.1", "203.0.113.9:4711", "127.0.0.1"},
	};
	struct ip_networks trusted;

	(void)state;
	assert_true(ip_networks_parse(SPAN("127.0.0.0/8,::1,10.0.0.0/8"),
	                              &trusted));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip_address peer = address(rows[i].peer);

		if (!same(ip_networks_client(&trusted, &peer,
		                             span_of(rows[i].forwarded)),
		          address(rows[i].client)))
			fail_msg("%s, '%s'", rows[i].peer, rows[i].forwarded);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_families_are_read),
		cmocka_unit_test(the_address_of_a_socket_is_read),
		cmocka_unit_test(a_subscriber_has_64_bits_of_ipv6),
		cmocka_unit_test(a_network_has_its_addresses),
		cmocka_unit_test(other_text_is_no_network),
		cmocka_unit_test(only_trusted_proxies_name_the_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
