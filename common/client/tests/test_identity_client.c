/* Requests to a small real HTTP server on a thread of this process. */
#include "common/base/clock.h"
#include "common/client/identity_client.h"
#include "common/client/tests/identity_stub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include <cmocka.h>

enum {
	WAITERS = 50,
	CONNECTIONS = 8,
	SHORT_MS = 500,      /* of a client whose server says nothing */
	PATIENCE_MS = 30000, /* of the tests, and of the other clients */
	KEPT_MS = 3600 * 1000,
};

static uv_loop_t loop;
static struct identity_client *client;
static unsigned reported;
static unsigned reported_answered;
static unsigned last_http;
static bool last_has_why;
static bool last_poll;
static unsigned ended_ms; /* of the next client */

struct caller {
	struct identity_waiter waiter;
	struct identity_response response;
	unsigned calls;
	unsigned order;       /* of being called, from 1 */
	struct caller *other; /* is cancelled when this one is called */
};

static unsigned called;

static void on_done(void *context, const struct identity_response *response)
{
	struct caller *caller = context;

	caller->calls++;
	caller->order = ++called;
	caller->response = *response;
	if (caller->other)
		identity_client_cancel(&caller->other->waiter);
}

static void on_report(void *context, const struct identity_report *report)
{
	(void)context;
	reported++;
	reported_answered += report->answered;
	last_http = report->http;
	last_poll = report->poll;
	last_has_why = !report->answered && report->why[0];
}

static unsigned ended[2]; /* users whose session ended */
static unsigned ended_count;

static void on_ended(void *context, uint64_t user, struct span session)
{
	(void)context;
	(void)session;
	assert_true(ended_count < ARRAY_LEN(ended));
	ended[ended_count++] = (unsigned)user;
}

static void create(const char *url, const struct identity_ttl *ttl,
                   unsigned timeout_ms)
{
	client = identity_client_create(&(struct identity_client_options){
		.loop = &loop,
		.base_url = url,
		.connection_max = CONNECTIONS,
		.timeout_ms = timeout_ms,
		.owners_max = 100,
		.users_max = 100,
		.ttl = *ttl,
		.ended_ms = ended_ms,
		.ended = on_ended,
		.report = on_report,
	});
}

/* Instead of the client that start() made. */
static void create_again(const char *url, const struct identity_ttl *ttl)
{
	identity_client_destroy(&client);
	create(url, ttl, PATIENCE_MS);
}

static const struct identity_ttl long_ttl = {.owner_ms = KEPT_MS,
                                             .denied_ms = KEPT_MS,
                                             .user_ms = KEPT_MS,
                                             .no_user_ms = KEPT_MS};

static int start(void **state)
{
	(void)state;
	identity_stub_reset();
	reported = reported_answered = called = ended_ms = ended_count = 0;
	if (uv_loop_init(&loop))
		return -1;
	create(identity_stub_url(), &long_ttl, PATIENCE_MS);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	identity_stub_release();
	identity_client_destroy(&client);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop);
}

static bool get(struct caller *caller, struct identity_request request)
{
	caller->waiter.done = on_done;
	caller->waiter.context = caller;
	return identity_client_get(client, &request, &caller->waiter,
	                           &caller->response);
}

static bool get_user(struct caller *caller, uint64_t user)
{
	return get(caller, identity_request_user(user, SPAN("tok")));
}

static bool get_owner(struct caller *caller, const char *token)
{
	return get(caller, identity_request_owner(span_of(token)));
}

/* Until `count` requests have come to an end. */
static void wait_for(unsigned count)
{
	uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;

	while (reported < count && clock_mono_ms() < until_ms)
		(void)uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(reported, count);
}

static void a_response_arrives_and_is_cached(void **state)
{
	struct caller first = {0};
	struct caller second = {0};

	(void)state;
	assert_false(get_user(&first, 5));
	wait_for(1);
	assert_int_equal(first.calls, 1);
	assert_int_equal(first.response.status, ST_OK);
	assert_int_equal(first.response.user, 5);
	assert_true(get_user(&second, 5));
	assert_int_equal(second.response.user, 5);
	assert_int_equal(second.calls, 0);
	assert_int_equal(identity_stub_requests(), 1);
	assert_int_equal(reported_answered, 1);
	assert_int_equal(last_http, 200);
}

