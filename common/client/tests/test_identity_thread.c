/* Threads that ask at the same time, and block. */
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/client/identity_thread.h"
#include "common/client/tests/identity_stub.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	CALLERS = 20,
	TIMEOUT_MS = 1000,
	LONG_MS = 30000, /* a wait that only a fault makes end */
	KEPT_MS = 3600 * 1000,
	TURNS = 200,
};

static struct identity_thread *identity;
static atomic_uint reported;
static atomic_uint failed;

static void on_report(void *context, const struct identity_report *report)
{
	(void)context;
	atomic_fetch_add(&reported, 1);
	if (!report->answered && report->why[0])
		atomic_fetch_add(&failed, 1);
}

static void start_with(const char *url, unsigned timeout_ms)
{
	identity_thread_stop(&identity);
	identity = identity_thread_start(&(struct identity_client_options){
		.base_url = url,
		.connection_max = 8,
		.timeout_ms = timeout_ms,
		.owners_max = 100,
		.users_max = 100,
		.ttl = {.owner_ms = 30000, .user_ms = KEPT_MS},
		.report = on_report,
	});
}

static int start(void **state)
{
	(void)state;
	identity_stub_reset();
	atomic_store(&reported, 0);
	atomic_store(&failed, 0);
	start_with(identity_stub_url(), LONG_MS);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	identity_stub_release();
	identity_thread_stop(&identity);
	return 0;
}

static struct identity_response get(struct identity_request request)
{
	struct identity_response response;
	enum status status = identity_thread_get(identity, &request, &response);

	assert_int_equal(status, response.status);
	return response;
}

static enum status owner_status(const char *token)
{
	return get(identity_request_owner(span_of(token))).status;
}

static enum status user_status(uint64_t user)
{
	return get(identity_request_user(user, SPAN("tok"))).status;
}

/* --- callers ------------------------------------------------------------- */
struct caller {
	pthread_t thread;
	struct identity_request request;
	struct identity_response response;
	enum status status;
	uint64_t took_ms;
};

static void *call(void *context)
{
	struct caller *caller = context;
	uint64_t began_ms = clock_mono_ms();

	caller->status = identity_thread_get(identity, &caller->request,
	                                     &caller->response);
	caller->took_ms = clock_mono_ms() - began_ms;
	return NULL;
}

static void begin(struct caller *caller, struct identity_request request)
{
	caller->request = request;
	assert_int_equal(pthread_create(&caller->thread, NULL, call, caller),
	                 0);
}

static enum status end(struct caller *caller)
{
	assert_int_equal(pthread_join(caller->thread, NULL), 0);
	assert_int_equal(caller->status, caller->response.status);
	return caller->status;
}

static void wait_for_requests(unsigned count)
{
	uint64_t until_ms = clock_mono_ms() + LONG_MS;

	while (identity_stub_requests() < count && clock_mono_ms() < until_ms)
		usleep(1000);
	assert_int_equal(identity_stub_requests(), count);
}

/* Until so many callers wait for a response. */
static void wait_for_callers(unsigned count)
{
	uint64_t until_ms = clock_mono_ms() + LONG_MS;

	while (identity_thread_callers(identity) < count &&
	       clock_mono_ms() < until_ms)
		usleep(1000);
	assert_int_equal(identity_thread_callers(identity), count);
}

/* --- tests --------------------------------------------------------------- */
static void a_token_has_an_owner(void **state)
{
	struct identity_response owner;

	(void)state;
	owner = get(identity_request_owner(SPAN("tok")));
	assert_int_equal(owner.status, ST_OK);
	assert_int_equal(owner.user, STUB_OWNER);
	assert_string_equal(owner.session, STUB_SESSION);
}

static void a_kept_response_needs_no_request(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TURNS; i++) {
		assert_int_equal(owner_status("tok"), ST_OK);
		assert_int_equal(user_status(5), ST_OK);
	}
	assert_int_equal(identity_stub_requests(), 2);
}

static void threads_with_one_token_share_one_request(void **state)
{
	static struct caller callers[CALLERS];

	(void)state;
	for (unsigned i = 0; i < CALLERS; i++)
		begin(&callers[i], identity_request_owner(SPAN("good-held")));
	wait_for_requests(1);
	wait_for_callers(CALLERS);
	identity_stub_release();
	for (unsigned i = 0; i < CALLERS; i++) {
		assert_int_equal(end(&callers[i]), ST_OK);
		assert_int_equal(callers[i].response.user, STUB_OWNER);
	}
	assert_int_equal(identity_stub_requests(), 1);
	assert_int_equal(atomic_load(&reported), 1);
}

static void threads_with_many_tokens_get_each_their_own(void **state)
{
	static struct caller callers[CALLERS];
	static char tokens[CALLERS][16];

	(void)state;
	for (unsigned i = 0; i < CALLERS; i++) {
		(void)snprintf(tokens[i], sizeof(tokens[i]), "%s-%u",
		               i % 2 ? "good" : "bad", i);
		begin(&callers[i], identity_request_owner(span_of(tokens[i])));
	}
	for (unsigned i = 0; i < CALLERS; i++)
		assert_int_equal(end(&callers[i]), i % 2 ? ST_OK : ST_DENIED);
	assert_int_equal(identity_stub_requests(), CALLERS);
}

