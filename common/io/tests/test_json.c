#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/io/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { DEPTH_MAX = 16, MEMBERS_MAX = 64, LONG_MEMBERS_MAX = 65536 };

/* From memory of exactly its size, so that a sanitizer sees overruns. */
static enum status parse(struct span text, struct json **ret_json)
{
	char *copy CLEANUP(mem_free) = mem_new(text.len);
	const char *why = NULL;
	enum status st;

	if (text.len)
		memcpy(copy, text.data, text.len);
	st = json_parse(span_make(copy, text.len), ret_json, &why);
	assert_true(st == ST_OK || (st == ST_INVALID && why && *why));
	return st;
}

static struct json *parsed(const char *text)
{
	struct json *json = NULL;

	assert_int_equal(parse(span_of(text), &json), ST_OK);
	return json;
}

static bool taken(struct span text)
{
	struct json *json CLEANUP(json_destroy) = NULL;

	return parse(text, &json) == ST_OK;
}

/* --- valid and invalid JSON (RFC 8259, I-JSON) -----------------------
 */
static void json_objects_are_taken(void **state)
{
	static const char *const rows[] = {
		"{}",
		" \t\r\n{ \t\r\n} \t\r\n",
		"{\"a\":1}",
		"{ \"a\" : 1 , \"b\" : 2 }",
		"{\"\":0}",
		"{\"a\":[]}",
		"{\"a\":[ ]}",
		"{\"a\":[1,\"x\",null,true,false,{},[]]}",
		"{\"a\":{\"a\":{\"a\":1}}}",
		"{\"a\":1,\"A\":2,\"a \":3}",
		"{\"a\":{\"x\":1},\"b\":{\"x\":1}}",
		"{\"a\":[{\"x\":1},{\"x\":1}]}",
		/* numbers */
		"{\"n\":0}",
		"{\"n\":-0}",
		"{\"n\":-1}",
		"{\"n\":10}",
		"{\"n\":0.5}",
		"{\"n\":-0.0}",
		"{\"n\":1e5}",
		"{\"n\":1E+5}",
		"{\"n\":0e0}",
		"{\"n\":1.25e-10}",
		"{\"n\":1e999}",
		"{\"n\":123456789012345678901234567890}",
		/* strings */
		"{\"s\":\"\"}",
		"{\"s\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}",
		"{\"s\":\"\\u0001\\u00e9\\u20AC\"}",
		"{\"s\":\"\\ud83d\\ude00\"}",
		"{\"s\":\"\\uD800\\uDC00\\uDBFF\\uDFFF\"}",
		"{\"s\":\"\x7f\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"}",
		"{\"s\":\"\xef\xbf\xbf\xf4\x8f\xbf\xbf\xe2\x80\xa8\"}",
		"{\"\\u00e9\\n\":1}",
		"{\"s\":\"{[,:]}\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!taken(span_of(rows[i])))
			fail_msg("refused: %s", rows[i]);
	}
}