static void an_owner_has_session_and_expiry(void **state)
{
	struct caller first = {0};
	struct caller second = {0};
	uint64_t end_ms;

	(void)state;
	assert_false(get_owner(&first, "tok"));
	wait_for(1);
	assert_int_equal(first.response.status, ST_OK);
	assert_int_equal(first.response.user, STUB_OWNER);
	assert_string_equal(first.response.session, STUB_SESSION);
	assert_true(clock_parse(SPAN(STUB_TOKEN_END), &end_ms));
	assert_int_equal(first.response.expires_at_ms, end_ms);
	assert_true(get_owner(&second, "tok"));
	assert_string_equal(second.response.session, STUB_SESSION);
}

static void a_token_that_cannot_be_one_is_denied_without_a_request(void **state)
{
	static char text[TOKEN_MAX + 2];
	struct caller none = {0};
	struct caller much = {0};

	(void)state;
	memset(text, 'a', TOKEN_MAX + 1);
	assert_true(get_owner(&none, ""));
	assert_int_equal(none.response.status, ST_DENIED);
	assert_true(get_owner(&much, text));
	assert_int_equal(much.response.status, ST_DENIED);
	assert_int_equal(identity_stub_requests(), 0);
}

static void owner_and_user_do_not_share_a_response(void **state)
{
	struct caller owner = {0};
	struct caller user = {0};

	(void)state;
	assert_false(get_owner(&owner, "tok"));
	assert_false(get_user(&user, STUB_OWNER));
	wait_for(2);
	assert_string_equal(owner.response.session, STUB_SESSION);
	assert_string_equal(user.response.session, "");
}

static void waiters_for_the_same_share_one_request(void **state)
{
	static struct caller callers[WAITERS];

	(void)state;
	memset(callers, 0, sizeof(callers));
	for (unsigned i = 0; i < WAITERS; i++) {
		assert_false(get_user(&callers[i], 6));
		assert_int_equal(callers[i].waiter.joined, i > 0);
	}
	wait_for(1);
	for (unsigned i = 0; i < WAITERS; i++) {
		assert_int_equal(callers[i].calls, 1);
		assert_int_equal(callers[i].order, i + 1);
		assert_int_equal(callers[i].response.user, 6);
	}
	assert_int_equal(identity_stub_requests(), 1);
}

static void different_keys_are_different_requests(void **state)
{
	struct caller five = {0};
	struct caller six = {0};

	(void)state;
	assert_false(get_user(&five, 5));
	assert_false(get_user(&six, 6));
	wait_for(2);
	assert_int_equal(five.response.user, 5);
	assert_int_equal(six.response.user, 6);
}

static void a_cancelled_waiter_is_not_called(void **state)
{
	struct caller stays = {0};
	struct caller leaves = {0};

	(void)state;
	assert_false(get_user(&leaves, 5));
	assert_false(get_user(&stays, 5));
	identity_client_cancel(&leaves.waiter);
	identity_client_cancel(&leaves.waiter);
	wait_for(1);
	assert_int_equal(leaves.calls, 0);
	assert_int_equal(stays.calls, 1);
}

static void a_response_without_waiters_is_cached(void **state)
{
	struct caller leaves = {0};
	struct caller later = {0};

	(void)state;
	assert_false(get_user(&leaves, 5));
	identity_client_cancel(&leaves.waiter);
	wait_for(1);
	assert_int_equal(leaves.calls, 0);
	assert_true(get_user(&later, 5));
}

static void a_waiter_may_be_cancelled_while_another_is_called(void **state)
{
	struct caller second = {0};
	struct caller first = {.other = &second};

	(void)state;
	assert_false(get_user(&first, 5));
	assert_false(get_user(&second, 5));
	wait_for(1);
	assert_int_equal(first.calls, 1);
	assert_int_equal(second.calls, 0);
}

static void is_unavailable_and_not_kept(uint64_t user, unsigned http)
{
	struct caller caller = {0};

	assert_false(get_user(&caller, user));
	wait_for(1);
	assert_int_equal(caller.response.status, ST_UNAVAILABLE);
	assert_int_equal(reported_answered, 0);
	assert_int_equal(last_http, http);
	assert_true(last_has_why);
	assert_false(get_user(&caller, user));
	wait_for(2);
	assert_int_equal(caller.calls, 2);
}

static void a_failure_of_the_server_is_not_kept(void **state)
{
	(void)state;
	is_unavailable_and_not_kept(STUB_BROKEN, 500);
}

