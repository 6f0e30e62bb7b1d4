/*
 * Any answer of identity-service to the requests of the other services: the
 * owner of a token, a user, what has ended. The first byte selects the HTTP
 * code.
 */
#include "common/base/utf8.h"
#include "common/wire/identity.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static const unsigned codes[] = {200, 401, 404, 500, 0, 410};

static bool is_text(const char *text, size_t max)
{
	size_t len = strnlen(text, max + 1);

	return len >= 1 && len <= max && utf8_valid(span_make(text, len));
}

static void check_owner(const struct http_answer *answer)
{
	struct token_owner owner;
	enum status status = identity_read_owner(ST_OK, answer, &owner);

	if (status != ST_OK) {
		must(status == ST_UNAVAILABLE || status == ST_DENIED);
		/* Another server's 401 is none of identity-service. */
		must(status != ST_DENIED || answer->http == 401);
		return;
	}
	must(answer->http == 200);
	must(owner.user >= 1 && owner.user <= JSON_ID_MAX);
	must(is_text(owner.name, USER_NAME_MAX_BYTES));
	must(is_text(owner.session, SESSION_ID_MAX));
}

static void check_user(const struct http_answer *answer)
{
	uint64_t user = 0;
	enum status status = identity_read_user(ST_OK, answer, &user);

	must(status != ST_DENIED || answer->http == 401);
	must(status != ST_NOT_FOUND || answer->http == 404 ||
	     answer->http == 410);
	if (status != ST_OK) {
		must(user == 0);
		return;
	}
	must(answer->http == 200);
	must(user >= 1 && user <= JSON_ID_MAX);
}

static void on_ended(void *context, struct span session, uint64_t user,
                     uint64_t expires_at_ms)
{
	(void)context;
	must(utf8_valid(session) && session.len <= SESSION_ID_MAX);
	must(user <= JSON_ID_MAX && expires_at_ms <= JSON_ID_MAX);
}

static void on_deleted(void *context, uint64_t user)
{
	(void)context;
	must(user <= JSON_ID_MAX);
}

static void check_ended(const struct http_answer *answer)
{
	const struct identity_ended_reader reader = {on_ended, on_deleted,
	                                             NULL};
	char next[ENDED_CURSOR_MAX + 1];
	bool more;

	if (identity_read_ended(ST_OK, answer, &reader, next, &more) == ST_OK)
		must(answer->http == 200 && is_text(next, ENDED_CURSOR_MAX));
	if (identity_read_deleted(ST_OK, answer, &reader, next, &more) == ST_OK)
		must(answer->http == 200 && is_text(next, ENDED_CURSOR_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_answer answer = {0};

	if (size == 0)
		return 0;
	answer.http = codes[data[0] % ARRAY_LEN(codes)];
	answer.body = span_make(data + 1, size - 1);
	check_owner(&answer);
	check_user(&answer);
	check_ended(&answer);
	return 0;
}