static void text_that_is_no_json_object_is_refused(void **state)
{
	static const char *const rows[] = {
		"",
		" ",
		/* other values at the top */
		"1",
		"\"a\"",
		"null",
		"true",
		"[]",
		"[{}]",
		/* bytes after the value */
		"{}x",
		"{}{}",
		"{},",
		"{}}",
		"{} 1",
		"{}//",
		/* structure */
		"{",
		"}",
		"{\"a\"",
		"{\"a\":",
		"{\"a\":1",
		"{\"a\":1,",
		"{\"a\":1,}",
		"{,}",
		"{,\"a\":1}",
		"{\"a\":1,,\"b\":2}",
		"{\"a\":1 \"b\":2}",
		"{\"a\" 1}",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\"::1}",
		"{\"a\",1}",
		"{1:1}",
		"{a:1}",
		"{'a':1}",
		"{null:1}",
		"{\"a\":[}",
		"{\"a\":[1,]}",
		"{\"a\":[,1]}",
		"{\"a\":[1 2]}",
		"{\"a\":[1}",
		"{\"a\":[1}]",
		"{\"a\":{]}",
		"{\"a\":1]",
		"{/**/}",
		"{\"a\":1}\v",
		"\f{}",
		"\xc2\xa0{}",
		"\xef\xbb\xbf{}",
		/* words */
		"{\"a\":nul}",
		"{\"a\":nulll}",
		"{\"a\":True}",
		"{\"a\":TRUE}",
		"{\"a\":fals",
		"{\"a\":undefined}",
		"{\"a\":NaN}",
		"{\"a\":Infinity}",
		"{\"a\":-Infinity}",
		/* numbers */
		"{\"n\":01}",
		"{\"n\":-01}",
		"{\"n\":00}",
		"{\"n\":-}",
		"{\"n\":+1}",
		"{\"n\":.5}",
		"{\"n\":-.5}",
		"{\"n\":1.}",
		"{\"n\":1.e5}",
		"{\"n\":1e}",
		"{\"n\":1e+}",
		"{\"n\":1e5.0}",
		"{\"n\":1e+-5}",
		"{\"n\":0x1f}",
		"{\"n\":1_000}",
		"{\"n\":1,5}",
		"{\"n\":- 1}",
		"{\"n\":1 0}",
		"{\"n\":--1}",
		/* strings */
		"{\"s\":\"",
		"{\"s\":\"x}",
		"{\"s\":\"\\",
		"{\"s\":\"\\\"}",
		"{\"s\":\"\\x41\"}",
		"{\"s\":\"\\a\"}",
		"{\"s\":\"\\'\"}",
		"{\"s\":\"\\U0041\"}",
		"{\"s\":\"\\u\"}",
		"{\"s\":\"\\u004\"}",
		"{\"s\":\"\\u00g1\"}",
		"{\"s\":\"\\u00",
		"{\"s\":\"\\u-041\"}",
		"{\"s\":\"\\u 041\"}",
		"{\"s\":\"a\nb\"}",
		"{\"s\":\"a\tb\"}",
		"{\"s\":\"a\x1f\"}",
		"{\"a\nb\":1}",
		"{\"s\":'x'}",
		/* no NUL, no half of a surrogate pair */
		"{\"s\":\"\\u0000\"}",
		"{\"\\u0000\":1}",
		"{\"s\":\"\\ud83d\"}",
		"{\"s\":\"\\ud83dx\"}",
		"{\"s\":\"\\ud83d\\n\"}",
		"{\"s\":\"\\ud83d\\u0041\"}",
		"{\"s\":\"\\ud83d\\ud83d\"}",
		"{\"s\":\"\\ud83d\\ue000\"}",
		"{\"s\":\"\\ude00\"}",
		"{\"s\":\"\\ude00\\ud83d\"}",
		"{\"s\":\"\\ud83d\\ude0\"}",
		"{\"\\udc00\":1}",
		/* UTF-8 */
		"{\"s\":\"\x80\"}",
		"{\"s\":\"\xff\"}",
		"{\"s\":\"\xc3\"}",
		"{\"s\":\"\xc0\xaf\"}",
		"{\"s\":\"\xed\xa0\x80\"}",
		"{\"s\":\"\xf4\x90\x80\x80\"}",
		"{\"\xff\":1}",
		"{}\xff",
	};
	struct json *json = NULL;
	const char *why;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (taken(span_of(rows[i])))
			fail_msg("taken: %s", rows[i]);
	}
	assert_false(taken(SPAN_NONE));
	assert_int_equal(json_parse(SPAN_NONE, &json, &why), ST_INVALID);
	assert_null(json);
	assert_false(taken(SPAN("{\0}")));
	assert_false(taken(SPAN("{}\0")));
	assert_false(taken(SPAN("{\"s\":\"a\0b\"}")));
}

static void a_text_that_is_cut_anywhere_is_refused(void **state)
{
	static const char whole[] =
		"{\"a\":[1,-2.5e+3,true,null],\"\\u00e9\":{\"s\":"
		"\"\\ud83d\\ude00\xe2\x82\xac\\\"\"}}";

	(void)state;
	assert_true(taken(span_of(whole)));
	for (size_t len = 0; len < sizeof(whole) - 1; len++)
		assert_false(taken(span_make(whole, len)));
}

static void a_name_twice_is_refused_however_it_is_written(void **state)
{
	static const char *const rows[] = {
		"{\"a\":1,\"a\":1}",
		"{\"a\":1,\"b\":2,\"a\":{}}",
		"{\"a\":1,\"\\u0061\":2}",
		"{\"\\u00E9\":1,\"\xc3\xa9\":2}",
		"{\"\\u00E9\":1,\"\\u00e9\":2}",
		"{\"/\":1,\"\\/\":2}",
		"{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}",
		"{\"\":1,\"\":2}",
		"{\"x\":{\"a\":1,\"a\":2}}",
		"{\"x\":[0,{\"a\":1,\"a\":2}]}",
		"{\"x\":[[{\"y\":{\"a\":1,\"a\":2}}]]}",
		"{\"sender\":1,\"x\":0,\"sender\":2}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (taken(span_of(rows[i])))
			fail_msg("taken: %s", rows[i]);
	}
}

/* --- limits ----------------------------------------------------------------
 */
static bool nested_taken(unsigned depth, const char *open, const char *close)
{
	struct buf text CLEANUP(buf_free) = BUF(8192);

	buf_append(&text, SPAN("{\"a\":"));
	for (unsigned i = 1; i < depth; i++)
		buf_append(&text, span_of(open));
	buf_byte(&text, '1');
	for (unsigned i = 1; i < depth; i++)
		buf_append(&text, span_of(close));
	buf_byte(&text, '}');
	return taken(buf_span(&text));
}