static void garbage_is_not_kept(void **state)
{
	(void)state;
	is_unavailable_and_not_kept(STUB_GARBAGE, 0);
}

static void no_answer_in_time_is_not_kept(void **state)
{
	(void)state;
	identity_client_destroy(&client);
	create(identity_stub_url(), &long_ttl, SHORT_MS);
	is_unavailable_and_not_kept(STUB_SILENT, 0);
}

static void no_server_is_not_kept(void **state)
{
	(void)state;
	create_again("http://127.0.0.1:1", &long_ttl);
	is_unavailable_and_not_kept(5, 0);
}

static void without_requests_a_poll_tells_whether_identity_answers(void **state)
{
	(void)state;
	ended_ms = 20;
	create_again(identity_stub_url(), &long_ttl);
	wait_for(1);
	assert_true(last_poll && reported_answered == 1);
	create_again("http://127.0.0.1:1", &long_ttl);
	wait_for(3);
	assert_true(last_poll && last_has_why && reported_answered == 1);
}

static void wait_for_polls(unsigned count)
{
	for (unsigned polls = reported + count; reported < polls;)
		(void)uv_run(&loop, UV_RUN_ONCE);
}

/* Also when the answer is cached, or comes later; each session is told once. */
static void a_token_of_an_ended_session_is_denied(void **state)
{
	struct caller first = {0}, second = {0}, later = {0};

	(void)state;
	ended_ms = 20;
	create_again(identity_stub_url(), &long_ttl);
	assert_false(get_owner(&first, "tok"));
	while (!first.calls)
		(void)uv_run(&loop, UV_RUN_ONCE);
	assert_true(get_owner(&second, "tok"));
	assert_int_equal(second.response.status, ST_OK);
	identity_stub_end_session();
	while (ended_count < 2)
		(void)uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(ended[0], 8);
	assert_int_equal(ended[1], STUB_OWNER);
	assert_true(get_owner(&second, "tok"));
	assert_int_equal(second.response.status, ST_DENIED);
	assert_false(get_owner(&later, "good"));
	while (!later.calls)
		(void)uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(later.response.status, ST_DENIED);
	wait_for_polls(3);
	assert_int_equal(ended_count, 2);
}

/* A response that was on its way meanwhile is no better than a cached one. */
static void a_deleted_user_is_not_kept(void **state)
{
	struct identity_request held =
		identity_request_user(STUB_HELD, SPAN("tok"));
	struct identity_response known = {.status = ST_OK, .user = STUB_HELD};
	struct caller five = {0}, waits = {0};

	(void)state;
	ended_ms = 20;
	create_again(identity_stub_url(), &long_ttl);
	assert_false(get_user(&five, 5));
	while (!five.calls)
		(void)uv_run(&loop, UV_RUN_ONCE);
	assert_true(get_user(&five, 5));
	identity_stub_delete(5);
	while (identity_client_peek(
		client,
		&(struct identity_request){.kind = IDENTITY_USER, .user = 5},
		&known))
		(void)uv_run(&loop, UV_RUN_ONCE);

	known = (struct identity_response){.status = ST_OK, .user = STUB_HELD};
	assert_false(get_user(&waits, STUB_HELD));
	identity_stub_delete(STUB_HELD);
	wait_for_polls(3);
	identity_stub_release();
	while (!waits.calls)
		(void)uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(waits.response.status, ST_NOT_FOUND);
	identity_client_put(client, &held, &known);
	assert_true(identity_client_peek(client, &held, &known));
	assert_int_equal(known.status, ST_NOT_FOUND);
}

/* Identity tells each of them for a minute: a late response is dropped again.
 */
static void more_deleted_users_than_are_remembered_are_not_kept(void **state)
{
	enum { FIRST = 1000, LAST = FIRST + 5000 };
	struct identity_request forgotten =
		identity_request_user(FIRST, SPAN("tok"));
	struct identity_request remembered =
		identity_request_user(LAST, SPAN("tok"));
	struct identity_response known = {.status = ST_OK, .user = FIRST};

	(void)state;
	ended_ms = 20;
	create_again(identity_stub_url(), &long_ttl);
	identity_stub_delete_all(FIRST, LAST);
	wait_for_polls(3);
	known = (struct identity_response){.status = ST_OK, .user = LAST};
	identity_client_put(client, &remembered, &known);
	assert_true(identity_client_peek(client, &remembered, &known));
	assert_int_equal(known.status, ST_NOT_FOUND);

	known = (struct identity_response){.status = ST_OK, .user = FIRST};
	identity_client_put(client, &forgotten, &known);
	assert_true(identity_client_peek(client, &forgotten, &known));
	assert_int_equal(known.status, ST_OK);
	wait_for_polls(2);
	assert_false(identity_client_peek(client, &forgotten, &known));
}

