/*
 * Bodies of register and login, as JSON and as a form: an accepted body keeps
 * every promise about names and passwords.
 */
#include "common/base/utf8.h"
#include "identity-service/api/credentials.h"
#include "tests/fuzz/fuzz.h"

static void check_name(struct span name)
{
	struct buf again CLEANUP(buf_free) = BUF(NAME_MAX_BYTES);
	struct buf key CLEANUP(buf_free) = BUF(NAME_KEY_MAX);
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
	must(!name_read(name, &again));
	must(span_equal(buf_span(&again), name));
	must(name_key(name, &key) == ST_OK && key.len > 0);
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
	must(!buf_overflowed(&credentials.keys.key));
	must(!buf_overflowed(&credentials.keys.folded));
	must(credentials.raw_password.len <= PASSWORD_MAX);
	if (use == CREDENTIALS_REGISTER) {
		check_name(buf_span(&credentials.name));
		must(len >= (size_t)PASSWORD_MIN && len <= PASSWORD_MAX);
		must(credentials.raw_password.len == 0);
	}
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