static void nesting_ends_at_sixteen(void **state)
{
	(void)state;
	assert_true(nested_taken(DEPTH_MAX, "[", "]"));
	assert_false(nested_taken(DEPTH_MAX + 1, "[", "]"));
	assert_true(nested_taken(DEPTH_MAX, "{\"a\":", "}"));
	assert_false(nested_taken(DEPTH_MAX + 1, "{\"a\":", "}"));
	assert_false(nested_taken(1000, "[", "]"));
	assert_false(nested_taken(1000, "[", ""));
	/* beside each other is not inside each other */
	assert_true(taken(SPAN("{\"a\":[[],[],[],[],[],[],[],[],[],[],[],[],"
	                       "[],[],[],[],[],[]]}")));
}

/* `objects` members and `elements` of one array, which is a member itself. */
static void fill(struct buf *text, unsigned objects, unsigned elements)
{
	buf_byte(text, '{');
	for (unsigned i = 0; i < objects; i++)
		buf_format(text, "\"m%u\":0,", i);
	buf_append(text, SPAN("\"list\":["));
	for (unsigned i = 0; i < elements; i++)
		buf_append(text, i ? SPAN(",1") : SPAN("1"));
	buf_append(text, SPAN("]}"));
}

static bool filled_taken(unsigned objects, unsigned elements)
{
	struct buf text CLEANUP(buf_free) = BUF(8192);

	fill(&text, objects, elements);
	return taken(buf_span(&text));
}

static void members_and_elements_are_counted_together(void **state)
{
	(void)state;
	assert_true(filled_taken(MEMBERS_MAX - 1, 0));
	assert_false(filled_taken(MEMBERS_MAX, 0));
	assert_true(filled_taken(0, MEMBERS_MAX - 1));
	assert_false(filled_taken(0, MEMBERS_MAX));
	assert_true(filled_taken(31, 32));
	assert_false(filled_taken(32, 32));
}

static enum status parse_long(unsigned elements)
{
	struct buf text CLEANUP(buf_free) = BUF(1 << 20);
	struct json *json CLEANUP(json_destroy) = NULL;
	const char *why;

	fill(&text, 0, elements);
	return json_parse_long(buf_span(&text), &json, &why);
}

static void long_answers_may_have_many_more(void **state)
{
	(void)state;
	assert_int_equal(parse_long(LONG_MEMBERS_MAX - 1), ST_OK);
	assert_int_equal(parse_long(LONG_MEMBERS_MAX), ST_INVALID);
}

/* --- getters ---------------------------------------------------------------
 */
static void a_kind_is_that_of_the_value(void **state)
{
	struct json *json CLEANUP(json_destroy) =
		parsed("{\"z\":null,\"b\":false,\"n\":0,\"t\":\"\",\"a\":[],"
	               "\"o\":{},\"\xc3\xa9\":1}");

	(void)state;
	assert_int_equal(json_kind(json, "z"), JSON_NULL);
	assert_int_equal(json_kind(json, "b"), JSON_BOOL);
	assert_int_equal(json_kind(json, "n"), JSON_NUMBER);
	assert_int_equal(json_kind(json, "t"), JSON_TEXT);
	assert_int_equal(json_kind(json, "a"), JSON_ARRAY);
	assert_int_equal(json_kind(json, "o"), JSON_OBJECT);
	assert_int_equal(json_kind(json, "\xc3\xa9"), JSON_NUMBER);
	assert_int_equal(json_kind(json, "\xc3\x89"), JSON_ABSENT);
	assert_int_equal(json_kind(json, "N"), JSON_ABSENT);
	assert_int_equal(json_kind(json, ""), JSON_ABSENT);
	assert_int_equal(json_kind(json, "nn"), JSON_ABSENT);
}

static void a_text_is_read_without_its_escapes(void **state)
{
	struct json *json CLEANUP(json_destroy) =
		parsed("{\"s\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\u00e9"
	               "\\u20ac\\ud83d\\ude00 \xc3\xa9\",\"e\":\"\","
	               "\"n\":1,\"z\":null}");
	static const char plain[] = "\"\\/\b\f\n\r\t\x01\xc3\xa9\xe2\x82\xac"
				    "\xf0\x9f\x98\x80 \xc3\xa9";
	struct span text;

	(void)state;
	assert_true(json_get_text(json, "s", &text));
	assert_true(span_equal(text, span_of(plain)));
	assert_true(json_get_text(json, "e", &text));
	assert_int_equal(text.len, 0);
	assert_false(json_get_text(json, "n", &text));
	assert_false(json_get_text(json, "z", &text));
	assert_false(json_get_text(json, "S", &text));
}

