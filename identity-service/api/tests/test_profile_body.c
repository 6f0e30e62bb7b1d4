#include "identity-service/api/profile_body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define URL_OF_23 "https://example.com/a?b"

static void assert_is(const struct profile_change *change,
                      enum profile_text which, const char *text)
{
	assert_true(change->changes[which]);
	assert_int_equal(change->text[which].kind, SQL_BYTES);
	assert_true(span_equal(change->text[which].bytes, span_of(text)));
}

static void a_change_has_the_members_of_the_body(void **state)
{
	CLEANUP(profile_body_free) struct profile_body body = {0};

	(void)state;
	assert_int_equal(
		profile_body_read(SPAN("{\"display_name\":\"Zoe\u0308\","
	                               "\"about\":\"a\\nb\",\"avatar_url\":"
	                               "\"https://example.com/a\",\"new\":1}"),
	                          &body),
		ST_OK);
	assert_is(&body.change, PROFILE_DISPLAY_NAME, "Zo\u00eb");
	assert_is(&body.change, PROFILE_ABOUT, "a\nb");
	assert_is(&body.change, PROFILE_AVATAR_URL, "https://example.com/a");
}

static void null_removes_and_absent_keeps(void **state)
{
	CLEANUP(profile_body_free) struct profile_body body = {0};

	(void)state;
	assert_int_equal(
		profile_body_read(
			SPAN("{\"display_name\":null,\"about\":\"\"}"), &body),
		ST_OK);
	assert_true(body.change.changes[PROFILE_DISPLAY_NAME]);
	assert_int_equal(body.change.text[PROFILE_DISPLAY_NAME].kind, SQL_NULL);
	assert_is(&body.change, PROFILE_ABOUT, "");
	assert_false(body.change.changes[PROFILE_AVATAR_URL]);
}

static void bad_bodies_are_refused(void **state)
{
	static const struct {
		const char *body;
		enum status status;
		const char *fault; /* a part of it */
	} bad[] = {
		{"", ST_INVALID, ""},
		{"{", ST_INVALID, ""},
		{"null", ST_INVALID, ""},
		{"[]", ST_INVALID, ""},
		{"\"x\"", ST_INVALID, ""},
		{"{\"about\":\"a\",\"about\":\"b\"}", ST_INVALID, "twice"},
		{"{\"about\":\"\\u0000\"}", ST_INVALID, ""},
		{"{\"about\":\"\xff\"}", ST_INVALID, ""},
		{"{\"id\":1}", ST_DENIED, "id cannot be changed"},
		{"{\"id\":null}", ST_DENIED, "id cannot be changed"},
		{"{\"name\":\"x\"}", ST_DENIED, "name cannot be changed"},
		{"{\"phone\":null}", ST_DENIED, "phone cannot be changed"},
		{"{\"about\":\"a\",\"name\":\"x\"}", ST_DENIED, "name cannot"},
		{"{\"display_name\":1}", ST_DENIED, "display_name must be"},
		{"{\"display_name\":true}", ST_DENIED, "display_name must be"},
		{"{\"display_name\":[]}", ST_DENIED, "display_name must be"},
		{"{\"display_name\":{}}", ST_DENIED, "display_name must be"},
		{"{\"display_name\":\"\"}", ST_DENIED,
	         "display_name must have"},
		{"{\"display_name\":\" a\"}", ST_DENIED,
	         "display_name must not"},
		{"{\"display_name\":\"a\\n\"}", ST_DENIED, "display_name must"},
		{"{\"display_name\":\"\u200b\"}", ST_DENIED,
	         "display_name must"},
		{"{\"display_name\":\"a\u202eb\"}", ST_DENIED, "display_name"},
		{"{\"about\":1}", ST_DENIED, "about must be"},
		{"{\"about\":[\"a\"]}", ST_DENIED, "about must be"},
		{"{\"avatar_url\":1}", ST_DENIED, "avatar_url must be"},
		{"{\"avatar_url\":\"\"}", ST_DENIED, "avatar_url must"},
		{"{\"avatar_url\":\"http://example.com/\"}", ST_DENIED,
	         "avatar_url must begin with https"},
		{"{\"avatar_url\":\"https://ann@example.com/\"}", ST_DENIED,
	         "avatar_url must not name a user"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(profile_body_free) struct profile_body body = {0};
		enum status status =
			profile_body_read(span_of(bad[i].body), &body);

		if (status != bad[i].status || !body.fault[0] ||
		    !strstr(body.fault, bad[i].fault))
			fail_msg("%s: %s, %s", bad[i].body, status_text(status),
			         body.fault);
	}
}

/* `unit`, and behind it as many "x" as needed, in a body. */
static enum status read_long(const char *member, const char *head,
                             const char *unit, unsigned units)
{
	CLEANUP(profile_body_free) struct profile_body body = {0};
	CLEANUP(buf_free) struct buf text = BUF(64 * 1024);

	buf_format(&text, "{\"%s\":\"%s", member, head);
	for (unsigned i = 0; i < units; i++)
		buf_append(&text, span_of(unit));
	buf_append(&text, SPAN("\"}"));
	return profile_body_read(buf_span(&text), &body);
}

static void lengths_are_counted_in_characters(void **state)
{
	static const struct {
		const char *member, *head, *unit;
		unsigned max;
	} rows[] = {
		{"display_name", "", "x", 64},
		{"display_name", "", "\u00eb", 64},
		/* Two code points, one after normalisation. */
		{"display_name", "", "e\u0308", 64},
		{"about", "", "x", 500},
		{"about", "", "\U0001f600", 500},
		{"about", "", "\\n", 500},
		{"avatar_url", URL_OF_23, "x", 2048 - 23},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(read_long(rows[i].member, rows[i].head,
		                           rows[i].unit, rows[i].max),
		                 ST_OK);
		assert_int_equal(read_long(rows[i].member, rows[i].head,
		                           rows[i].unit, rows[i].max + 1),
		                 ST_DENIED);
	}
}

static void only_the_own_profile_has_a_phone(void **state)
{
	const struct profile profile = {
		.id = 7,
		.name = SPAN("ann"),
		.text = {[PROFILE_DISPLAY_NAME] = sql_bytes(SPAN("A \"n\"")),
	                 [PROFILE_AVATAR_URL] = sql_bytes(SPAN(""))},
		.phone = sql_bytes(SPAN("+491701234567")),
	};
	CLEANUP(buf_free) struct buf text = BUF(1000);
	struct json_writer w = json_writer(&text);

	(void)state;
	json_open(&w);
	profile_body_write(&w, &profile, PROFILE_OWN);
	json_close(&w);
	assert_string_equal(
		buf_text(&text),
		"{\"id\":7,\"name\":\"ann\",\"display_name\":\"A \\\"n\\\"\","
		"\"about\":null,\"avatar_url\":\"\","
		"\"phone\":\"+491701234567\"}");
	buf_clear(&text);
	w = json_writer(&text);
	json_open(&w);
	profile_body_write(&w, &profile, PROFILE_OF_OTHERS);
	json_close(&w);
	assert_null(strstr(buf_text(&text), "phone"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_has_the_members_of_the_body),
		cmocka_unit_test(null_removes_and_absent_keeps),
		cmocka_unit_test(bad_bodies_are_refused),
		cmocka_unit_test(lengths_are_counted_in_characters),
		cmocka_unit_test(only_the_own_profile_has_a_phone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
