/* Keys, paths, responses, and how long each may be kept. */
#include "common/base/clock.h"
#include "common/client/identity_requests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BEGAN_MS = 1000000, NOW_MS = 1002000 };

static void the_key_of_an_owner_is_the_digest_of_the_token(void **state)
{
	struct identity_request a = identity_request_owner(SPAN("tok"));
	struct identity_request b = identity_request_owner(SPAN("tok"));
	struct identity_request c = identity_request_owner(SPAN("tol"));

	(void)state;
	assert_int_equal(identity_request_key(&a).len, DIGEST_LEN);
	assert_true(
		span_equal(identity_request_key(&a), identity_request_key(&b)));
	assert_false(
		span_equal(identity_request_key(&a), identity_request_key(&c)));
}

static void the_key_of_a_user_is_the_id_for_every_token(void **state)
{
	struct identity_request a = identity_request_user(5, SPAN("tok"));
	struct identity_request b = identity_request_user(5, SPAN("other"));
	struct identity_request c = identity_request_user(6, SPAN("tok"));

	(void)state;
	assert_true(
		span_equal(identity_request_key(&a), identity_request_key(&b)));
	assert_false(
		span_equal(identity_request_key(&a), identity_request_key(&c)));
}

static void each_kind_has_its_path(void **state)
{
	struct identity_request owner = identity_request_owner(SPAN("tok"));
	struct identity_request user =
		identity_request_user(UINT64_MAX, SPAN("tok"));
	char path[IDENTITY_PATH_MAX];

	(void)state;
	identity_request_path(&owner, path);
	assert_string_equal(path, "/auth/getIdByToken");
	identity_request_path(&user, path);
	assert_string_equal(path, "/auth/users/18446744073709551615");
}

static void only_the_token_of_an_owner_is_checked(void **state)
{
	static char text[TOKEN_MAX + 1];
	struct identity_request request;

	(void)state;
	memset(text, 'a', sizeof(text));
	request = identity_request_owner(SPAN_NONE);
	assert_false(identity_request_valid(&request));
	request = identity_request_owner(span_make(text, TOKEN_MAX));
	assert_true(identity_request_valid(&request));
	request = identity_request_owner(span_make(text, TOKEN_MAX + 1));
	assert_false(identity_request_valid(&request));
	request = identity_request_user(5, SPAN_NONE);
	assert_true(identity_request_valid(&request));
}

static void a_response_that_did_not_come_is_unavailable(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < IDENTITY_KINDS; kind++) {
		struct identity_response response =
			identity_response_read(kind, ST_UNAVAILABLE, NULL);

		assert_int_equal(response.status, ST_UNAVAILABLE);
		assert_int_equal(response.user, 0);
	}
}

static const struct identity_ttl gateway = {.owner_ms = UINT64_MAX,
                                            .denied_ms = 5000,
                                            .user_ms = 3600000,
                                            .no_user_ms = 2000};
static const struct identity_ttl persistence = {.owner_ms = 30000,
                                                .user_ms = 3600000};

static void each_response_is_kept_for_its_ttl(void **state)
{
	static const struct {
		enum identity_kind kind;
		enum status status;
		const struct identity_ttl *ttl;
		uint64_t token_end_ms;
		uint64_t expires_ms;
	} rows[] = {
		/* An owner for the token's life, or less. */
		{IDENTITY_OWNER, ST_OK, &gateway, 9000000, 9000000},
		{IDENTITY_OWNER, ST_OK, &gateway, 1, 1},
		{IDENTITY_OWNER, ST_OK, &persistence, 9000000,
	         BEGAN_MS + 30000},
		{IDENTITY_OWNER, ST_OK, &persistence, BEGAN_MS + 29999,
	         BEGAN_MS + 29999},
		{IDENTITY_OWNER, ST_OK, &persistence, 1, 1},
		/* A denied token for 5 s in the gateway only. */
		{IDENTITY_OWNER, ST_DENIED, &gateway, 0, NOW_MS + 5000},
		{IDENTITY_OWNER, ST_DENIED, &persistence, 0, 0},
		{IDENTITY_OWNER, ST_UNAVAILABLE, &gateway, 0, 0},
		{IDENTITY_OWNER, ST_UNAVAILABLE, &persistence, 0, 0},
		/* A user for an hour; no user for 2 s in the gateway only. */
		{IDENTITY_USER, ST_OK, &gateway, 0, NOW_MS + 3600000},
		{IDENTITY_USER, ST_OK, &persistence, 0, NOW_MS + 3600000},
		{IDENTITY_USER, ST_NOT_FOUND, &gateway, 0, NOW_MS + 2000},
		{IDENTITY_USER, ST_NOT_FOUND, &persistence, 0, 0},
		{IDENTITY_USER, ST_DENIED, &gateway, 0, 0},
		{IDENTITY_USER, ST_UNAVAILABLE, &gateway, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct identity_response response = {
			.status = rows[i].status,
			.expires_at_ms = rows[i].token_end_ms};

		assert_int_equal(identity_response_expires_ms(
					 rows[i].kind, rows[i].ttl, &response,
					 BEGAN_MS, NOW_MS),
		                 rows[i].expires_ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_key_of_an_owner_is_the_digest_of_the_token),
		cmocka_unit_test(the_key_of_a_user_is_the_id_for_every_token),
		cmocka_unit_test(each_kind_has_its_path),
		cmocka_unit_test(only_the_token_of_an_owner_is_checked),
		cmocka_unit_test(a_response_that_did_not_come_is_unavailable),
		cmocka_unit_test(each_response_is_kept_for_its_ttl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
