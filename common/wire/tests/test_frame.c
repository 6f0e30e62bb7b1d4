#include "common/base/mem.h"
#include "common/wire/frame.h"
#include "common/wire/save_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define UUID "01890a5d-ac96-774b-bcce-b302099a8057"

static const uint64_t created_at_ms = UINT64_C(1795255200123);

static struct uuid a_uuid(void)
{
	struct uuid uuid;

	assert_true(uuid_parse(SPAN(UUID), &uuid));
	return uuid;
}

static bool is_a_uuid(const struct uuid *uuid)
{
	struct uuid wanted = a_uuid();

	return !memcmp(uuid->byte, wanted.byte, sizeof(wanted.byte));
}

/* --- client → server -------------------------------------------------------
 */
static void assert_taken(const char *text, const char *message, uint64_t user)
{
	struct json *json CLEANUP(json_destroy) = NULL;
	struct client_frame frame;
	struct frame_fault fault;

	if (frame_decode(span_of(text), &json, &frame, &fault) != ST_OK)
		fail_msg("refused: %s: %s", text, fault.detail);
	assert_true(is_a_uuid(&frame.uuid));
	assert_true(span_equal(frame.message, span_of(message)));
	assert_int_equal(frame.user_to, user);
}

static void a_message_is_taken(void **state)
{
	(void)state;
	assert_taken("{\"uuid\":\"" UUID "\",\"message\":\"hi\",\"user_to\":2}",
	             "hi", 2);
	assert_taken("{\"type\":\"message\",\"uuid\":\"" UUID "\","
	             "\"message\":\"hi\",\"user_to\":9007199254740991}",
	             "hi", JSON_ID_MAX);
	assert_taken("{\"user_to\":2,\"Message\":\"\\u00e9\\n\\\"\","
	             "\"uuid\":\"01890A5D-AC96-774B-BCCE-B302099A8057\"}",
	             "\xc3\xa9\n\"", 2);
	assert_taken(" {\"uuid\":\"" UUID "\",\"message\":\" \",\"user_to\":1,"
	             "\"later\":[1,{}]} ",
	             " ", 1);
	assert_taken("{\"uuid\":\"" UUID "\",\"message\":"
	             "\"\xf0\x9f\x98\x80\",\"user_to\":1}",
	             "\xf0\x9f\x98\x80", 1);
}

#define IN    "\"conversation\":17"
#define NAMED "\"uuid\":\"" UUID "\""
#define TEXT  "\"message\":\"hi\""
#define TO    "\"user_to\":2"

static void assert_refused(const char *text, enum frame_code code, bool named)
{
	struct json *json = NULL;
	struct client_frame frame;
	struct frame_fault fault;

	if (frame_decode(span_of(text), &json, &frame, &fault) != ST_INVALID)
		fail_msg("taken: %s", text);
	assert_null(json);
	if (fault.code != code || fault.has_uuid != named)
		fail_msg("%s: %s", text, frame_code_text(fault.code));
	assert_true(fault.detail && *fault.detail);
	if (named)
		assert_true(is_a_uuid(&fault.uuid));
}

