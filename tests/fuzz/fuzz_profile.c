/* Bodies of PATCH /auth/profile: an accepted body keeps every promise. */
#include "common/base/utf8.h"
#include "common/io/https_url.h"
#include "identity-service/api/profile_body.h"
#include "tests/fuzz/fuzz.h"

static void check_texts(const struct profile_change *change)
{
	for (unsigned i = 0; i < PROFILE_TEXTS; i++) {
		struct span text = change->text[i].bytes;

		must(change->changes[i] || change->text[i].kind == SQL_NULL);
		if (change->text[i].kind == SQL_NULL)
			continue;
		must(utf8_valid(text));
		if (i == PROFILE_DISPLAY_NAME)
			must(text.len && utf8_count(text) <= NAME_MAX_POINTS);
		else if (i == PROFILE_ABOUT)
			must(utf8_count(text) <= PROFILE_ABOUT_MAX);
		else
			must(text.len <= PROFILE_AVATAR_URL_MAX &&
			     !https_url_fault(text));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(profile_body_free) struct profile_body body = {0};
	struct span text = span_make(data, size);
	enum status status = profile_body_read(text, &body);
	const char *fault = https_url_fault(text);

	if (status == ST_OK)
		check_texts(&body.change);
	else
		must((status == ST_INVALID || status == ST_DENIED) &&
		     body.fault[0]);
	if (!fault)
		must(utf8_valid(text) && text.len > 8);
	return 0;
}