static void a_bool_is_only_true_or_false(void **state)
{
	struct json *json CLEANUP(json_destroy) =
		parsed("{\"t\":true,\"f\":false,\"n\":1,\"s\":\"true\"}");
	bool yes = false;

	(void)state;
	assert_true(json_get_bool(json, "t", &yes));
	assert_true(yes);
	assert_true(json_get_bool(json, "f", &yes));
	assert_false(yes);
	assert_false(json_get_bool(json, "n", &yes));
	assert_false(json_get_bool(json, "s", &yes));
	assert_false(json_get_bool(json, "absent", &yes));
}

static bool id_of(const char *number, uint64_t *ret_id)
{
	struct buf text CLEANUP(buf_free) = BUF(256);
	struct json *json CLEANUP(json_destroy) = NULL;

	buf_format(&text, "{\"id\":%s}", number);
	json = parsed(buf_text(&text));
	return json_get_id(json, "id", ret_id);
}

static void an_id_is_a_whole_number_below_two_to_the_53(void **state)
{
	static const struct {
		const char *text;
		uint64_t id;
	} good[] = {
		{"0", 0},
		{"1", 1},
		{"4294967296", UINT64_C(1) << 32},
		{"9007199254740991", JSON_ID_MAX},
		{"2.0", 2},
		{"1e3", 1000},
		{"-0", 0},
		{"100e-2", 1},
		{"0.5e1", 5},
		{"0e-9", 0},
	};
	static const char *const bad[] = {
		"-1",
		"-0.5",
		"0.5",
		"2.5",
		"25e-1",
		"4503599627370495.5",
		"9007199254740990.5",
		"0.99999999999999999999",
		"1.00000000000000000001",
		"1e-400",
		"10e-2",
		"9007199254740992",
		"9007199254740993",
		"18446744073709551615",
		"18446744073709551617",
		"1e300",
		"1e999",
		"-1e999",
		"\"1\"",
		"true",
		"null",
		"[1]",
		"{}",
	};
	uint64_t id;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		id = UINT64_MAX;
		assert_true(id_of(good[i].text, &id));
		assert_int_equal(id, good[i].id);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		id = 77;
		if (id_of(bad[i], &id))
			fail_msg("an id: %s", bad[i]);
		assert_int_equal(id, 77);
	}
}

static void objects_and_items_are_reached(void **state)
{
	struct json *json CLEANUP(json_destroy) =
		parsed("{\"o\":{\"id\":7},\"l\":[{\"id\":8},[9],{\"id\":10}],"
	               "\"n\":1,\"e\":[]}");
	uint64_t id;

	(void)state;
	assert_true(json_get_id(json_get_object(json, "o"), "id", &id));
	assert_int_equal(id, 7);
	assert_null(json_get_object(json, "l"));
	assert_null(json_get_object(json, "n"));
	assert_null(json_get_object(json, "absent"));
	assert_true(json_get_id(json_get_item(json, "l", 0), "id", &id));
	assert_int_equal(id, 8);
	assert_true(json_get_id(json_get_item(json, "l", 2), "id", &id));
	assert_int_equal(id, 10);
	assert_null(json_get_item(json, "l", 3));
	assert_null(json_get_item(json, "l", UINT32_MAX));
	assert_null(json_get_item(json, "e", 0));
	assert_null(json_get_item(json, "o", 0));
	assert_null(json_get_item(json, "absent", 0));
	/* a value that is not an object has no members */
	assert_int_equal(json_kind(json_get_item(json, "l", 1), "id"),
	                 JSON_ABSENT);
	assert_int_equal(json_kind(json_get_item(json, "l", 9), "id"),
	                 JSON_ABSENT);
}

static void destroying_leaves_null(void **state)
{
	struct json *json = parsed("{}");

	(void)state;
	json_destroy(&json);
	assert_null(json);
	json_destroy(&json);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_objects_are_taken),
		cmocka_unit_test(text_that_is_no_json_object_is_refused),
		cmocka_unit_test(a_text_that_is_cut_anywhere_is_refused),
		cmocka_unit_test(a_name_twice_is_refused_however_it_is_written),
		cmocka_unit_test(nesting_ends_at_sixteen),
		cmocka_unit_test(members_and_elements_are_counted_together),
		cmocka_unit_test(long_answers_may_have_many_more),
		cmocka_unit_test(a_kind_is_that_of_the_value),
		cmocka_unit_test(a_text_is_read_without_its_escapes),
		cmocka_unit_test(a_bool_is_only_true_or_false),
		cmocka_unit_test(an_id_is_a_whole_number_below_two_to_the_53),
		cmocka_unit_test(objects_and_items_are_reached),
		cmocka_unit_test(destroying_leaves_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
