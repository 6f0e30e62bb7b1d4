#include "common/io/host_cache.h"
#include "tests/support/name_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netdb.h>
#include <netinet/in.h>

/* The name has not been asked for in another test. */
static const char *new_name(void)
{
	static char name[32];
	static unsigned number;

	(void)snprintf(name, sizeof(name), "host-%u.test", ++number);
	return name;
}

/* "127.0.0.1:80 127.0.0.2:80", or the error. */
static const char *get(const char *host, const char *service, int family)
{
	const struct addrinfo hints = {.ai_family = family};
	static char text[512];
	struct addrinfo *found = NULL;
	int error = host_cache_get(host, service, &hints, &found);
	size_t len = 0;

	if (error)
		return gai_strerror(error);
	text[0] = '\0';
	for (struct addrinfo *info = found; info; info = info->ai_next) {
		char at[64], port[8];

		assert_int_equal(info->ai_socktype, SOCK_STREAM);
		assert_int_equal(getnameinfo(info->ai_addr, info->ai_addrlen,
		                             at, sizeof(at), port, sizeof(port),
		                             NI_NUMERICHOST | NI_NUMERICSERV),
		                 0);
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		                        "%s%s:%s", len ? " " : "", at, port);
	}
	host_cache_free(found);
	return text;
}

static void addresses_come_with_the_port(void **state)
{
	(void)state;
	name_server_says("127.0.0.1", "::1");
	assert_string_equal(get(new_name(), "9092", AF_UNSPEC),
	                    "127.0.0.1:9092 ::1:9092");
	assert_string_equal(get(new_name(), NULL, AF_INET6), "::1:0");
	name_server_says("127.0.0.1", NULL);
	assert_string_equal(get(new_name(), "1", AF_INET6),
	                    gai_strerror(EAI_NONAME));
	host_cache_free(NULL);
}

static void an_address_needs_no_name_server(void **state)
{
	(void)state;
	name_server_hangs();
	assert_string_equal(get("127.0.0.7", "1", AF_UNSPEC), "127.0.0.7:1");
	assert_string_equal(get("::1", "1", AF_UNSPEC), "::1:1");
	name_server_says(NULL, NULL);
}

/* The first answer comes after its caller has given up. */
static void a_late_answer_serves_the_next_call(void **state)
{
	const char *name = new_name();

	(void)state;
	name_server_hangs();
	assert_string_equal(get(name, "1", AF_UNSPEC), gai_strerror(EAI_AGAIN));
	name_server_says("127.0.0.1", NULL);
	while (strcmp(get(name, "1", AF_UNSPEC), "127.0.0.1:1"))
		;
	/* It is looked up again, but serves until there is an answer. */
	name_server_hangs();
	for (unsigned i = 0; i < 3; i++)
		assert_string_equal(get(name, "1", AF_UNSPEC), "127.0.0.1:1");
	name_server_says("127.0.0.2", NULL);
	while (strcmp(get(name, "1", AF_UNSPEC), "127.0.0.2:1"))
		;
	name_server_says(NULL, NULL);
	assert_string_equal(get(name, "1", AF_UNSPEC), "127.0.0.2:1");
}

static void a_failure_is_looked_up_again(void **state)
{
	const char *name = new_name();

	(void)state;
	name_server_says(NULL, NULL);
	assert_string_equal(get(name, "1", AF_UNSPEC), gai_strerror(EAI_AGAIN));
	name_server_says("127.0.0.1", NULL);
	assert_string_equal(get(name, "1", AF_UNSPEC), "127.0.0.1:1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_come_with_the_port),
		cmocka_unit_test(an_address_needs_no_name_server),
		cmocka_unit_test(a_late_answer_serves_the_next_call),
		cmocka_unit_test(a_failure_is_looked_up_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