static void a_ttl_of_zero_keeps_nothing(void **state)
{
	static const struct identity_ttl persistence = {.owner_ms = 30000,
	                                                .user_ms = KEPT_MS};
	struct caller caller = {0};

	(void)state;
	create_again(identity_stub_url(), &persistence);
	assert_false(get_owner(&caller, "bad"));
	wait_for(1);
	assert_int_equal(caller.response.status, ST_DENIED);
	assert_int_equal(reported_answered, 1);
	assert_false(get_owner(&caller, "bad"));
	wait_for(2);
	assert_false(get_user(&caller, STUB_NO_USER));
	wait_for(3);
	assert_int_equal(caller.response.status, ST_NOT_FOUND);
	assert_false(get_user(&caller, STUB_NO_USER));
	wait_for(4);
}

static void a_denied_token_and_a_missing_user_are_kept(void **state)
{
	struct caller caller = {0};
	struct caller other = {0};

	(void)state;
	assert_false(get_owner(&caller, "bad"));
	assert_false(get_user(&other, STUB_NO_USER));
	wait_for(2);
	assert_true(get_owner(&caller, "bad"));
	assert_int_equal(caller.response.status, ST_DENIED);
	assert_true(get_user(&caller, STUB_NO_USER));
	assert_int_equal(caller.response.status, ST_NOT_FOUND);
}

static void a_user_that_a_bad_token_asks_for_is_not_kept(void **state)
{
	struct caller caller = {0};

	(void)state;
	assert_false(get(&caller, identity_request_user(5, SPAN("bad"))));
	wait_for(1);
	assert_int_equal(caller.response.status, ST_DENIED);
	assert_false(get_user(&caller, 5));
	wait_for(2);
	assert_int_equal(caller.response.status, ST_OK);
}

static void wait_ms(uint64_t ms)
{
	uint64_t until_ms = clock_unix_ms() + ms;

	while (clock_unix_ms() <= until_ms)
		;
}

static void an_expired_response_is_asked_for_again(void **state)
{
	static const struct identity_ttl ttl = {.owner_ms = 20, .user_ms = 20};
	struct caller user = {0};
	struct caller owner = {0};

	(void)state;
	create_again(identity_stub_url(), &ttl);
	assert_false(get_user(&user, 5));
	assert_false(get_owner(&owner, "tok"));
	wait_for(2);
	wait_ms(20);
	assert_false(get_user(&user, 5));
	assert_false(get_owner(&owner, "tok"));
	wait_for(4);
}

static const struct identity_ttl renewing = {.owner_ms = KEPT_MS,
                                             .renew_owner_ms = 20};

static bool has_owner(const char *token)
{
	struct caller caller = {0};

	return get_owner(&caller, token) && caller.response.status == ST_OK;
}

/* Identity may take long meanwhile, or be away. */
static void an_old_owner_is_given_and_renewed(void **state)
{
	struct caller first = {0};

	(void)state;
	create_again(identity_stub_url(), &renewing);
	identity_stub_release();
	assert_false(get_owner(&first, "good-held"));
	wait_for(1);
	assert_true(has_owner("good-held"));
	identity_stub_reset();
	wait_ms(20);
	for (unsigned i = 0; i < WAITERS; i++)
		assert_true(has_owner("good-held"));
	identity_stub_release();
	wait_for(2);
	assert_int_equal(identity_stub_requests(), 1);
	assert_true(has_owner("good-held"));
}

static void put_owner(const char *token)
{
	struct identity_request request =
		identity_request_owner(span_of(token));

	identity_client_put(client, &request,
	                    &(struct identity_response){
				    .status = ST_OK,
				    .expires_at_ms = UINT64_MAX,
			    });
}

static void a_renewal_that_fails_takes_nothing_away(void **state)
{
	(void)state;
	create_again("http://127.0.0.1:1", &renewing);
	put_owner("tok");
	for (unsigned i = 1; i <= 3; i++) {
		assert_true(has_owner("tok"));
		wait_for(i);
	}
	assert_int_equal(reported_answered, 0);
}

