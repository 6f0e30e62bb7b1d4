#include "common/base/clock.h"
#include "common/wire/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define GOOD \
	"{\"id\":1,\"name\":\"alice\"," \
	"\"expires_at\":\"2026-11-21T11:00:00.000Z\",\"session\":\"7\"}"

static struct http_answer answer_of(unsigned http, const char *body)
{
	return (struct http_answer){http, span_of(body)};
}

static enum status owner_of(unsigned http, const char *body,
                            struct token_owner *ret_owner)
{
	struct http_answer answer = answer_of(http, body);

	return identity_read_owner(ST_OK, &answer, ret_owner);
}

static void a_good_answer_names_the_owner(void **state)
{
	struct token_owner owner;
	char time[CLOCK_TEXT_LEN + 1];

	(void)state;
	assert_int_equal(owner_of(200, GOOD, &owner), ST_OK);
	assert_int_equal(owner.user, 1);
	assert_string_equal(owner.name, "alice");
	assert_string_equal(owner.session, "7");
	clock_format(owner.expires_at_ms, time);
	assert_string_equal(time, "2026-11-21T11:00:00.000Z");
}

#define PROBLEM(code) "{\"title\":\"x\",\"status\":" #code "}"

static void only_a_401_denies(void **state)
{
	static const unsigned codes[] = {0,   201, 204, 301, 400, 403, 404,
	                                 408, 429, 500, 502, 503, 504};
	struct token_owner owner;

	(void)state;
	assert_int_equal(owner_of(401, PROBLEM(401), &owner), ST_DENIED);
	for (unsigned i = 0; i < ARRAY_LEN(codes); i++)
		assert_int_equal(owner_of(codes[i], GOOD, &owner),
		                 ST_UNAVAILABLE);
}

/* A proxy may answer 401 or 404 to everything. */
static void a_refusal_of_another_server_is_unavailable(void **state)
{
	static const unsigned codes[] = {401, 404, 410};
	static const char *const bodies[] = {
		"",
		"x",
		"[]",
		"{}",
		"<html>401</html>",
		PROBLEM(400),
		PROBLEM(4010),
		PROBLEM("401"),
		PROBLEM(0),
		"{\"error\":{\"status\":401}}",
	};
	struct token_owner owner;
	uint64_t user;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(codes); i++) {
		for (unsigned j = 0; j < ARRAY_LEN(bodies); j++) {
			struct http_answer answer =
				answer_of(codes[i], bodies[j]);

			assert_int_equal(owner_of(codes[i], bodies[j], &owner),
			                 ST_UNAVAILABLE);
			assert_int_equal(
				identity_read_user(ST_OK, &answer, &user),
				ST_UNAVAILABLE);
		}
	}
}

static void no_answer_is_unavailable(void **state)
{
	struct http_answer answer = answer_of(200, GOOD);
	struct token_owner owner;
	uint64_t user;

	(void)state;
	assert_int_equal(identity_read_owner(ST_UNAVAILABLE, &answer, &owner),
	                 ST_UNAVAILABLE);
	assert_int_equal(identity_read_user(ST_UNAVAILABLE, &answer, &user),
	                 ST_UNAVAILABLE);
}

