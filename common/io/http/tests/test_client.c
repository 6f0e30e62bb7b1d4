/* Both clients against a small real HTTP server on a thread of this process. */
#define _GNU_SOURCE /* memmem */
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/io/http/client.h"
#include "tests/support/http_stub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

enum {
	LIMIT = 64 * 1024,
	OUT_MAX = 2 * LIMIT,
	ASKS = 1000,
	CONNECTIONS = 8,
	SLOW_MS = 1200,
	WAITING_MAX = 16384, /* as http_poller_ask() promises */
};

/* --- the server ---------------------------------------------------------- */
static void answer_zeros(int fd, size_t bytes)
{
	char *zeros = mem_new(bytes);

	http_stub_answer(fd, "200 OK", span_make(zeros, bytes));
	mem_free(&zeros);
}

static bool asks_for(struct span request, const char *path)
{
	char *at = memchr(request.data, ' ', request.len);
	size_t len = strlen(path);

	return at && !strncmp(at + 1, path, len) && at[1 + len] == ' ';
}

/* Returns only when the client has hung up. */
static void stay_silent(int fd)
{
	char byte;

	while (recv(fd, &byte, 1, 0) > 0)
		;
}

static void answer_late(int fd)
{
	usleep(SLOW_MS * 1000);
	http_stub_answer(fd, "200 OK", SPAN("at last"));
}

static void serve_one(int fd, struct span request)
{
	if (asks_for(request, "/redirect"))
		http_stub_put(fd,
		              SPAN("HTTP/1.1 302 Found\r\nLocation: /echo\r\n"
		                   "Content-Length: 0\r\n\r\n"));
	else if (asks_for(request, "/missing"))
		http_stub_answer(fd, "404 Not Found", SPAN("none"));
	else if (asks_for(request, "/limit"))
		answer_zeros(fd, LIMIT);
	else if (asks_for(request, "/over"))
		answer_zeros(fd, LIMIT + 1);
	else if (asks_for(request, "/garbage"))
		http_stub_put(fd, SPAN("this is not HTTP\r\n\r\n"));
	else if (asks_for(request, "/silent"))
		stay_silent(fd);
	else if (asks_for(request, "/slow"))
		answer_late(fd);
	else
		http_stub_answer(fd, "200 OK", request); /* whole, to look at */
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

/* --- asking -------------------------------------------------------------- */
static const char *url_of(const char *path)
{
	static char url[128];

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s",
	               http_stub_port(), path);
	return url;
}

static struct http_ask ask_for(const char *path)
{
	return (struct http_ask){.url = url_of(path), .timeout_ms = 30000};
}

static bool body_has(const struct http_answer *answer, const char *text)
{
	return memmem(answer->body.data, answer->body.len, text, strlen(text));
}

static int create_client(void **state)
{
	*state = http_client_create();
	return 0;
}

static int destroy_client(void **state)
{
	http_client_destroy((struct http_client **)state);
	return 0;
}

static void an_answer_has_code_and_body(void **state)
{
	struct http_ask ask = ask_for("/missing");
	struct http_answer answer;

	assert_int_equal(http_client_ask(*state, &ask, &answer), ST_OK);
	assert_int_equal(answer.http, 404);
	assert_true(span_equal(answer.body, SPAN("none")));
}

static void a_token_travels_as_bearer(void **state)
{
	struct http_ask ask = ask_for("/echo");
	struct http_answer answer;

	ask.bearer = SPAN("abc.def");
	assert_int_equal(http_client_ask(*state, &ask, &answer), ST_OK);
	assert_true(body_has(&answer, "\r\nAuthorization: Bearer abc.def\r\n"));
}

static void a_get_after_a_post_has_no_body(void **state)
{
	struct http_ask post = ask_for("/echo"), get = ask_for("/echo");
	struct http_answer answer;

	post.content_type = "application/json";
	post.body = SPAN("{\"a\":1}");
	post.bearer = SPAN("secret");
	assert_int_equal(http_client_ask(*state, &post, &answer), ST_OK);
	assert_true(body_has(&answer, "POST /echo "));
	assert_true(body_has(&answer, "\r\nContent-Type: application/json\r"));
	assert_true(body_has(&answer, "\r\n\r\n{\"a\":1}"));

	assert_int_equal(http_client_ask(*state, &get, &answer), ST_OK);
	assert_true(body_has(&answer, "GET /echo "));
	assert_false(body_has(&answer, "Content-Type"));
	assert_false(body_has(&answer, "secret"));
}