static void a_bad_frame_has_a_code_and_its_uuid_if_it_has_one(void **state)
{
	static const struct {
		const char *text;
		enum frame_code code;
		bool named;
	} rows[] = {
		{"", FRAME_BAD_JSON, false},
		{"hi", FRAME_BAD_JSON, false},
		{"[" NAMED "]", FRAME_BAD_JSON, false},
		{"{" NAMED "," TEXT "," TO, FRAME_BAD_JSON, false},
		{"{" NAMED "," TEXT "," TO "}x", FRAME_BAD_JSON, false},
		{"{" NAMED "," TEXT "," TO "," TO "}", FRAME_BAD_JSON, false},
		{"{" NAMED ",\"message\":\"\\u0000\"," TO "}", FRAME_BAD_JSON,
	         false},
		{"{" NAMED ",\"message\":\"\xff\"," TO "}", FRAME_BAD_JSON,
	         false},
		/* the uuid */
		{"{}", FRAME_BAD_UUID, false},
		{"{" TEXT "," TO "}", FRAME_BAD_UUID, false},
		{"{\"uuid\":1," TEXT "," TO "}", FRAME_BAD_UUID, false},
		{"{\"uuid\":null," TEXT "," TO "}", FRAME_BAD_UUID, false},
		{"{\"uuid\":\"\"," TEXT "," TO "}", FRAME_BAD_UUID, false},
		{"{\"uuid\":\"01890a5dac96774bbcceb302099a8057\"," TEXT "," TO
	         "}",
	         FRAME_BAD_UUID, false},
		{"{\"uuid\":\"01890a5d-ac96-774b-bcce-b302099a805g\"," TEXT
	         "," TO "}",
	         FRAME_BAD_UUID, false},
		{"{\"UUID\":\"" UUID "\"," TEXT "," TO "}", FRAME_BAD_UUID,
	         false},
		/* the type */
		{"{\"type\":\"tying\"}", FRAME_UNKNOWN_TYPE, false},
		{"{\"type\":\"tying\"," NAMED "}", FRAME_UNKNOWN_TYPE, true},
		{"{\"type\":\"Message\"," NAMED "," TEXT "," TO "}",
	         FRAME_UNKNOWN_TYPE, true},
		{"{\"type\":\"\"," NAMED "," TEXT "," TO "}",
	         FRAME_UNKNOWN_TYPE, true},
		{"{\"type\":1," NAMED "," TEXT "," TO "}", FRAME_BAD_FRAME,
	         true},
		{"{\"type\":null," NAMED "," TEXT "," TO "}", FRAME_BAD_FRAME,
	         true},
		{"{\"type\":[],\"uuid\":1}", FRAME_BAD_FRAME, false},
		/* the text */
		{"{" NAMED "," TO "}", FRAME_BAD_MESSAGE, true},
		{"{" NAMED ",\"message\":1," TO "}", FRAME_BAD_MESSAGE, true},
		{"{" NAMED ",\"message\":null," TO "}", FRAME_BAD_MESSAGE,
	         true},
		{"{" NAMED ",\"Message\":{}," TO "}", FRAME_BAD_MESSAGE, true},
		{"{" NAMED ",\"message\":\"\"," TO "}", FRAME_BAD_MESSAGE,
	         true},
		{"{" NAMED ",\"MESSAGE\":\"hi\"," TO "}", FRAME_BAD_MESSAGE,
	         true},
		{"{" NAMED "," TEXT ",\"Message\":\"hi\"," TO "}",
	         FRAME_BAD_MESSAGE, true},
		{"{" NAMED "," TEXT ",\"Message\":null," TO "}",
	         FRAME_BAD_MESSAGE, true},
		/* for whom */
		{"{" NAMED "," TEXT "}", FRAME_BAD_USER, true},
		{"{" NAMED "," TEXT ",\"user_to\":0}", FRAME_BAD_USER, true},
		{"{" NAMED "," TEXT ",\"user_to\":-2}", FRAME_BAD_USER, true},
		{"{" NAMED "," TEXT ",\"user_to\":2.5}", FRAME_BAD_USER, true},
		{"{" NAMED "," TEXT ",\"user_to\":\"2\"}", FRAME_BAD_USER,
	         true},
		{"{" NAMED "," TEXT ",\"user_to\":[2]}", FRAME_BAD_USER, true},
		{"{" NAMED "," TEXT ",\"user_to\":null}", FRAME_BAD_USER, true},
		{"{" NAMED "," TEXT ",\"user_to\":1e999}", FRAME_BAD_USER,
	         true},
		{"{" NAMED "," TEXT ",\"user_to\":9007199254740992}",
	         FRAME_BAD_USER, true},
		{"{" NAMED "," TEXT "," TO ",\"conversation\":17}",
	         FRAME_BAD_CONVERSATION, true},
		{"{" NAMED "," TEXT ",\"conversation\":0}",
	         FRAME_BAD_CONVERSATION, true},
		{"{" NAMED "," TEXT ",\"conversation\":\"17\"}",
	         FRAME_BAD_CONVERSATION, true},
		{"{" NAMED "," TEXT "," TO ",\"reply_to\":0}", FRAME_BAD_SEQ,
	         true},
		{"{" NAMED "," TEXT "," TO ",\"reply_to\":null}", FRAME_BAD_SEQ,
	         true},
		/* receipts */
		{"{\"type\":\"read\",\"seq\":1}", FRAME_BAD_CONVERSATION,
	         false},
		{"{\"type\":\"read\"," IN "}", FRAME_BAD_SEQ, false},
		{"{\"type\":\"delivered\"," IN ",\"seq\":0}", FRAME_BAD_SEQ,
	         false},
		{"{\"type\":\"delivered\"," IN ",\"seq\":1.5}", FRAME_BAD_SEQ,
	         false},
		/* changes of a message */
		{"{\"type\":\"edit\"," IN ",\"seq\":1," TEXT "}",
	         FRAME_BAD_UUID, false},
		{"{\"type\":\"edit\"," NAMED "," IN ",\"seq\":1}",
	         FRAME_BAD_MESSAGE, true},
		{"{\"type\":\"edit\"," NAMED "," IN "," TEXT "}", FRAME_BAD_SEQ,
	         true},
		{"{\"type\":\"edit\"," NAMED "," TO ",\"seq\":1," TEXT "}",
	         FRAME_BAD_CONVERSATION, true},
		{"{\"type\":\"delete\"," NAMED "," IN "}", FRAME_BAD_SEQ, true},
		{"{\"type\":\"react\"," NAMED "," IN ",\"seq\":1}",
	         FRAME_BAD_REACTION, true},
		{"{\"type\":\"react\"," NAMED "," IN
	         ",\"seq\":1,\"reaction\":\"a b\"}",
	         FRAME_BAD_REACTION, true},
		{"{\"type\":\"react\"," NAMED "," IN
	         ",\"seq\":1,\"reaction\":\"\"}",
	         FRAME_BAD_REACTION, true},
		{"{\"type\":\"react\"," NAMED "," IN
	         ",\"seq\":1,\"reaction\":\"+1\",\"remove\":1}",
	         FRAME_BAD_REACTION, true},
		/* what is not kept */
		{"{\"type\":\"typing\"}", FRAME_BAD_CONVERSATION, false},
		{"{\"type\":\"presence\"}", FRAME_BAD_USER, false},
		{"{\"type\":\"presence\",\"users\":2}", FRAME_BAD_USER, false},
		{"{\"type\":\"presence\",\"users\":[2,0]}", FRAME_BAD_USER,
	         false},
		{"{\"type\":\"presence\",\"users\":[\"2\"]}", FRAME_BAD_USER,
	         false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_refused(rows[i].text, rows[i].code, rows[i].named);
}

static void put_long(struct buf *text, const char *letter, size_t count)
{
	buf_append(text, SPAN("{" NAMED "," TO ",\"message\":\""));
	for (size_t i = 0; i < count; i++)
		buf_append(text, span_of(letter));
	buf_append(text, SPAN("\"}"));
}

static void the_length_of_a_text_is_in_bytes_of_utf8(void **state)
{
	static const struct {
		const char *letter;
		unsigned bytes;
	} rows[] = {{"x", 1}, {"\\n", 1}, {"\xc3\xa9", 2}, {"\\u00e9", 2}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf text CLEANUP(buf_free) = BUF(2 * FRAME_MAX);
		size_t fits = MESSAGE_TEXT_MAX / rows[i].bytes;
		struct json *json CLEANUP(json_destroy) = NULL;
		struct client_frame frame;
		struct frame_fault fault;

		put_long(&text, rows[i].letter, fits);
		assert_int_equal(
			frame_decode(buf_span(&text), &json, &frame, &fault),
			ST_OK);
		assert_int_equal(frame.message.len, MESSAGE_TEXT_MAX);
		buf_clear(&text);
		put_long(&text, rows[i].letter, fits + 1);
		assert_refused(buf_text(&text), FRAME_MESSAGE_TOO_LONG, true);
	}
}

/* --- server → client -------------------------------------------------------
 */
static struct saved_message saved(struct span message)
{
	return (struct saved_message){.id = 9,
	                              .conversation = 17,
	                              .seq = 42,
	                              .user_from = 1,
	                              .user_to = 2,
	                              .uuid = a_uuid(),
	                              .message = message,
	                              .created_at_ms = created_at_ms};
}

static void a_welcome_has_these_bytes(void **state)
{
	struct buf out CLEANUP(buf_free) = BUF(FRAME_OUT_MAX);

	(void)state;
	frame_welcome(&out, 1, SPAN("s-1"), 25);
	assert_string_equal(buf_text(&out),
	                    "{\"type\":\"welcome\",\"user\":1,"
	                    "\"session\":\"s-1\",\"ping_interval_s\":25}");
}

static void the_states_have_these_bytes(void **state)
{
	struct buf out CLEANUP(buf_free) = BUF(FRAME_OUT_MAX);
	struct saved_message message = saved(SPAN("hi"));

	(void)state;
	frame_accepted(&out, &message.uuid);
	assert_string_equal(buf_text(&out), "{\"type\":\"state\"," NAMED
	                                    ",\"state\":\"accepted\"}");
	buf_clear(&out);
	frame_saved(&out, &message);
	assert_string_equal(buf_text(&out),
	                    "{\"type\":\"state\"," NAMED
	                    ",\"state\":\"saved\",\"id\":9,"
	                    "\"conversation\":17,\"seq\":42,"
	                    "\"created_at\":\"2026-11-21T10:00:00.123Z\"}");
	buf_clear(&out);
	frame_state_error(&out, &message.uuid, FRAME_UNAVAILABLE, "wait");
	assert_string_equal(buf_text(&out),
	                    "{\"type\":\"state\"," NAMED
	                    ",\"state\":\"error\",\"code\":\"unavailable\","
	                    "\"detail\":\"wait\",\"retryable\":true}");
}

static void a_message_has_these_bytes(void **state)
{
	struct buf out CLEANUP(buf_free) = BUF(FRAME_OUT_MAX);
	struct saved_message message = saved(SPAN("\"hi\"\n\x01\xc3\xa9/"));

	(void)state;
	frame_message(&out, &message);
	assert_string_equal(
		buf_text(&out),
		"{\"type\":\"message\",\"id\":9,\"conversation\":17,\"seq\":42,"
		"\"user_from\":1,\"user_to\":2," NAMED
		",\"message\":\"\\\"hi\\\"\\n\\u0001\xc3\xa9/\","
		"\"created_at\":\"2026-11-21T10:00:00.123Z\"}");
}

static void an_error_has_these_bytes(void **state)
{
	struct buf out CLEANUP(buf_free) = BUF(FRAME_OUT_MAX);
	struct uuid uuid = a_uuid();

	(void)state;
	frame_error(&out, NULL, FRAME_BAD_JSON, "it is not JSON");
	assert_string_equal(buf_text(&out),
	                    "{\"type\":\"error\",\"code\":\"bad_json\","
	                    "\"detail\":\"it is not JSON\","
	                    "\"retryable\":false}");
	buf_clear(&out);
	frame_error(&out, &uuid, FRAME_TOKEN_ENDED, "");
	assert_string_equal(buf_text(&out),
	                    "{\"type\":\"error\"," NAMED
	                    ",\"code\":\"token_ended\",\"detail\":\"\","
	                    "\"retryable\":false}");
}

static void frames_stand_one_after_the_other(void **state)
{
	struct buf out CLEANUP(buf_free) = BUF(FRAME_OUT_MAX);
	struct uuid uuid = a_uuid();

	(void)state;
	frame_accepted(&out, &uuid);
	frame_accepted(&out, &uuid);
	assert_string_equal(buf_text(&out), "{\"type\":\"state\"," NAMED
	                                    ",\"state\":\"accepted\"}"
	                                    "{\"type\":\"state\"," NAMED
	                                    ",\"state\":\"accepted\"}");
}

static void the_longest_message_fits_at_its_worst(void **state)
{
	char *text CLEANUP(mem_free) = mem_new(MESSAGE_TEXT_MAX);
	struct buf out CLEANUP(buf_free) = BUF(FRAME_OUT_MAX);
	struct saved_message message;
	struct json *json CLEANUP(json_destroy) = NULL;
	struct span again;
	const char *why;

	(void)state;
	memset(text, '\x7f', MESSAGE_TEXT_MAX);
	message = saved(span_make(text, MESSAGE_TEXT_MAX));
	message.id = message.conversation = message.seq = JSON_ID_MAX;
	frame_message(&out, &message);
	assert_false(buf_overflowed(&out));
	assert_int_equal(json_parse(buf_span(&out), &json, &why), ST_OK);
	assert_true(json_get_text(json, "message", &again));
	assert_true(span_equal(again, message.message));
}

static void every_code_has_a_text_and_says_whether_to_retry(void **state)
{
	static const struct {
		enum frame_code code;
		const char *text;
		bool retryable;
	} rows[] = {
		{FRAME_BAD_JSON, "bad_json", false},
		{FRAME_BAD_FRAME, "bad_frame", false},
		{FRAME_UNKNOWN_TYPE, "unknown_type", false},
		{FRAME_BAD_UUID, "bad_uuid", false},
		{FRAME_BAD_MESSAGE, "bad_message", false},
		{FRAME_MESSAGE_TOO_LONG, "message_too_long", false},
		{FRAME_BAD_USER, "bad_user", false},
		{FRAME_UNKNOWN_USER, "unknown_user", false},
		{FRAME_TOKEN_ENDED, "token_ended", false},
		{FRAME_NOT_STORABLE, "not_storable", false},
		{FRAME_TOO_MANY_UNSETTLED, "too_many_unsettled", true},
		{FRAME_UNAVAILABLE, "unavailable", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_string_equal(frame_code_text(rows[i].code),
		                    rows[i].text);
		assert_int_equal(frame_code_retryable(rows[i].code),
		                 rows[i].retryable);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_taken),
		cmocka_unit_test(
			a_bad_frame_has_a_code_and_its_uuid_if_it_has_one),
		cmocka_unit_test(the_length_of_a_text_is_in_bytes_of_utf8),
		cmocka_unit_test(a_welcome_has_these_bytes),
		cmocka_unit_test(the_states_have_these_bytes),
		cmocka_unit_test(a_message_has_these_bytes),
		cmocka_unit_test(an_error_has_these_bytes),
		cmocka_unit_test(frames_stand_one_after_the_other),
		cmocka_unit_test(the_longest_message_fits_at_its_worst),
		cmocka_unit_test(
			every_code_has_a_text_and_says_whether_to_retry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