static void a_malformed_answer_is_unavailable(void **state)
{
	static const char time[] =
		"\"expires_at\":\"2026-11-21T11:00:00.000Z\"";
	static const char *const members[] = {
		"",
		"x",
		"[]",
		"{}",
		"{\"id\":1}",
		"{\"id\":0,\"name\":\"a\",%s,\"session\":\"7\"}",
		"{\"id\":\"1\",\"name\":\"a\",%s,\"session\":\"7\"}",
		"{\"id\":1.5,\"name\":\"a\",%s,\"session\":\"7\"}",
		"{\"id\":-1,\"name\":\"a\",%s,\"session\":\"7\"}",
		"{\"id\":9007199254740992,\"name\":\"a\",%s,\"session\":\"7\"}",
		"{\"id\":1,\"name\":7,%s,\"session\":\"7\"}",
		"{\"id\":1,\"name\":\"\",%s,\"session\":\"7\"}",
		"{\"id\":1,\"name\":\"a\",%s,\"session\":7}",
		"{\"id\":1,\"name\":\"a\",%s}",
		"{\"id\":1,\"name\":\"a\",\"expires_at\":1,\"session\":\"7\"}",
		"{\"id\":1,\"name\":\"a\",\"expires_at\":\"\",\"session\":1}",
		"{\"id\":1,\"name\":\"a\",%s,\"session\":\"7\"} x",
	};
	struct token_owner owner = {.user = 42};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(members); i++) {
		struct buf body CLEANUP(buf_free) = BUF(1024);
		const char *gap = strstr(members[i], "%s");

		buf_append(&body, span_make(members[i],
		                            gap ? (size_t)(gap - members[i])
		                                : strlen(members[i])));
		if (gap) {
			buf_append(&body, span_of(time));
			buf_append(&body, span_of(gap + 2));
		}
		assert_int_equal(owner_of(200, buf_text(&body), &owner),
		                 ST_UNAVAILABLE);
	}
	assert_int_equal(owner.user, 42);
}

static void names_and_sessions_have_a_limit(void **state)
{
	struct buf body CLEANUP(buf_free) = BUF(1024);
	struct token_owner owner;

	(void)state;
	buf_append(&body, SPAN("{\"id\":1,\"expires_at\":"
	                       "\"2026-11-21T11:00:00.000Z\",\"session\":\"7\","
	                       "\"name\":\""));
	for (unsigned i = 0; i < USER_NAME_MAX_BYTES + 1; i++)
		buf_byte(&body, 'a');
	buf_append(&body, SPAN("\"}"));
	assert_int_equal(owner_of(200, buf_text(&body), &owner),
	                 ST_UNAVAILABLE);
}

static void a_user_is_there_or_not(void **state)
{
	struct http_answer there =
		answer_of(200, "{\"id\":2,\"name\":\"bob\"}");
	struct http_answer absent = answer_of(404, PROBLEM(404));
	struct http_answer deleted = answer_of(410, PROBLEM(410));
	struct http_answer denied = answer_of(401, PROBLEM(401));
	struct http_answer busy = answer_of(429, "{}");
	struct http_answer odd = answer_of(200, "{\"name\":\"bob\"}");
	uint64_t user;

	(void)state;
	assert_int_equal(identity_read_user(ST_OK, &there, &user), ST_OK);
	assert_int_equal(user, 2);
	assert_int_equal(identity_read_user(ST_OK, &absent, &user),
	                 ST_NOT_FOUND);
	assert_int_equal(identity_read_user(ST_OK, &deleted, &user),
	                 ST_NOT_FOUND);
	assert_int_equal(identity_read_user(ST_OK, &denied, &user), ST_DENIED);
	assert_int_equal(identity_read_user(ST_OK, &busy, &user),
	                 ST_UNAVAILABLE);
	assert_int_equal(identity_read_user(ST_OK, &odd, &user),
	                 ST_UNAVAILABLE);
}

/* --- what has ended ------------------------------------------------------ */
static struct buf calls;

static void on_ended(void *context, struct span session, uint64_t user,
                     uint64_t expires_at_ms)
{
	(void)context;
	buf_format(&calls, "%.*s:%llu:%llu ", 8, session.data,
	           (unsigned long long)user, (unsigned long long)expires_at_ms);
}

static void on_deleted(void *context, uint64_t user)
{
	(void)context;
	buf_format(&calls, "%llu ", (unsigned long long)user);
}

static const struct identity_ended_reader reader = {on_ended, on_deleted, NULL};