static void a_denied_token_is_asked_for_each_time(void **state)
{
	(void)state;
	assert_int_equal(owner_status("bad"), ST_DENIED);
	assert_int_equal(owner_status("bad"), ST_DENIED);
	assert_int_equal(identity_stub_requests(), 2);
	assert_int_equal(owner_status(""), ST_DENIED);
	assert_int_equal(identity_stub_requests(), 2);
}

static void a_missing_user_is_asked_for_each_time(void **state)
{
	(void)state;
	assert_int_equal(user_status(STUB_NO_USER), ST_NOT_FOUND);
	assert_int_equal(user_status(STUB_NO_USER), ST_NOT_FOUND);
	assert_int_equal(identity_stub_requests(), 2);
}

static void a_bad_token_does_not_speak_for_a_good_one(void **state)
{
	static struct caller bad, good[3];

	(void)state;
	begin(&bad, identity_request_user(5, SPAN("held-bad")));
	wait_for_requests(1);
	for (unsigned i = 0; i < 3; i++)
		begin(&good[i], identity_request_user(5, SPAN("tok")));
	wait_for_callers(4);
	identity_stub_release();
	assert_int_equal(end(&bad), ST_DENIED);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(end(&good[i]), ST_OK);
	assert_int_equal(identity_stub_requests(), 2);
}

static void no_identity_is_unavailable_at_once(void **state)
{
	(void)state;
	start_with("http://127.0.0.1:1", LONG_MS);
	assert_int_equal(owner_status("tok"), ST_UNAVAILABLE);
	assert_int_equal(owner_status("tok"), ST_UNAVAILABLE);
	assert_int_equal(atomic_load(&failed), 2);
}

static void a_broken_answer_is_unavailable(void **state)
{
	(void)state;
	assert_int_equal(user_status(STUB_BROKEN), ST_UNAVAILABLE);
	assert_int_equal(user_status(STUB_GARBAGE), ST_UNAVAILABLE);
	assert_int_equal(atomic_load(&failed), 2);
}

static void a_silent_identity_costs_no_more_than_the_limit(void **state)
{
	static struct caller callers[CALLERS];

	(void)state;
	start_with(identity_stub_url(), TIMEOUT_MS);
	for (unsigned i = 0; i < CALLERS; i++)
		begin(&callers[i],
		      identity_request_user(i % 2 ? STUB_SILENT : STUB_HELD,
		                            SPAN("tok")));
	for (unsigned i = 0; i < CALLERS; i++) {
		assert_int_equal(end(&callers[i]), ST_UNAVAILABLE);
		assert_true(callers[i].took_ms < LONG_MS);
	}
}

static void more_callers_than_connections_are_served(void **state)
{
	static struct caller callers[CALLERS];
	static char tokens[CALLERS][24];

	(void)state;
	for (unsigned i = 0; i < CALLERS; i++) {
		(void)snprintf(tokens[i], sizeof(tokens[i]), "good-held-%u", i);
		begin(&callers[i], identity_request_owner(span_of(tokens[i])));
	}
	wait_for_requests(8);
	identity_stub_release();
	for (unsigned i = 0; i < CALLERS; i++)
		assert_int_equal(end(&callers[i]), ST_OK);
}

static void stopping_ends_every_wait(void **state)
{
	static struct caller callers[CALLERS];

	(void)state;
	for (unsigned i = 0; i < CALLERS; i++)
		begin(&callers[i],
		      identity_request_user(i % 2 ? STUB_SILENT : STUB_HELD,
		                            SPAN("tok")));
	wait_for_requests(2);
	wait_for_callers(CALLERS);
	identity_thread_stop(&identity);
	for (unsigned i = 0; i < CALLERS; i++) {
		assert_int_equal(end(&callers[i]), ST_UNAVAILABLE);
		assert_true(callers[i].took_ms < LONG_MS);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(a_token_has_an_owner),
		TEST(a_kept_response_needs_no_request),
		TEST(threads_with_one_token_share_one_request),
		TEST(threads_with_many_tokens_get_each_their_own),
		TEST(a_denied_token_is_asked_for_each_time),
		TEST(a_missing_user_is_asked_for_each_time),
		TEST(a_bad_token_does_not_speak_for_a_good_one),
		TEST(no_identity_is_unavailable_at_once),
		TEST(a_broken_answer_is_unavailable),
		TEST(a_silent_identity_costs_no_more_than_the_limit),
		TEST(more_callers_than_connections_are_served),
		TEST(stopping_ends_every_wait),
	};
#undef TEST

	return cmocka_run_group_tests(tests, identity_stub_start,
	                              identity_stub_stop);
}