static void other_methods_come_with_and_without_bodies(void **state)
{
	struct http_ask patch = ask_for("/echo"), delete = ask_for("/echo"),
			post = ask_for("/echo"), get = ask_for("/echo");
	struct http_answer answer;

	patch.method = "PATCH";
	patch.content_type = "application/json";
	patch.body = SPAN("{\"a\":1}");
	assert_int_equal(http_client_ask(*state, &patch, &answer), ST_OK);
	assert_true(body_has(&answer, "PATCH /echo "));
	assert_true(body_has(&answer, "\r\n\r\n{\"a\":1}"));

	delete.method = "DELETE";
	assert_int_equal(http_client_ask(*state, &delete, &answer), ST_OK);
	assert_true(body_has(&answer, "DELETE /echo "));
	assert_false(body_has(&answer, "Content-"));

	post.method = "POST";
	assert_int_equal(http_client_ask(*state, &post, &answer), ST_OK);
	assert_true(body_has(&answer, "POST /echo "));
	assert_true(body_has(&answer, "\r\nContent-Length: 0\r"));
	assert_false(body_has(&answer, "Content-Type"));

	assert_int_equal(http_client_ask(*state, &get, &answer), ST_OK);
	assert_true(body_has(&answer, "GET /echo "));
}

static void a_redirect_is_not_followed(void **state)
{
	struct http_ask ask = ask_for("/redirect");
	struct http_answer answer;

	assert_int_equal(http_client_ask(*state, &ask, &answer), ST_OK);
	assert_int_equal(answer.http, 302);
}

static void a_body_up_to_the_limit_is_taken(void **state)
{
	struct http_ask ask = ask_for("/limit");
	struct http_answer answer;

	assert_int_equal(http_client_ask(*state, &ask, &answer), ST_OK);
	assert_int_equal(answer.body.len, LIMIT);
}

static void a_body_over_the_limit_is_an_error(void **state)
{
	struct http_ask ask = ask_for("/over");
	struct http_answer answer;

	assert_int_equal(http_client_ask(*state, &ask, &answer),
	                 ST_UNAVAILABLE);
}

static void an_ask_may_allow_a_longer_body(void **state)
{
	struct http_ask ask = ask_for("/over");
	struct http_answer answer;

	ask.answer_max = LIMIT + 1;
	assert_int_equal(http_client_ask(*state, &ask, &answer), ST_OK);
	assert_int_equal(answer.body.len, LIMIT + 1);
}

static void an_answer_that_is_not_http_is_an_error(void **state)
{
	struct http_ask ask = ask_for("/garbage");
	struct http_answer answer;

	assert_int_equal(http_client_ask(*state, &ask, &answer),
	                 ST_UNAVAILABLE);
}

static void a_silent_server_costs_no_more_than_the_limit(void **state)
{
	struct http_ask ask = ask_for("/silent");
	uint64_t start_ms = clock_mono_ms();
	struct http_answer answer;

	ask.timeout_ms = 100;
	assert_int_equal(http_client_ask(*state, &ask, &answer),
	                 ST_UNAVAILABLE);
	assert_in_range(clock_mono_ms() - start_ms, 90, 3000);
}

static void a_port_without_listener_is_unavailable(void **state)
{
	struct http_ask ask = {.url = "http://127.0.0.1:1/",
	                       .timeout_ms = 1000};
	struct http_answer answer;

	assert_int_equal(http_client_ask(*state, &ask, &answer),
	                 ST_UNAVAILABLE);
}

static void other_schemes_than_http_are_refused(void **state)
{
	struct http_ask ask = {.url = "file:///etc/passwd", .timeout_ms = 1000};
	struct http_answer answer;

	assert_int_equal(http_client_ask(*state, &ask, &answer),
	                 ST_UNAVAILABLE);
}

static void a_token_with_a_line_break_is_refused(void **state)
{
	struct http_ask ask = ask_for("/echo");
	struct http_answer answer;

	ask.bearer = SPAN("abc\r\nX-Evil: 1");
	assert_int_equal(http_client_ask(*state, &ask, &answer), ST_INVALID);
}

