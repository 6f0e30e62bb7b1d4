/* Requests to a server with a name, while name servers are slow or wrong. */
#include "common/base/mem.h"
#include "common/io/http/client.h"
#include "tests/support/http_stub.h"
#include "tests/support/name_server.h"
#include "tests/support/test_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

enum { CONNECTIONS = 4, HANG_MS = 60000, SHORT_MS = 200, WHY_MAX = 256 };

static void serve_one(int fd, struct span request)
{
	char byte;

	if (memchr(request.data, '?', request.len)) { /* never answered */
		while (recv(fd, &byte, 1, 0) > 0)
			;
		return;
	}
	http_stub_answer(fd, "200 OK", SPAN("{}"));
}

/* --- the poller ---------------------------------------------------------- */
static struct http_poller *poller;
static char base[128];

static void open_poller(const char *host)
{
	(void)snprintf(base, sizeof(base), "http://%s:%u", host,
	               http_stub_port());
	poller = http_poller_create(test_loop, base, CONNECTIONS);
}

static int stop(void **state)
{
	http_poller_destroy(&poller);
	return test_loop_stop(state);
}

/* --- requests ------------------------------------------------------------ */

static unsigned done, good;
static char why[WHY_MAX];

static void on_answer(void *context, enum status status,
                      const struct http_answer *answer)
{
	(void)context;
	done++;
	good += status == ST_OK && answer->http == 200;
	(void)snprintf(why, sizeof(why), "%s", http_poller_error(poller));
}

static void ask(const char *path, unsigned timeout_ms)
{
	char url[256];

	(void)snprintf(url, sizeof(url), "%s%s", base, path);
	http_poller_ask(
		poller,
		&(struct http_ask){.url = url, .timeout_ms = timeout_ms},
		on_answer, NULL);
}

static bool ask_and_wait(const char *path, unsigned timeout_ms)
{
	done = good = 0;
	ask(path, timeout_ms);
	turn_until(done >= 1);
	return good == 1;
}

static void ask_until_good(void)
{
	while (!ask_and_wait("/", SHORT_MS))
		;
}

/* --- tests --------------------------------------------------------------- */

static void a_slow_name_server_does_not_stop_the_loop(void **state)
{
	(void)state;
	name_server_hangs();
	open_poller("auth.test");
	done = good = 0;
	for (unsigned i = 0; i < 3 * CONNECTIONS; i++)
		ask("/", SHORT_MS);
	ask("/", HANG_MS);
	test_loop_beats = 0;
	turn_until(done >= 3 * CONNECTIONS);
	turn_until(test_loop_beats >= 10);
	assert_int_equal(done, 3 * CONNECTIONS);
	assert_string_equal(why, "auth.test is not resolved yet");
	name_server_says("127.0.0.1", NULL);
	turn_until(good >= 1);
	/* The addresses stay in use, and nothing waits for a look-up. */
	name_server_hangs();
	assert_false(ask_and_wait("/?", SHORT_MS));
	assert_true(ask_and_wait("/", HANG_MS));
}

static void a_name_that_cannot_be_resolved_is_looked_up_again(void **state)
{
	(void)state;
	name_server_says(NULL, NULL);
	open_poller("auth.test");
	assert_false(ask_and_wait("/", SHORT_MS));
	assert_non_null(strstr(why, "auth.test cannot be resolved: Temporary"));
	done = good = 0;
	ask("/", HANG_MS);
	name_server_says("127.0.0.1", NULL);
	turn_until(good >= 1);
}

static void each_address_is_tried_and_a_changed_one_is_found(void **state)
{
	(void)state;
	name_server_says("127.0.0.3", "127.0.0.1");
	open_poller("auth.test");
	assert_true(ask_and_wait("/", HANG_MS));
	name_server_says("127.0.0.3", NULL); /* nothing listens there */
	while (ask_and_wait("/", HANG_MS))
		assert_false(ask_and_wait("/?", SHORT_MS));
	name_server_says("127.0.0.1", NULL);
	ask_until_good();
}

/* The other connections to the old address may lead to nowhere, too. */
static void a_changed_address_gets_new_connections(void **state)
{
	unsigned before, rounds = 0;

	(void)state;
	name_server_says("127.0.0.1", NULL);
	open_poller("auth.test");
	for (unsigned i = 0; i < 3 * CONNECTIONS; i++)
		assert_true(ask_and_wait("/", HANG_MS));
	before = http_stub_accepted();
	name_server_says("127.0.0.1", "127.0.0.3");
	do { /* a failure closes one connection and starts a look-up */
		assert_false(ask_and_wait("/?", SHORT_MS));
		for (unsigned i = 0; i < CONNECTIONS; i++)
			assert_true(ask_and_wait("/", HANG_MS));
		rounds++;
	} while (http_stub_accepted() - before <= rounds);
}

static void an_address_needs_no_name_server(void **state)
{
	(void)state;
	name_server_hangs();
	open_poller("127.0.0.1");
	assert_true(ask_and_wait("/", HANG_MS));
	http_poller_destroy(&poller);
	open_poller("[::1]"); /* the server listens on IPv4 only */
	assert_false(ask_and_wait("/", HANG_MS));
	assert_null(strstr(why, "resolve"));
}

static int start_server(void **state)
{
	(void)state;
	return http_stub_start(serve_one);
}

static int stop_server(void **state)
{
	(void)state;
	return http_stub_stop();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, test_loop_start, stop)
	const struct CMUnitTest tests[] = {
		TEST(a_slow_name_server_does_not_stop_the_loop),
		TEST(a_name_that_cannot_be_resolved_is_looked_up_again),
		TEST(each_address_is_tried_and_a_changed_one_is_found),
		TEST(a_changed_address_gets_new_connections),
		TEST(an_address_needs_no_name_server),
	};
#undef TEST

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
