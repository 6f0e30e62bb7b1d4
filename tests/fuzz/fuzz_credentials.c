/*
 * Bodies of register and login, as JSON and as a form: an accepted body keeps
 * every promise about names and passwords.
 */
#include "common/base/utf8.h"
#include "identity-service/credentials.h"
#include "tests/fuzz/fuzz.h"

static void check_name(struct span name)
{
	struct buf again CLEANUP(buf_free) = BUF(NAME_KEY_MAX);
	const char *why = NULL;
	size_t points;
	size_t at = 0;

	must(utf8_valid(name));
	points = utf8_count(name);
	must(points >= 1 && points <= NAME_MAX_POINTS);
	must(name.data[0] != ' ' && name.data[name.len - 1] != ' ');
	while (at < name.len) {
		uint32_t point = utf8_next(name, &at);

		must(point >= 0x20 && (point < 0x7f || point > 0x9f));
	}
	must(name_key(name, &again, &why));
	must(!buf_overflowed(&again));
}

static void check(struct span body, bool is_json, enum credentials_use use)
{
	struct credentials credentials CLEANUP(credentials_free) = {0};
	const char *detail = NULL;
	enum status status =
		credentials_read(body, is_json, use, &credentials, &detail);
	size_t len = credentials.password.len;

	if (status != ST_OK) {
		must(status == ST_INVALID || status == ST_DENIED);
		must(detail && *detail);
		return;
	}
	check_name(buf_span(&credentials.name));
	must(!buf_overflowed(&credentials.key) && credentials.key.len > 0);
	must(len <= PASSWORD_MAX);
	must(len >= (use == CREDENTIALS_REGISTER ? (size_t)PASSWORD_MIN : 1));
	must(utf8_valid(buf_span(&credentials.password)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span body = span_make(data, size);

	check(body, true, CREDENTIALS_REGISTER);
	check(body, false, CREDENTIALS_REGISTER);
	check(body, false, CREDENTIALS_LOGIN);
	return 0;
}
