#include "common/base/mem.h"
#include "common/wire/frame.h"
#include "common/wire/identity.h"
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

static struct client_frame taken(const char *text, struct json **ret_json)
{
	struct client_frame frame;
	struct frame_fault fault;

	if (frame_decode(span_of(text), ret_json, &frame, &fault) != ST_OK)
		fail_msg("refused: %s: %s", text, fault.detail);
	return frame;
}

/* Each kind of frame; what a kind does not have is zero. */
static void all_kinds_of_frames_are_taken(void **state)
{
	static const struct {
		const char *text;
		enum client_frame_kind kind;
		uint64_t seq;
		uint64_t reply_to;
		const char *message;
		const char *reaction;
		bool remove;
	} rows[] = {
		{"{" NAMED "," TEXT "," IN "}", CLIENT_MESSAGE, 0, 0, "hi", "",
	         false},
		{"{" NAMED "," TEXT "," IN ",\"reply_to\":41}", CLIENT_MESSAGE,
	         0, 41, "hi", "", false},
		{"{\"type\":\"message\"," NAMED ",\"Message\":\"hi\"," IN "}",
	         CLIENT_MESSAGE, 0, 0, "hi", "", false},
		{"{\"type\":\"delivered\"," IN ",\"seq\":42}", CLIENT_DELIVERED,
	         42, 0, "", "", false},
		{"{\"type\":\"read\"," IN ",\"seq\":9007199254740991}",
	         CLIENT_READ, JSON_ID_MAX, 0, "", "", false},
		{"{\"type\":\"read\"," IN ",\"seq\":42,\"user_to\":\"x\"}",
	         CLIENT_READ, 42, 0, "", "", false},
		{"{\"type\":\"edit\"," NAMED "," IN ",\"seq\":42," TEXT "}",
	         CLIENT_EDIT, 42, 0, "hi", "", false},
		{"{\"type\":\"delete\"," NAMED "," IN ",\"seq\":42}",
	         CLIENT_DELETE, 42, 0, "", "", false},
		{"{\"type\":\"react\"," NAMED "," IN
	         ",\"seq\":42,\"reaction\":\"ok\"}",
	         CLIENT_REACT, 42, 0, "", "ok", false},
		{"{\"type\":\"react\"," NAMED "," IN
	         ",\"seq\":42,\"reaction\":\"\xf0\x9f\x91\x8d\","
	         "\"remove\":false}",
	         CLIENT_REACT, 42, 0, "", "\xf0\x9f\x91\x8d", false},
		{"{\"type\":\"react\"," NAMED "," IN
	         ",\"seq\":42,\"reaction\":\"+1\",\"remove\":true}",
	         CLIENT_REACT, 42, 0, "", "+1", true},
		{"{\"type\":\"typing\"," IN "}", CLIENT_TYPING, 0, 0, "", "",
	         false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct json *json CLEANUP(json_destroy) = NULL;
		struct client_frame frame = taken(rows[i].text, &json);

		if (frame.kind != rows[i].kind || frame.seq != rows[i].seq ||
		    frame.reply_to != rows[i].reply_to ||
		    frame.remove != rows[i].remove || frame.user_count)
			fail_msg("%s", rows[i].text);
		assert_int_equal(frame.conversation, 17);
		assert_int_equal(frame.user_to, 0);
		assert_true(
			span_equal(frame.message, span_of(rows[i].message)));
		assert_true(
			span_equal(frame.reaction, span_of(rows[i].reaction)));
		if (strstr(rows[i].text, UUID))
			assert_true(is_a_uuid(&frame.uuid));
	}
}

static void the_users_of_a_presence_frame_are_read_one_by_one(void **state)
{
	struct json *json CLEANUP(json_destroy) = NULL;
	struct client_frame frame = taken(
		"{\"type\":\"presence\",\"users\":[2,9007199254740991,2]}",
		&json);

	(void)state;
	assert_int_equal(frame.kind, CLIENT_PRESENCE);
	assert_int_equal(frame.user_count, 3);
	assert_int_equal(frame_presence_user(&frame, 0), 2);
	assert_int_equal(frame_presence_user(&frame, 1), JSON_ID_MAX);
	assert_int_equal(frame_presence_user(&frame, 2), 2);
	json_destroy(&json);
	frame = taken("{\"type\":\"presence\",\"users\":[]}", &json);
	assert_int_equal(frame.user_count, 0);
}

/* A uuid is not read, and does no harm. */
static void an_auth_frame_has_a_token(void **state)
{
	struct json *json CLEANUP(json_destroy) = NULL;
	struct client_frame frame =
		taken("{\"type\":\"auth\",\"token\":\"a.b-c_d~\"}", &json);

	(void)state;
	assert_int_equal(frame.kind, CLIENT_AUTH);
	assert_true(span_equal(frame.token, SPAN("a.b-c_d~")));
	assert_false(frame_has_uuid(&frame));
	json_destroy(&json);
	frame = taken("{\"type\":\"auth\",\"token\":\"\\u0041\",\"uuid\":1}",
	              &json);
	assert_true(span_equal(frame.token, SPAN("A")));
}

static void put_auth(struct buf *text, size_t len)
{
	buf_append(text, SPAN("{\"type\":\"auth\",\"token\":\""));
	for (size_t i = 0; i < len; i++)
		buf_append(text, SPAN("x"));
	buf_append(text, SPAN("\"}"));
}

static void put_presence(struct buf *text, unsigned count)
{
	buf_append(text, SPAN("{\"type\":\"presence\",\"users\":[1"));
	for (unsigned i = 1; i < count; i++)
		buf_append(text, SPAN(",1"));
	buf_append(text, SPAN("]}"));
}

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
		/* recipients */
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
	         ",\"seq\":1,\"reaction\":\"+1\"}",
	         FRAME_BAD_REACTION, true},
		{"{\"type\":\"react\"," NAMED "," IN
	         ",\"seq\":1,\"reaction\":\"a b\",\"remove\":true}",
	         FRAME_BAD_REACTION, true},
		{"{\"type\":\"react\"," NAMED "," IN
	         ",\"seq\":1,\"reaction\":\"+1\",\"remove\":1}",
	         FRAME_BAD_REACTION, true},
		/* values that are not kept */
		{"{\"type\":\"typing\"}", FRAME_BAD_CONVERSATION, false},
		{"{\"type\":\"presence\"}", FRAME_BAD_USER, false},
		{"{\"type\":\"presence\",\"users\":2}", FRAME_BAD_USER, false},
		{"{\"type\":\"presence\",\"users\":[2,0]}", FRAME_BAD_USER,
	         false},
		{"{\"type\":\"presence\",\"users\":[\"2\"]}", FRAME_BAD_USER,
	         false},
		/* the token */
		{"{\"type\":\"auth\"}", FRAME_BAD_TOKEN, false},
		{"{\"type\":\"auth\"," NAMED "}", FRAME_BAD_TOKEN, true},
		{"{\"type\":\"auth\",\"token\":null}", FRAME_BAD_TOKEN, false},
		{"{\"type\":\"auth\",\"token\":7}", FRAME_BAD_TOKEN, false},
		{"{\"type\":\"auth\",\"token\":[\"t\"]}", FRAME_BAD_TOKEN,
	         false},
		{"{\"type\":\"auth\",\"token\":{}}", FRAME_BAD_TOKEN, false},
		{"{\"type\":\"auth\",\"Token\":\"t\"}", FRAME_BAD_TOKEN, false},
		{"{\"type\":\"auth\",\"token\":\"\"}", FRAME_BAD_TOKEN, false},
		{"{\"type\":\"auth\",\"token\":\" t\"}", FRAME_BAD_TOKEN,
	         false},
		{"{\"type\":\"auth\",\"token\":\"t\\r\\nHost: h\"}",
	         FRAME_BAD_TOKEN, false},
		{"{\"type\":\"auth\",\"token\":\"\\u007f\"}", FRAME_BAD_TOKEN,
	         false},
		{"{\"type\":\"auth\",\"token\":\"\xc3\xa9\"}", FRAME_BAD_TOKEN,
	         false},
		{"{\"type\":\"auth\",\"token\":\"t\\u0000\"}", FRAME_BAD_JSON,
	         false},
		{"{\"type\":\"auth\",\"token\":\"t\",\"token\":\"t\"}",
	         FRAME_BAD_JSON, false},
		{"{\"type\":\"Auth\",\"token\":\"t\"}", FRAME_UNKNOWN_TYPE,
	         false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_refused(rows[i].text, rows[i].code, rows[i].named);
}

