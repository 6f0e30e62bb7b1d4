/*
 * A record of message_events from anybody: key and origin header. What is
 * taken whole must be written back the same.
 */
#include "common/base/buf.h"
#include "common/wire/event.h"
#include "tests/fuzz/fuzz.h"

static void check_key(struct span key)
{
	struct buf again CLEANUP(buf_free) = BUF(key.len);
	struct span rest = key;
	uint64_t user;

	while (event_key_next(&rest, &user)) {
		must(user >= 1 && user <= JSON_ID_MAX);
		must(event_partition(user, 12) < 12);
		must(event_partition(user, 1) == 0);
		event_key_add(&again, user);
	}
	must(!buf_overflowed(&again));
	if (rest.len == 0)
		must(span_equal(buf_span(&again), key));
}

static void check_origin(struct span text)
{
	struct event_origin origin;
	char again[EVENT_ORIGIN_LEN + 1] = {0};

	if (!event_origin_parse(text, &origin))
		return;
	event_origin_format(&origin, again);
	must(span_equal(span_make(again, EVENT_ORIGIN_LEN), text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_key(span_make(data, size));
	check_origin(span_make(data, size));
	return 0;
}
