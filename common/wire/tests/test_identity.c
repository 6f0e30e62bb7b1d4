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

static void only_a_401_denies(void **state)
{
	static const unsigned codes[] = {0,   201, 204, 301, 400, 403, 404,
	                                 408, 429, 500, 502, 503, 504};
	struct token_owner owner;

	(void)state;
	assert_int_equal(owner_of(401, "{}", &owner), ST_DENIED);
	assert_int_equal(owner_of(401, GOOD, &owner), ST_DENIED);
	for (unsigned i = 0; i < ARRAY_LEN(codes); i++)
		assert_int_equal(owner_of(codes[i], GOOD, &owner),
		                 ST_UNAVAILABLE);
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
	struct http_answer absent = answer_of(404, "{}");
	struct http_answer denied = answer_of(401, "{}");
	struct http_answer busy = answer_of(429, "{}");
	struct http_answer odd = answer_of(200, "{\"name\":\"bob\"}");
	uint64_t user;

	(void)state;
	assert_int_equal(identity_read_user(ST_OK, &there, &user), ST_OK);
	assert_int_equal(user, 2);
	assert_int_equal(identity_read_user(ST_OK, &absent, &user),
	                 ST_NOT_FOUND);
	assert_int_equal(identity_read_user(ST_OK, &denied, &user), ST_DENIED);
	assert_int_equal(identity_read_user(ST_OK, &busy, &user),
	                 ST_UNAVAILABLE);
	assert_int_equal(identity_read_user(ST_OK, &odd, &user),
	                 ST_UNAVAILABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_answer_names_the_owner),
		cmocka_unit_test(only_a_401_denies),
		cmocka_unit_test(no_answer_is_unavailable),
		cmocka_unit_test(a_malformed_answer_is_unavailable),
		cmocka_unit_test(names_and_sessions_have_a_limit),
		cmocka_unit_test(a_user_is_there_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
