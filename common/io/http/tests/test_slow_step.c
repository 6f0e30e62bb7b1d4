/*
 * Handlers on the server's thread that compute or sleep for too long are told;
 * those of a worker pool may do both.
 */
#include "common/base/clock.h"
#include "common/base/scope.h"
#include "common/base/turn_watch.h"
#include "common/io/http/client.h"
#include "common/io/http/server.h"
#include "tests/support/free_port.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

enum { TURN_MAX_MS = 300, HANG_MS = 60000 };

static atomic_uint told;
static struct slow_turn last; /* read after the server has stopped */

static void on_slow_turn(const char *loop, const struct slow_turn *slow)
{
	assert_string_equal(loop, "http");
	last = *slow;
	atomic_fetch_add(&told, 1);
}

static void answer_at_once(struct http_request *request, void *context)
{
	(void)context;
	http_answer_json(request, 200, SPAN("{}"));
}

/* Of this thread, so that it is as much on a busy machine. */
static void compute(struct http_request *request, void *context)
{
	uint64_t until_us = clock_thread_cpu_us() + 1000000;

	while (clock_thread_cpu_us() < until_us)
		;
	answer_at_once(request, context);
}

static void sleep_for_long(struct http_request *request, void *context)
{
	(void)usleep((TURN_ASLEEP_MAX_MS + 200) * 1000);
	answer_at_once(request, context);
}

static const struct http_worker_pool_options pools[] = {
	{"slow", 1, 10, 0, 503, 1, NULL, NULL, NULL},
};

static const struct http_route routes[] = {
	{"GET", "/quick", answer_at_once, HTTP_INLINE, HTTP_NO_BODY},
	{"GET", "/computes", compute, HTTP_INLINE, HTTP_NO_BODY},
	{"GET", "/sleeps", sleep_for_long, HTTP_INLINE, HTTP_NO_BODY},
	{"GET", "/pool/sleeps", sleep_for_long, 0, HTTP_NO_BODY},
};

/* Returns how many steps of the request were slow. */
static unsigned ask(const char *path, uint64_t turn_max_ms)
{
	struct http_server_options options = {
		.bind_address = "127.0.0.1",
		.port = free_port(),
		.routes = routes,
		.route_count = ARRAY_LEN(routes),
		.pools = pools,
		.pool_count = ARRAY_LEN(pools),
		.max_body = 100,
		.connection_max = 10,
		.idle_timeout_s = 120,
		.body_timeout_s = 120,
		.unread_max = 1000,
		.unread_user_max = 1000,
		.turn_max_ms = turn_max_ms,
		.slow_turn = on_slow_turn,
	};
	struct http_client *client CLEANUP(http_client_destroy) =
		http_client_create();
	struct http_server *server CLEANUP(http_server_stop) = NULL;
	struct http_answer answer;
	char url[100];

	assert_int_equal(http_server_start(&options, &server), ST_OK);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", options.port,
	               path);
	atomic_store(&told, 0);
	last = (struct slow_turn){0};
	assert_int_equal(
		http_client_ask(
			client,
			&(struct http_ask){.url = url, .timeout_ms = HANG_MS},
			&answer),
		ST_OK);
	assert_int_equal(answer.http, 200);
	http_server_stop(&server);
	return atomic_load(&told);
}

static void a_step_that_computes_is_slow(void **state)
{
	(void)state;
	assert_int_equal(ask("/computes", TURN_MAX_MS), 1);
	assert_in_range(last.cpu_us, TURN_MAX_MS * 1000, UINT32_MAX);
	assert_int_equal(ask("/computes", 0), 0);
}

static void a_step_that_sleeps_is_slow(void **state)
{
	(void)state;
	assert_int_equal(ask("/sleeps", TURN_MAX_MS), 1);
	assert_in_range(last.asleep_us, TURN_ASLEEP_MAX_MS * 1000, UINT32_MAX);
}

static void other_steps_are_not(void **state)
{
	(void)state;
	assert_int_equal(ask("/quick", TURN_MAX_MS), 0);
	assert_int_equal(ask("/pool/sleeps", TURN_MAX_MS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_step_that_computes_is_slow),
		cmocka_unit_test(a_step_that_sleeps_is_slow),
		cmocka_unit_test(other_steps_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