static void a_connection_is_used_again(void **state)
{
	struct http_ask ask = ask_for("/echo");
	unsigned before = http_stub_accepted();
	struct http_answer answer;

	for (int i = 0; i < 20; i++)
		assert_int_equal(http_client_ask(*state, &ask, &answer), ST_OK);
	assert_int_equal(http_stub_accepted(), before + 1);
}

/* --- the poller ---------------------------------------------------------- */
struct polled {
	uv_loop_t loop;
	struct http_poller *poller;
	unsigned done, right;
	enum status last;
	bool asking;
};

struct numbered {
	struct polled *polled;
	unsigned number;
};

static int create_poller(void **state)
{
	struct polled *polled = mem_new(sizeof(*polled));

	assert_int_equal(uv_loop_init(&polled->loop), 0);
	polled->poller =
		http_poller_create(&polled->loop, url_of(""), CONNECTIONS);
	*state = polled;
	return 0;
}

/* The loop closes cleanly only when no handle was left behind. */
static int destroy_poller(void **state)
{
	struct polled *polled = *state;
	int left;

	http_poller_destroy(&polled->poller);
	uv_run(&polled->loop, UV_RUN_DEFAULT);
	left = uv_loop_close(&polled->loop);
	mem_free(&polled);
	return left;
}

static void run_until(struct polled *polled, unsigned done)
{
	uint64_t deadline_ms = clock_mono_ms() + 20000;

	while (polled->done < done && clock_mono_ms() < deadline_ms)
		uv_run(&polled->loop, UV_RUN_ONCE);
	assert_int_equal(polled->done, done);
}

static void count_numbered(void *context, enum status status,
                           const struct http_answer *answer)
{
	struct numbered *numbered = context;
	char line[64];

	(void)snprintf(line, sizeof(line), "GET /echo/%u ", numbered->number);
	if (status == ST_OK && answer->http == 200 && body_has(answer, line))
		numbered->polled->right++;
	numbered->polled->done++;
}

static void many_asks_get_each_its_own_answer(void **state)
{
	static struct numbered asked[ASKS];
	struct polled *polled = *state;
	unsigned before = http_stub_accepted();

	for (unsigned i = 0; i < ASKS; i++) {
		char path[32];
		struct http_ask ask;

		(void)snprintf(path, sizeof(path), "/echo/%u", i);
		ask = ask_for(path);
		asked[i] = (struct numbered){polled, i};
		http_poller_ask(polled->poller, &ask, count_numbered,
		                &asked[i]);
	}
	run_until(polled, ASKS);
	assert_int_equal(polled->right, ASKS);
	assert_in_range(http_stub_accepted() - before, 1, CONNECTIONS);
}

static void note_last(void *context, enum status status,
                      const struct http_answer *answer)
{
	struct polled *polled = context;

	assert_false(polled->asking);
	assert_true((status == ST_OK) == (answer != NULL));
	polled->last = status;
	polled->done++;
}

static void ask_later(struct polled *polled, const struct http_ask *ask)
{
	polled->asking = true;
	http_poller_ask(polled->poller, ask, note_last, polled);
	polled->asking = false;
}

static void a_refusal_is_reported_later(void **state)
{
	struct polled *polled = *state;
	struct http_ask ask = ask_for("/echo");

	ask.bearer = SPAN("a\nb");
	ask_later(polled, &ask);
	assert_int_equal(polled->done, 0);
	run_until(polled, 1);
	assert_int_equal(polled->last, ST_INVALID);
}

static void waiting_counts_against_the_time_limit(void **state)
{
	struct polled *polled = *state;
	struct http_ask ask = ask_for("/silent");
	uint64_t start_ms = clock_mono_ms();

	ask.timeout_ms = 150;
	for (unsigned i = 0; i < 3 * CONNECTIONS; i++)
		ask_later(polled, &ask);
	run_until(polled, 3 * CONNECTIONS);
	assert_int_equal(polled->last, ST_UNAVAILABLE);
	assert_in_range(clock_mono_ms() - start_ms, 140, 2000);
}