static void a_renewed_owner_may_be_denied(void **state)
{
	struct caller later = {0};

	(void)state;
	create_again(identity_stub_url(), &renewing);
	put_owner("bad");
	assert_true(has_owner("bad"));
	wait_for(1);
	assert_false(get_owner(&later, "bad"));
	wait_for(2);
	assert_int_equal(later.response.status, ST_DENIED);
}

/* As many as connections; another one is renewed with its next use. */
static void renewals_are_bounded(void **state)
{
	char token[CONNECTIONS + 1][32];

	(void)state;
	create_again(identity_stub_url(), &renewing);
	for (unsigned i = 0; i <= CONNECTIONS; i++) {
		(void)snprintf(token[i], sizeof(token[i]), "good-held-%u", i);
		put_owner(token[i]);
		assert_true(has_owner(token[i]));
	}
	identity_stub_release();
	wait_for(CONNECTIONS);
	assert_true(has_owner(token[CONNECTIONS]));
	wait_for(CONNECTIONS + 1);
	assert_int_equal(identity_stub_requests(), CONNECTIONS + 1);
}

static void a_put_response_needs_no_request(void **state)
{
	struct identity_request nine = identity_request_user(9, SPAN("tok"));
	struct identity_response known = {.status = ST_OK, .user = 9};
	struct caller caller = {0};

	(void)state;
	assert_false(identity_client_peek(client, &nine, &known));
	identity_client_put(client, &nine, &known);
	assert_true(identity_client_peek(client, &nine, &known));
	assert_true(identity_client_cached(client, &nine, &known));
	assert_true(get_user(&caller, 9));
	assert_int_equal(caller.response.user, 9);
	assert_int_equal(identity_stub_requests(), 0);
}

static void a_late_waiter_is_called_after_the_earlier_ones(void **state)
{
	struct identity_request five = identity_request_user(5, SPAN("tok"));
	struct identity_response known = {.status = ST_OK, .user = 5};
	struct caller first = {0};
	struct caller second = {0};

	(void)state;
	assert_false(get_user(&first, 5));
	identity_client_put(client, &five, &known);
	assert_false(identity_client_peek(client, &five, &known));
	assert_false(get_user(&second, 5));
	wait_for(1);
	assert_int_equal(first.order, 1);
	assert_int_equal(second.order, 2);
}

static void destroying_with_requests_in_flight_calls_no_waiter(void **state)
{
	struct caller caller = {0};

	assert_false(get_user(&caller, STUB_SILENT));
	assert_int_equal(stop(state), 0);
	assert_int_equal(caller.calls, 0);
	assert_null(caller.waiter.inflight);
	assert_int_equal(start(state), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(a_response_arrives_and_is_cached),
		TEST(an_owner_has_session_and_expiry),
		TEST(a_token_that_cannot_be_one_is_denied_without_a_request),
		TEST(owner_and_user_do_not_share_a_response),
		TEST(waiters_for_the_same_share_one_request),
		TEST(different_keys_are_different_requests),
		TEST(a_cancelled_waiter_is_not_called),
		TEST(a_response_without_waiters_is_cached),
		TEST(a_waiter_may_be_cancelled_while_another_is_called),
		TEST(a_failure_of_the_server_is_not_kept),
		TEST(garbage_is_not_kept),
		TEST(no_answer_in_time_is_not_kept),
		TEST(no_server_is_not_kept),
		TEST(a_token_of_an_ended_session_is_denied),
		TEST(a_deleted_user_is_not_kept),
		TEST(more_deleted_users_than_are_remembered_are_not_kept),
		TEST(without_requests_a_poll_tells_whether_identity_answers),
		TEST(a_ttl_of_zero_keeps_nothing),
		TEST(a_denied_token_and_a_missing_user_are_kept),
		TEST(a_user_that_a_bad_token_asks_for_is_not_kept),
		TEST(an_expired_response_is_asked_for_again),
		TEST(an_old_owner_is_given_and_renewed),
		TEST(a_renewal_that_fails_takes_nothing_away),
		TEST(a_renewed_owner_may_be_denied),
		TEST(renewals_are_bounded),
		TEST(a_put_response_needs_no_request),
		TEST(a_late_waiter_is_called_after_the_earlier_ones),
		TEST(destroying_with_requests_in_flight_calls_no_waiter),
	};
#undef TEST

	return cmocka_run_group_tests(tests, identity_stub_start,
	                              identity_stub_stop);
}