static void a_presence_frame_of_more_than_sixty_users_is_refused(void **state)
{
	struct buf text CLEANUP(buf_free) = BUF(FRAME_MAX);
	struct json *json CLEANUP(json_destroy) = NULL;
	struct client_frame frame;

	(void)state;
	put_presence(&text, PRESENCE_USERS_MAX);
	frame = taken(buf_text(&text), &json);
	assert_int_equal(frame.user_count, PRESENCE_USERS_MAX);
	buf_clear(&text);
	put_presence(&text, PRESENCE_USERS_MAX + 1);
	assert_refused(buf_text(&text), FRAME_TOO_MANY, false);
}

static void a_token_of_more_than_4096_bytes_is_refused(void **state)
{
	struct buf text CLEANUP(buf_free) = BUF(FRAME_MAX);
	struct json *json CLEANUP(json_destroy) = NULL;
	struct client_frame frame;

	(void)state;
	put_auth(&text, TOKEN_MAX);
	frame = taken(buf_text(&text), &json);
	assert_int_equal(frame.token.len, TOKEN_MAX);
	buf_clear(&text);
	put_auth(&text, TOKEN_MAX + 1);
	assert_refused(buf_text(&text), FRAME_BAD_TOKEN, false);
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

static void the_frames_about_a_token_have_these_bytes(void **state)
{
	struct buf out CLEANUP(buf_free) = BUF(FRAME_OUT_MAX);

	(void)state;
	frame_auth(&out, SPAN("s-1"), created_at_ms);
	assert_string_equal(buf_text(&out),
	                    "{\"type\":\"auth\",\"session\":\"s-1\","
	                    "\"expires_at\":\"2026-11-21T10:00:00.123Z\"}");
	buf_clear(&out);
	frame_token(&out, created_at_ms);
	assert_string_equal(buf_text(&out),
	                    "{\"type\":\"token\","
	                    "\"expires_at\":\"2026-11-21T10:00:00.123Z\"}");
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

#define AT "\"created_at\":\"2026-11-21T10:00:00.123Z\""

static void assert_message(const struct saved_message *message,
                           const char *wanted)
{
	struct buf out CLEANUP(buf_free) = BUF(FRAME_OUT_MAX);

	frame_message(&out, message);
	assert_string_equal(buf_text(&out), wanted);
}

static void a_message_to_many_says_what_it_answers(void **state)
{
	struct saved_message message = saved(SPAN("hi"));

	(void)state;
	message.kind = ENTRY_MESSAGE;
	message.user_to = 0;
	assert_message(&message,
	               "{\"type\":\"message\",\"id\":9,\"conversation\":17,"
	               "\"seq\":42,\"user_from\":1," NAMED
	               ",\"message\":\"hi\"," AT "}");
	message.reply_to = 41;
	assert_message(&message,
	               "{\"type\":\"message\",\"id\":9,\"conversation\":17,"
	               "\"seq\":42,\"user_from\":1," NAMED
	               ",\"message\":\"hi\",\"reply_to\":41," AT "}");
}

static void a_message_says_what_was_changed(void **state)
{
	struct saved_message message = saved(SPAN("hi!"));

	(void)state;
	message.user_to = 0;
	message.revision = 7;
	message.edited_at_ms = created_at_ms + 1;
	message.reactions = SPAN("[{\"reaction\":\"+1\",\"users\":[1,2]}]");
	assert_message(
		&message,
		"{\"type\":\"message\",\"id\":9,\"conversation\":17,"
		"\"seq\":42,\"user_from\":1," NAMED ",\"message\":\"hi!\"," AT
		",\"revision\":7,"
		"\"edited_at\":\"2026-11-21T10:00:00.124Z\",\"reactions\":"
		"[{\"reaction\":\"+1\",\"users\":[1,2]}]}");
	message.message = SPAN("");
	message.reactions = SPAN_NONE;
	message.revision = 8;
	message.deleted_at_ms = created_at_ms + 2;
	assert_message(&message,
	               "{\"type\":\"message\",\"id\":9,\"conversation\":17,"
	               "\"seq\":42,\"user_from\":1," NAMED
	               ",\"message\":\"\"," AT ",\"revision\":8,"
	               "\"edited_at\":\"2026-11-21T10:00:00.124Z\","
	               "\"deleted_at\":\"2026-11-21T10:00:00.125Z\"}");
}

static void a_member_has_these_bytes(void **state)
{
	struct saved_message entry =
		saved(SPAN("{\"what\":\"invited\",\"users\":[5,6]}"));

	(void)state;
	entry.kind = ENTRY_MEMBER;
	entry.user_to = 0;
	assert_message(&entry,
	               "{\"type\":\"member\",\"id\":9,\"conversation\":17,"
	               "\"seq\":42,\"user_from\":1," NAMED
	               ",\"change\":{\"what\":\"invited\",\"users\":[5,6]}," AT
	               "}");
}

/* --- what happens to a message -------------------------------------------- */
static struct saved_change a_change(enum client_frame_kind kind)
{
	return (struct saved_change){.kind = kind,
	                             .uuid = a_uuid(),
	                             .conversation = 17,
	                             .seq = 42,
	                             .revision = 7,
	                             .user = 2,
	                             .created_at_ms = created_at_ms};
}

static void a_change_is_saved_with_these_bytes(void **state)
{
	struct buf out CLEANUP(buf_free) = BUF(FRAME_OUT_MAX);
	struct saved_change change = a_change(CLIENT_REACT);

	(void)state;
	frame_change_saved(&out, &change);
	assert_string_equal(buf_text(&out),
	                    "{\"type\":\"state\"," NAMED
	                    ",\"state\":\"saved\",\"conversation\":17,"
	                    "\"seq\":42,\"revision\":7," AT "}");
	buf_clear(&out);
	change.revision = 0; /* a reaction taken away that never was there */
	frame_change_saved(&out, &change);
	assert_non_null(strstr(buf_text(&out), "\"revision\":0,"));
}

static void assert_change(const struct saved_change *change, const char *type,
                          const char *content)
{
	struct buf wanted CLEANUP(buf_free) = BUF(FRAME_OUT_MAX);
	struct buf out CLEANUP(buf_free) = BUF(FRAME_OUT_MAX);

	buf_append(&wanted, SPAN("{\"type\":\""));
	buf_append(&wanted, span_of(type));
	buf_append(&wanted, SPAN("\",\"conversation\":17,\"seq\":42,"
	                         "\"revision\":7,\"user_from\":2," NAMED ","));
	buf_append(&wanted, span_of(content));
	buf_append(&wanted, SPAN(AT "}"));
	frame_change(&out, change);
	assert_string_equal(buf_text(&out), buf_text(&wanted));
}

static void changes_have_these_bytes(void **state)
{
	struct saved_change edit = a_change(CLIENT_EDIT);
	struct saved_change react = a_change(CLIENT_REACT);
	struct saved_change gone = a_change(CLIENT_DELETE);

	(void)state;
	edit.message = SPAN("\"hi\"!");
	assert_change(&edit, "edit", "\"message\":\"\\\"hi\\\"!\",");
	assert_change(&gone, "delete", "");
	react.reaction = SPAN("\xf0\x9f\x91\x8d");
	assert_change(&react, "reaction",
	              "\"reaction\":\"\xf0\x9f\x91\x8d\",\"remove\":false,");
	react.reaction = SPAN("\"");
	react.remove = true;
	assert_change(&react, "reaction",
	              "\"reaction\":\"\\\"\",\"remove\":true,");
}

static void a_receipt_has_these_bytes(void **state)
{
	struct buf out CLEANUP(buf_free) = BUF(FRAME_OUT_MAX);
	struct receipt receipt = {17, 2, 42, 0};

	(void)state;
	frame_receipt(&out, &receipt);
	assert_string_equal(buf_text(&out),
	                    "{\"type\":\"receipt\",\"conversation\":17,"
	                    "\"user\":2,\"delivered\":42,\"read\":0}");
}

static void typing_has_these_bytes(void **state)
{
	struct buf out CLEANUP(buf_free) = BUF(FRAME_OUT_MAX);

	(void)state;
	frame_typing(&out, 17, JSON_ID_MAX);
	assert_string_equal(buf_text(&out),
	                    "{\"type\":\"typing\",\"conversation\":17,"
	                    "\"user\":9007199254740991}");
}

static void presence_has_these_bytes(void **state)
{
	struct buf out CLEANUP(buf_free) = BUF(FRAME_OUT_MAX);
	struct presence_frame frame = frame_presence_open(&out);

	(void)state;
	frame_presence_close(&frame);
	assert_string_equal(buf_text(&out),
	                    "{\"type\":\"presence\",\"users\":[]}");
	buf_clear(&out);
	frame = frame_presence_open(&out);
	frame_presence_add(&frame, 2, 0);
	frame_presence_add(&frame, 3, created_at_ms);
	frame_presence_add(&frame, 4, UINT64_MAX);
	frame_presence_close(&frame);
	assert_string_equal(buf_text(&out),
	                    "{\"type\":\"presence\",\"users\":["
	                    "{\"user\":2,\"state\":\"online\"},"
	                    "{\"user\":3,\"state\":\"offline\","
	                    "\"last_seen\":\"2026-11-21T10:00:00.123Z\"},"
	                    "{\"user\":4,\"state\":\"offline\"}]}");
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

static void an_error_says_in_which_conversation(void **state)
{
	struct buf out CLEANUP(buf_free) = BUF(FRAME_OUT_MAX);

	(void)state;
	frame_error_in(&out, 17, FRAME_UNKNOWN_CONVERSATION, "none");
	assert_string_equal(buf_text(&out),
	                    "{\"type\":\"error\",\"conversation\":17,"
	                    "\"code\":\"unknown_conversation\","
	                    "\"detail\":\"none\",\"retryable\":false}");
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
		{FRAME_BAD_CONVERSATION, "bad_conversation", false},
		{FRAME_BAD_SEQ, "bad_seq", false},
		{FRAME_BAD_REACTION, "bad_reaction", false},
		{FRAME_BAD_TOKEN, "bad_token", false},
		{FRAME_UNKNOWN_USER, "unknown_user", false},
		{FRAME_UNKNOWN_CONVERSATION, "unknown_conversation", false},
		{FRAME_UNKNOWN_MESSAGE, "unknown_message", false},
		{FRAME_NOT_ALLOWED, "not_allowed", false},
		{FRAME_TOO_MANY, "too_many", false},
		{FRAME_TOKEN_ENDED, "token_ended", false},
		{FRAME_NOT_STORABLE, "not_storable", false},
		{FRAME_TOO_MANY_UNSETTLED, "too_many_unsettled", true},
		{FRAME_TOO_FAST, "too_fast", true},
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
		cmocka_unit_test(all_kinds_of_frames_are_taken),
		cmocka_unit_test(
			the_users_of_a_presence_frame_are_read_one_by_one),
		cmocka_unit_test(
			a_presence_frame_of_more_than_sixty_users_is_refused),
		cmocka_unit_test(an_auth_frame_has_a_token),
		cmocka_unit_test(a_token_of_more_than_4096_bytes_is_refused),
		cmocka_unit_test(the_frames_about_a_token_have_these_bytes),
		cmocka_unit_test(
			a_bad_frame_has_a_code_and_its_uuid_if_it_has_one),
		cmocka_unit_test(the_length_of_a_text_is_in_bytes_of_utf8),
		cmocka_unit_test(a_welcome_has_these_bytes),
		cmocka_unit_test(the_states_have_these_bytes),
		cmocka_unit_test(a_message_has_these_bytes),
		cmocka_unit_test(a_message_to_many_says_what_it_answers),
		cmocka_unit_test(a_message_says_what_was_changed),
		cmocka_unit_test(a_member_has_these_bytes),
		cmocka_unit_test(a_change_is_saved_with_these_bytes),
		cmocka_unit_test(changes_have_these_bytes),
		cmocka_unit_test(a_receipt_has_these_bytes),
		cmocka_unit_test(typing_has_these_bytes),
		cmocka_unit_test(presence_has_these_bytes),
		cmocka_unit_test(an_error_has_these_bytes),
		cmocka_unit_test(an_error_says_in_which_conversation),
		cmocka_unit_test(frames_stand_one_after_the_other),
		cmocka_unit_test(the_longest_message_fits_at_its_worst),
		cmocka_unit_test(
			every_code_has_a_text_and_says_whether_to_retry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
