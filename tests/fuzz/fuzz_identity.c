/*
 * Any answer of identity-service to the token and user look-ups of the other
 * services. The first byte selects the HTTP code.
 */
#include "common/base/utf8.h"
#include "common/wire/identity.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static const unsigned codes[] = {200, 401, 404, 500, 0};

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
		must((status == ST_DENIED) == (answer->http == 401));
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

	must((status == ST_DENIED) == (answer->http == 401));
	must((status == ST_NOT_FOUND) == (answer->http == 404));
	if (status != ST_OK) {
		must(user == 0);
		return;
	}
	must(answer->http == 200);
	must(user >= 1 && user <= JSON_ID_MAX);
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
	return 0;
}