#define PAGE    "{\"next\":\"1.x\",\"more\":true"
#define SESSION "01936f5e-0c1d-7e2f-8a3b-4c5d6e7f8091"

static void all_that_has_ended_is_told(void **state)
{
	static const struct {
		const char *body, *calls;
	} rows[] = {
		{PAGE ",\"ended\":\"\"}", ""},
		{PAGE ",\"ended\":\"\",\"deleted\":\"\"}", ""},
		{PAGE ",\"ended\":\"" SESSION " 7 99," SESSION " 8 98\"}",
	         "01936f5e:7:99 01936f5e:8:98 "},
		{PAGE ",\"ended\":\"" SESSION " 7 99\",\"deleted\":\"5,"
	              "9007199254740991\"}",
	         "01936f5e:7:99 5 9007199254740991 "},
	};
	char next[ENDED_CURSOR_MAX + 1];

	(void)state;
	calls = BUF(1000);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_answer answer = answer_of(200, rows[i].body);
		bool more = false;

		buf_clear(&calls);
		assert_int_equal(identity_read_ended(ST_OK, &answer, &reader,
		                                     next, &more),
		                 ST_OK);
		assert_true(more);
		assert_string_equal(next, "1.x");
		assert_true(
			span_equal(buf_span(&calls), span_of(rows[i].calls)));
	}
	buf_free(&calls);
}

static void deleted_users_have_a_list_of_their_own(void **state)
{
	struct http_answer answer =
		answer_of(200, PAGE ",\"deleted\":\"5,6\"}");
	char next[ENDED_CURSOR_MAX + 1];
	bool more = false;

	(void)state;
	calls = BUF(1000);
	assert_int_equal(
		identity_read_deleted(ST_OK, &answer, &reader, next, &more),
		ST_OK);
	assert_true(more && span_equal(buf_span(&calls), SPAN("5 6 ")));
	buf_free(&calls);
}

static void a_malformed_list_is_unavailable(void **state)
{
	static const char *const bodies[] = {
		"",
		"{}",
		"{\"next\":\"\",\"more\":true,\"ended\":\"\"}",
		"{\"next\":\"1\",\"ended\":\"\",\"deleted\":\"\"}",
		"{\"next\":1,\"more\":true,\"ended\":\"\"}",
		PAGE ",\"ended\":7,\"deleted\":7}",
		PAGE ",\"ended\":\"\",\"deleted\":null}",
		PAGE ",\"ended\":\"x\",\"deleted\":\"x\"}",
		PAGE ",\"ended\":\"" SESSION " 7\",\"deleted\":\"5,,6\"}",
		PAGE ",\"ended\":\"" SESSION " x 9\",\"deleted\":\"-1\"}",
		PAGE ",\"ended\":\",\",\"deleted\":\"9007199254740992\"}",
	};
	char next[ENDED_CURSOR_MAX + 1];
	bool more;

	(void)state;
	calls = BUF(1000);
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct http_answer answer = answer_of(200, bodies[i]);

		assert_int_equal(identity_read_ended(ST_OK, &answer, &reader,
		                                     next, &more),
		                 ST_UNAVAILABLE);
		assert_int_equal(identity_read_deleted(ST_OK, &answer, &reader,
		                                       next, &more),
		                 ST_UNAVAILABLE);
	}
	buf_free(&calls);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_answer_names_the_owner),
		cmocka_unit_test(only_a_401_denies),
		cmocka_unit_test(a_refusal_of_another_server_is_unavailable),
		cmocka_unit_test(no_answer_is_unavailable),
		cmocka_unit_test(a_malformed_answer_is_unavailable),
		cmocka_unit_test(names_and_sessions_have_a_limit),
		cmocka_unit_test(a_user_is_there_or_not),
		cmocka_unit_test(all_that_has_ended_is_told),
		cmocka_unit_test(deleted_users_have_a_list_of_their_own),
		cmocka_unit_test(a_malformed_list_is_unavailable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
