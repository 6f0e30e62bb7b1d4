/* Questions to a small real HTTP server on a thread of this process. */
#define _GNU_SOURCE /* memmem */
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/client/identity_client.h"
#include "tests/support/http_stub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

enum {
	WAITERS = 50,
	TIMEOUT_MS = 1000,
	PATIENCE_MS = 5000, /* of the tests */
	KEPT_MS = 3600 * 1000,
};

/* --- the server: /users/N is user N; /none 404, /broken 500, /silent ----- */
static atomic_uint questions;

static void answer(int fd, const char *status, const char *body)
{
	http_stub_answer(fd, status, span_of(body));
}

static void serve_one(int fd, struct span whole)
{
	const char *request = whole.data;
	char body[64];

	atomic_fetch_add(&questions, 1);
	if (strstr(request, " /none "))
		answer(fd, "404 Not Found", "{}");
	else if (strstr(request, " /broken "))
		answer(fd, "500 Oops", "{}");
	else if (strstr(request, " /garbage "))
		http_stub_put(fd, SPAN("garbage\r\n\r\n"));
	else if (!strstr(request, "Authorization: Bearer tok\r\n"))
		answer(fd, "401 Unauthorized", "{}");
	else if (!strstr(request, " /silent ")) {
		(void)snprintf(
			body, sizeof(body), "{\"id\":%lu,\"name\":\"x\"}",
			strtoul(strstr(request, "/users/") + 7, NULL, 10));
		answer(fd, "200 OK", body);
	}
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

/* --- what is asked -------------------------------------------------------- */
static uv_loop_t loop;
static struct http_poller *poller;
static struct lookups *lookups;
static char base_url[64];
static unsigned asked_total;
static unsigned asked_answered;
static uint64_t kept_ms;

struct asker {
	struct lookup_waiter waiter;
	struct lookup_answer answer;
	unsigned calls;
	unsigned order;      /* of being called, from 1 */
	struct asker *other; /* leaves when this one is called */
};

static unsigned called;

static void on_done(void *context, const struct lookup_answer *given)
{
	struct asker *asker = context;

	asker->calls++;
	asker->order = ++called;
	asker->answer = *given;
	if (asker->other)
		lookups_leave(&asker->other->waiter);
}

static enum status read_user(enum status asked, const struct http_answer *http,
                             struct lookup_answer *ret_answer)
{
	return identity_read_user(asked, http, &ret_answer->user);
}

static uint64_t holds(const struct lookup_answer *given, uint64_t now_ms)
{
	return given->status == ST_OK ? now_ms + kept_ms : 0;
}

static void on_asked(void *context, bool answered, uint64_t took_us)
{
	(void)context;
	(void)took_us;
	asked_total++;
	asked_answered += answered;
}

static int start(void **state)
{
	(void)state;
	(void)snprintf(base_url, sizeof(base_url), "http://127.0.0.1:%u",
	               http_stub_port());
	atomic_store(&questions, 0);
	asked_total = asked_answered = called = 0;
	kept_ms = KEPT_MS;
	if (uv_loop_init(&loop))
		return -1;
	poller = http_poller_create(&loop, 8);
	lookups = lookups_create(&(struct lookups_options){
		.poller = poller,
		.base_url = base_url,
		.timeout_ms = TIMEOUT_MS,
		.kept_max = 100,
		.read = read_user,
		.holds_until = holds,
		.asked = on_asked,
	});
	return 0;
}

static int stop(void **state)
{
	(void)state;
	http_poller_destroy(&poller);
	lookups_destroy(&lookups);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop);
}

static bool ask(struct asker *asker, const char *path)
{
	asker->waiter.done = on_done;
	asker->waiter.context = asker;
	return lookups_ask(lookups, span_of(path), path, SPAN("tok"),
	                   &asker->waiter, &asker->answer);
}

/* Until `count` questions have come to an end. */
static void wait_for(unsigned count)
{
	uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;

	while (asked_total < count && clock_mono_ms() < until_ms)
		(void)uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(asked_total, count);
}

static void an_answer_comes_and_is_kept(void **state)
{
	struct asker first = {0};
	struct asker second = {0};

	(void)state;
	assert_false(ask(&first, "/users/5"));
	wait_for(1);
	assert_int_equal(first.calls, 1);
	assert_int_equal(first.answer.status, ST_OK);
	assert_int_equal(first.answer.user, 5);
	assert_true(ask(&second, "/users/5"));
	assert_int_equal(second.answer.user, 5);
	assert_int_equal(second.calls, 0);
	assert_int_equal(atomic_load(&questions), 1);
	assert_int_equal(asked_answered, 1);
}

static void many_who_ask_the_same_share_one_question(void **state)
{
	static struct asker askers[WAITERS];

	(void)state;
	memset(askers, 0, sizeof(askers));
	for (unsigned i = 0; i < WAITERS; i++)
		assert_false(ask(&askers[i], "/users/6"));
	wait_for(1);
	for (unsigned i = 0; i < WAITERS; i++) {
		assert_int_equal(askers[i].calls, 1);
		assert_int_equal(askers[i].order, i + 1);
		assert_int_equal(askers[i].answer.user, 6);
	}
	assert_int_equal(atomic_load(&questions), 1);
}

static void different_keys_are_different_questions(void **state)
{
	struct asker five = {0};
	struct asker six = {0};

	(void)state;
	assert_false(ask(&five, "/users/5"));
	assert_false(ask(&six, "/users/6"));
	wait_for(2);
	assert_int_equal(five.answer.user, 5);
	assert_int_equal(six.answer.user, 6);
}

