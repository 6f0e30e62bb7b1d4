#include "bench/load/frame_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct scanned_frame scanned(const char *text)
{
	struct scanned_frame frame;

	assert_true(frame_scan(span_of(text), &frame));
	return frame;
}

static void a_saved_state_is_known(void **state)
{
	struct scanned_frame frame =
		scanned("{\"type\":\"state\",\"uuid\":\"u-1\","
	                "\"state\":\"saved\",\"id\":9,\"conversation\":17,"
	                "\"seq\":42,\"created_at\":\"now\"}");

	(void)state;
	assert_int_equal(frame.kind, FRAME_SAVED);
	assert_int_equal(frame.seq, 42);
	assert_true(span_equal(frame.uuid, SPAN("u-1")));
}

static void members_may_be_in_any_order(void **state)
{
	struct scanned_frame frame =
		scanned("{ \"seq\" : 42 , \"state\":\"saved\" ,"
	                "\"uuid\": \"u-1\", \"type\":\"state\" }");

	(void)state;
	assert_int_equal(frame.kind, FRAME_SAVED);
	assert_int_equal(frame.seq, 42);
}

static void a_text_is_not_taken_for_members(void **state)
{
	struct scanned_frame frame =
		scanned("{\"type\":\"message\",\"uuid\":\"u-1\",\"message\":"
	                "\"\\\",\\\"type\\\":\\\"state\\\",\\\"seq\\\":1\\\\\","
	                "\"seq\":7}");

	(void)state;
	assert_int_equal(frame.kind, FRAME_MESSAGE);
	assert_int_equal(frame.seq, 7);
}

static void the_text_of_a_message_is_found(void **state)
{
	struct scanned_frame frame = scanned("{\"type\":\"message\",\"seq\":7,"
	                                     "\"message\":\"12 a\\\"b\"}");

	(void)state;
	assert_true(span_equal(frame.message, SPAN("12 a\\\"b")));
}

static void every_kind_is_recognised(void **state)
{
	(void)state;
	assert_int_equal(scanned("{\"type\":\"welcome\",\"user\":1}").kind,
	                 FRAME_WELCOME);
	assert_int_equal(
		scanned("{\"type\":\"state\",\"state\":\"accepted\"}").kind,
		FRAME_ACCEPTED);
	assert_int_equal(scanned("{\"type\":\"state\",\"state\":\"error\","
	                         "\"code\":\"unavailable\",\"retryable\":true}")
	                         .kind,
	                 FRAME_REFUSED);
	assert_int_equal(scanned("{\"type\":\"error\",\"code\":\"x\"}").kind,
	                 FRAME_REFUSED);
	assert_int_equal(scanned("{\"type\":\"typing\"}").kind, FRAME_OTHER);
	assert_int_equal(scanned("{\"a\":null}").kind, FRAME_OTHER);
}

static void a_text_that_is_no_flat_object_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":\"b}",
		"{\"a\":\"b\\\"}",
		"{\"a\":{\"b\":1}}",
		"{\"a\":[1]}",
		"{\"a\":1",
		"{\"a\":1,}",
	};
	struct scanned_frame frame;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_false(frame_scan(span_of(texts[i]), &frame));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_saved_state_is_known),
		cmocka_unit_test(members_may_be_in_any_order),
		cmocka_unit_test(a_text_is_not_taken_for_members),
		cmocka_unit_test(the_text_of_a_message_is_found),
		cmocka_unit_test(every_kind_is_recognised),
		cmocka_unit_test(a_text_that_is_no_flat_object_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
