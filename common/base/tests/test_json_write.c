#include "common/base/json_write.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void members_are_parted_by_commas(void **state)
{
	struct buf buf CLEANUP(buf_free) = BUF(256);
	struct json_writer w = json_writer(&buf);

	(void)state;
	json_open(&w);
	json_text(&w, "a", SPAN("x"));
	json_number(&w, "b", 7);
	json_bool(&w, "c", true);
	json_bool(&w, "d", false);
	json_null(&w, "e");
	json_close(&w);
	assert_string_equal(
		buf_text(&buf),
		"{\"a\":\"x\",\"b\":7,\"c\":true,\"d\":false,\"e\":null}");
}

static void nesting_opens_and_closes(void **state)
{
	struct buf buf CLEANUP(buf_free) = BUF(256);
	struct json_writer w = json_writer(&buf);

	(void)state;
	json_open(&w);
	json_open_array(&w, "list");
	json_number(&w, NULL, 1);
	json_open_object(&w, NULL);
	json_close(&w);
	json_open_object(&w, NULL);
	json_text(&w, "k", SPAN(""));
	json_close(&w);
	json_close_array(&w);
	json_open_object(&w, "in");
	json_close(&w);
	json_number(&w, "last", 2);
	json_close(&w);
	assert_string_equal(buf_text(&buf), "{\"list\":[1,{},{\"k\":\"\"}],"
	                                    "\"in\":{},\"last\":2}");
}

static const char *quoted(struct buf *buf, struct span text)
{
	struct json_writer w = json_writer(buf);

	buf_clear(buf);
	json_text(&w, NULL, text);
	return buf_text(buf);
}

static void forbidden_characters_are_escaped(void **state)
{
	struct buf buf CLEANUP(buf_free) = BUF(256);

	(void)state;
	assert_string_equal(quoted(&buf, SPAN("say \"hi\"")),
	                    "\"say \\\"hi\\\"\"");
	assert_string_equal(quoted(&buf, SPAN("a\\b")), "\"a\\\\b\"");
	assert_string_equal(quoted(&buf, SPAN("a\nb")), "\"a\\nb\"");
	assert_string_equal(quoted(&buf, SPAN("\x01\x1f")),
	                    "\"\\u0001\\u001f\"");
	assert_string_equal(quoted(&buf, span_make("a\0b", 3)),
	                    "\"a\\u0000b\"");
	assert_string_equal(quoted(&buf, SPAN("\x1b[31m")), "\"\\u001b[31m\"");
	assert_string_equal(quoted(&buf, SPAN("\r")), "\"\\u000d\"");
}

static void other_alphabets_pass_as_they_are(void **state)
{
	struct buf buf CLEANUP(buf_free) = BUF(256);

	(void)state;
	assert_string_equal(quoted(&buf, SPAN("Zoë Ünal 日本 🎉")),
	                    "\"Zoë Ünal 日本 🎉\"");
}

static void numbers_keep_every_digit(void **state)
{
	struct buf buf CLEANUP(buf_free) = BUF(256);
	struct json_writer w = json_writer(&buf);

	(void)state;
	json_number(&w, NULL, UINT64_MAX);
	json_number(&w, NULL, (UINT64_C(1) << 53) - 1);
	json_signed(&w, NULL, INT64_MIN);
	json_signed(&w, NULL, -1);
	json_signed(&w, NULL, INT64_MAX);
	assert_string_equal(buf_text(&buf),
	                    "18446744073709551615,9007199254740991,"
	                    "-9223372036854775808,-1,9223372036854775807");
}

static void a_value_that_is_no_number_becomes_null(void **state)
{
	struct buf buf CLEANUP(buf_free) = BUF(256);
	struct json_writer w = json_writer(&buf);

	(void)state;
	json_double(&w, NULL, 0.25);
	json_double(&w, NULL, (double)NAN);
	json_double(&w, NULL, (double)INFINITY);
	assert_string_equal(buf_text(&buf), "0.25,null,null");
}

static void times_are_rfc_3339(void **state)
{
	struct buf buf CLEANUP(buf_free) = BUF(256);
	struct json_writer w = json_writer(&buf);

	(void)state;
	json_time(&w, "at", 1795255200123);
	assert_string_equal(buf_text(&buf),
	                    "\"at\":\"2026-11-21T10:00:00.123Z\"");
}

static void raw_json_is_taken_as_it_is(void **state)
{
	struct buf buf CLEANUP(buf_free) = BUF(256);
	struct json_writer w = json_writer(&buf);

	(void)state;
	json_open(&w);
	json_raw(&w, "a", SPAN("[1,2]"));
	json_raw(&w, "b", SPAN("{}"));
	json_close(&w);
	assert_string_equal(buf_text(&buf), "{\"a\":[1,2],\"b\":{}}");
}

static void too_much_is_marked_by_the_buffer(void **state)
{
	struct buf buf CLEANUP(buf_free) = BUF(10);
	struct json_writer w = json_writer(&buf);

	(void)state;
	json_open(&w);
	json_text(&w, "message", SPAN("hello"));
	json_close(&w);
	assert_true(buf_overflowed(&buf));
	assert_true(buf.len <= 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_parted_by_commas),
		cmocka_unit_test(nesting_opens_and_closes),
		cmocka_unit_test(forbidden_characters_are_escaped),
		cmocka_unit_test(other_alphabets_pass_as_they_are),
		cmocka_unit_test(numbers_keep_every_digit),
		cmocka_unit_test(a_value_that_is_no_number_becomes_null),
		cmocka_unit_test(times_are_rfc_3339),
		cmocka_unit_test(raw_json_is_taken_as_it_is),
		cmocka_unit_test(too_much_is_marked_by_the_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
