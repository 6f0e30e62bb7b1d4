/*
 * Any bytes in the file of a saved session: saved_session_read() refuses them,
 * or returns a session with all its members.
 */
#include "client-test/client/session_file.h"
#include "common/base/utf8.h"
#include "common/io/json.h"
#include "tests/fuzz/fuzz.h"

static void check_text(const char *text)
{
	must(text && *text && utf8_valid(span_of(text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct saved_session session CLEANUP(saved_session_free) = {0};

	if (saved_session_read(span_make(data, size), &session) != ST_OK) {
		must(!session.url && !session.name && !session.token &&
		     !session.refresh_token);
		return 0;
	}
	check_text(session.url);
	check_text(session.name);
	check_text(session.token);
	check_text(session.refresh_token);
	must(session.user >= 1 && session.user <= JSON_ID_MAX);
	must(session.refreshed_at_ms <= JSON_ID_MAX);
	must(session.expires_at_ms <= JSON_ID_MAX);
	return 0;
}