static void who_left_is_not_called(void **state)
{
	struct asker stays = {0};
	struct asker leaves = {0};

	(void)state;
	assert_false(ask(&leaves, "/users/5"));
	assert_false(ask(&stays, "/users/5"));
	lookups_leave(&leaves.waiter);
	lookups_leave(&leaves.waiter);
	wait_for(1);
	assert_int_equal(leaves.calls, 0);
	assert_int_equal(stays.calls, 1);
}

static void when_all_have_left_the_answer_is_kept_all_the_same(void **state)
{
	struct asker leaves = {0};
	struct asker later = {0};

	(void)state;
	assert_false(ask(&leaves, "/users/5"));
	lookups_leave(&leaves.waiter);
	wait_for(1);
	assert_int_equal(leaves.calls, 0);
	assert_true(ask(&later, "/users/5"));
}

static void one_may_leave_while_another_is_told(void **state)
{
	struct asker second = {0};
	struct asker first = {.other = &second};

	(void)state;
	assert_false(ask(&first, "/users/5"));
	assert_false(ask(&second, "/users/5"));
	wait_for(1);
	assert_int_equal(first.calls, 1);
	assert_int_equal(second.calls, 0);
}

static void is_unavailable_and_asked_again(const char *path)
{
	struct asker asker = {0};

	assert_false(ask(&asker, path));
	wait_for(1);
	assert_int_equal(asker.answer.status, ST_UNAVAILABLE);
	assert_int_equal(asked_answered, 0);
	assert_false(ask(&asker, path));
	wait_for(2);
	assert_int_equal(asker.calls, 2);
}

static void a_failure_of_the_server_is_not_kept(void **state)
{
	(void)state;
	is_unavailable_and_asked_again("/broken");
}

static void garbage_is_not_kept(void **state)
{
	(void)state;
	is_unavailable_and_asked_again("/garbage");
}

static void no_answer_in_time_is_not_kept(void **state)
{
	uint64_t began_ms = clock_mono_ms();

	(void)state;
	is_unavailable_and_asked_again("/silent");
	assert_true(clock_mono_ms() - began_ms < 4 * TIMEOUT_MS);
}

static void no_server_is_not_kept(void **state)
{
	(void)state;
	/* A port that was ours a moment ago, and is closed now. */
	(void)snprintf(base_url, sizeof(base_url), "http://127.0.0.1:1");
	is_unavailable_and_asked_again("/users/5");
}

static void what_the_options_do_not_hold_is_asked_again(void **state)
{
	struct asker asker = {0};

	(void)state;
	assert_false(ask(&asker, "/none"));
	wait_for(1);
	assert_int_equal(asker.answer.status, ST_NOT_FOUND);
	assert_int_equal(asked_answered, 1);
	assert_false(ask(&asker, "/none"));
	wait_for(2);
}

static void an_answer_that_has_run_out_is_asked_again(void **state)
{
	struct asker asker = {0};
	uint64_t until_ms;

	(void)state;
	kept_ms = 20;
	assert_false(ask(&asker, "/users/5"));
	wait_for(1);
	until_ms = clock_unix_ms() + 20;
	while (clock_unix_ms() <= until_ms)
		;
	assert_false(ask(&asker, "/users/5"));
	wait_for(2);
}

static void what_was_learnt_is_known_without_asking(void **state)
{
	struct lookup_answer known = {.status = ST_OK, .user = 9};
	struct asker asker = {0};

	(void)state;
	assert_false(lookups_known(lookups, SPAN("/users/9"), &known));
	lookups_learn(lookups, SPAN("/users/9"), &known);
	assert_true(lookups_known(lookups, SPAN("/users/9"), &known));
	assert_true(ask(&asker, "/users/9"));
	assert_int_equal(asker.answer.user, 9);
	assert_int_equal(atomic_load(&questions), 0);
}

static void who_asks_while_others_wait_is_told_after_them(void **state)
{
	struct lookup_answer known = {.status = ST_OK, .user = 5};
	struct asker first = {0};
	struct asker second = {0};

	(void)state;
	assert_false(ask(&first, "/users/5"));
	lookups_learn(lookups, SPAN("/users/5"), &known);
	assert_false(ask(&second, "/users/5"));
	wait_for(1);
	assert_int_equal(first.order, 1);
	assert_int_equal(second.order, 2);
}

static void destroying_with_questions_under_way_calls_nobody(void **state)
{
	struct asker asker = {0};

	assert_false(ask(&asker, "/silent"));
	assert_int_equal(stop(state), 0);
	assert_int_equal(asker.calls, 0);
	assert_null(asker.waiter.flight);
	assert_int_equal(start(state), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(an_answer_comes_and_is_kept),
		TEST(many_who_ask_the_same_share_one_question),
		TEST(different_keys_are_different_questions),
		TEST(who_left_is_not_called),
		TEST(when_all_have_left_the_answer_is_kept_all_the_same),
		TEST(one_may_leave_while_another_is_told),
		TEST(a_failure_of_the_server_is_not_kept),
		TEST(garbage_is_not_kept),
		TEST(no_answer_in_time_is_not_kept),
		TEST(no_server_is_not_kept),
		TEST(what_the_options_do_not_hold_is_asked_again),
		TEST(an_answer_that_has_run_out_is_asked_again),
		TEST(what_was_learnt_is_known_without_asking),
		TEST(who_asks_while_others_wait_is_told_after_them),
		TEST(destroying_with_questions_under_way_calls_nobody),
	};
#undef TEST

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