static void count_right(void *context, enum status status,
                        const struct http_answer *answer)
{
	struct polled *polled = context;

	polled->right += status == ST_OK && answer->http == 200;
	polled->done++;
}

static void count_refused(void *context, enum status status,
                          const struct http_answer *answer)
{
	struct polled *polled = context;

	polled->right += status == ST_UNAVAILABLE && !answer;
	polled->done++;
}

/* The poller calls back later: only the requests past the bound end now. */
static void requests_past_the_bound_are_unavailable_at_once(void **state)
{
	struct polled *polled = *state;
	struct http_ask ask = ask_for("/silent");
	const unsigned past = 10;

	for (unsigned i = 0; i < CONNECTIONS + WAITING_MAX + past; i++)
		http_poller_ask(polled->poller, &ask, count_refused, polled);
	run_until(polled, past);
	assert_int_equal(polled->done, past);
	assert_int_equal(polled->right, past);
}

static void a_request_that_waited_gets_its_whole_limit(void **state)
{
	struct polled *polled = *state;
	struct http_ask ask = ask_for("/slow");

	ask.timeout_ms = SLOW_MS * 5 / 3;
	for (unsigned i = 0; i < 2 * CONNECTIONS; i++)
		http_poller_ask(polled->poller, &ask, count_right, polled);
	run_until(polled, 2 * CONNECTIONS);
	assert_int_equal(polled->right, 2 * CONNECTIONS);
}

static void ask_again(void *context, enum status status,
                      const struct http_answer *answer)
{
	struct polled *polled = context;
	struct http_ask ask = ask_for("/echo");

	assert_int_equal(status, ST_OK);
	assert_non_null(answer);
	if (++polled->done < 100)
		http_poller_ask(polled->poller, &ask, ask_again, polled);
}

static void an_answer_may_lead_to_the_next_ask(void **state)
{
	struct polled *polled = *state;
	struct http_ask ask = ask_for("/echo");

	http_poller_ask(polled->poller, &ask, ask_again, polled);
	run_until(polled, 100);
}

static void requests_under_way_are_dropped_at_the_end(void **state)
{
	struct polled *polled = *state;
	struct http_ask silent = ask_for("/silent");
	struct http_ask refused = {.url = "", .timeout_ms = 1000};

	for (unsigned i = 0; i < 2 * CONNECTIONS; i++)
		ask_later(polled, &silent);
	uv_run(&polled->loop, UV_RUN_NOWAIT);
	ask_later(polled, &refused);
	http_poller_destroy(&polled->poller);
	uv_run(&polled->loop, UV_RUN_DEFAULT);
	assert_int_equal(polled->done, 0);
}

#define ON_CLIENT(test) \
	cmocka_unit_test_setup_teardown(test, create_client, destroy_client)
#define ON_POLLER(test) \
	cmocka_unit_test_setup_teardown(test, create_poller, destroy_poller)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_CLIENT(an_answer_has_code_and_body),
		ON_CLIENT(a_token_travels_as_bearer),
		ON_CLIENT(a_get_after_a_post_has_no_body),
		ON_CLIENT(other_methods_come_with_and_without_bodies),
		ON_CLIENT(a_redirect_is_not_followed),
		ON_CLIENT(a_body_up_to_the_limit_is_taken),
		ON_CLIENT(a_body_over_the_limit_is_an_error),
		ON_CLIENT(an_ask_may_allow_a_longer_body),
		ON_CLIENT(an_answer_that_is_not_http_is_an_error),
		ON_CLIENT(a_silent_server_costs_no_more_than_the_limit),
		ON_CLIENT(a_port_without_listener_is_unavailable),
		ON_CLIENT(other_schemes_than_http_are_refused),
		ON_CLIENT(a_token_with_a_line_break_is_refused),
		ON_CLIENT(a_connection_is_used_again),
		ON_POLLER(many_asks_get_each_its_own_answer),
		ON_POLLER(a_refusal_is_reported_later),
		ON_POLLER(waiting_counts_against_the_time_limit),
		ON_POLLER(requests_past_the_bound_are_unavailable_at_once),
		ON_POLLER(a_request_that_waited_gets_its_whole_limit),
		ON_POLLER(an_answer_may_lead_to_the_next_ask),
		ON_POLLER(requests_under_way_are_dropped_at_the_end),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
