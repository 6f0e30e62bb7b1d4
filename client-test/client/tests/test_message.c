#include "client-test/client/message.h"
#include "common/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define UUID "\"uuid\":\"01936f5e-8a2b-7c3d-9e4f-5a6b7c8d9e0f\","
#define HEAD "\"id\":9,\"conversation\":17,\"seq\":42,\"user_from\":1," UUID
#define TIME "\"created_at\":\"2026-11-21T10:00:00.000Z\""

struct reading {
	struct json *json;
	struct message message;
	struct message_edit edit;
};

static int create(void **state)
{
	static struct reading reading;

	*state = &reading;
	return 0;
}

static int destroy(void **state)
{
	json_destroy(&((struct reading *)*state)->json);
	return 0;
}

static const struct json *parse(struct reading *reading, const char *text)
{
	json_destroy(&reading->json);
	assert_int_equal(message_parse(span_of(text), &reading->json), ST_OK);
	return reading->json;
}

static bool read(struct reading *reading, const char *text)
{
	return message_read(parse(reading, text), &reading->message);
}

static bool read_edit(struct reading *reading, const char *text)
{
	return message_read_edit(parse(reading, text), &reading->edit);
}

static void a_message_to_a_user_is_read(void **state)
{
	struct reading *reading = *state;

	assert_true(read(reading,
	                 "{\"type\":\"message\"," HEAD
	                 "\"user_to\":2,\"message\":\"hi\"," TIME "}"));
	assert_int_equal(reading->message.change, CHANGE_none);
	assert_int_equal(reading->message.user_to, 2);
	assert_int_equal(reading->message.seq, 42);
	assert_true(span_equal(reading->message.text, SPAN("hi")));
}

static void a_message_to_a_group_has_no_user(void **state)
{
	struct reading *reading = *state;

	assert_true(read(reading, "{" HEAD "\"message\":\"hi\",\"reply_to\":41,"
	                          "\"revision\":7," TIME "}"));
	assert_int_equal(reading->message.user_to, 0);
	assert_int_equal(reading->message.reply_to, 41);
	assert_int_equal(reading->message.revision, 7);
	assert_false(reading->message.edited);
}

static void a_deleted_message_is_marked(void **state)
{
	struct reading *reading = *state;

	assert_true(read(reading, "{" HEAD "\"message\":\"\",\"deleted_at\":"
	                          "\"2026-11-21T10:00:00.000Z\"," TIME "}"));
	assert_true(reading->message.deleted);
	assert_int_equal(reading->message.text.len, 0);
}

static void a_message_with_a_bad_user_is_refused(void **state)
{
	assert_false(read(*state, "{" HEAD "\"user_to\":\"2\","
	                          "\"message\":\"hi\"," TIME "}"));
	assert_false(read(*state, "{" HEAD "\"user_to\":2," TIME "}"));
}

static void an_invitation_names_the_invited_users(void **state)
{
	struct reading *reading = *state;
	uint64_t user;

	assert_true(read(reading, "{\"type\":\"member\"," HEAD
	                          "\"change\":{\"what\":\"invited\","
	                          "\"users\":[5,6]}," TIME "}"));
	assert_int_equal(reading->message.change, CHANGE_invited);
	assert_true(message_change_user(&reading->message, 1, &user));
	assert_int_equal(user, 6);
	assert_false(message_change_user(&reading->message, 2, &user));
	assert_true(message_change_affects(&reading->message, 5));
	assert_false(message_change_affects(&reading->message, 1));
}

static void a_change_has_its_detail(void **state)
{
	struct reading *reading = *state;

	assert_true(read(reading, "{\"type\":\"member\"," HEAD
	                          "\"change\":{\"what\":\"role\",\"role\":"
	                          "\"admin\",\"users\":[5]}," TIME "}"));
	assert_int_equal(reading->message.change, CHANGE_role);
	assert_true(span_equal(reading->message.detail, SPAN("admin")));
	assert_true(read(reading, "{\"type\":\"member\"," HEAD
	                          "\"change\":{\"what\":\"left\",\"owner\":3,"
	                          "\"users\":[5]}," TIME "}"));
	assert_int_equal(reading->message.owner, 3);
	assert_true(read(reading, "{\"type\":\"member\"," HEAD
	                          "\"change\":{\"what\":\"renamed\",\"name\":"
	                          "\"new\"}," TIME "}"));
	assert_true(span_equal(reading->message.detail, SPAN("new")));
}

static void an_unknown_change_is_read(void **state)
{
	struct reading *reading = *state;

	assert_true(read(reading,
	                 "{\"type\":\"member\"," HEAD
	                 "\"change\":{\"what\":\"pinned\"}," TIME "}"));
	assert_int_equal(reading->message.change, CHANGE_OTHER);
}

static void a_change_with_malformed_users_is_refused(void **state)
{
	assert_false(read(*state, "{\"type\":\"member\"," HEAD
	                          "\"change\":{\"what\":\"left\","
	                          "\"users\":[\"5\"]}," TIME "}"));
	assert_false(read(*state, "{\"type\":\"member\"," HEAD TIME "}"));
}

static void a_frame_may_name_many_users(void **state)
{
	struct reading *reading = *state;

	struct buf frame CLEANUP(buf_free) = BUF(2048);

	buf_append(&frame, SPAN("{\"type\":\"member\"," HEAD "\"change\":{"
	                        "\"what\":\"created\",\"name\":\"all\","
	                        "\"users\":[1"));
	for (unsigned i = 2; i <= 100; i++)
		buf_format(&frame, ",%u", i);
	buf_append(&frame, SPAN("]}," TIME "}"));
	assert_true(read(reading, buf_text(&frame)));
	assert_true(message_change_affects(&reading->message, 100));
}

static void edits_deletes_and_reactions_are_read(void **state)
{
	struct reading *reading = *state;

	assert_true(read_edit(reading, "{\"type\":\"edit\",\"revision\":7,"
	                               "\"message\":\"hi!\"," HEAD TIME "}"));
	assert_int_equal(reading->edit.kind, EDIT_TEXT);
	assert_int_equal(reading->edit.revision, 7);
	assert_true(span_equal(reading->edit.text, SPAN("hi!")));
	assert_true(read_edit(
		reading, "{\"type\":\"delete\",\"revision\":8," HEAD TIME "}"));
	assert_int_equal(reading->edit.kind, EDIT_DELETE);
	assert_true(read_edit(
		reading, "{\"type\":\"reaction\",\"revision\":9,\"reaction\":"
			 "\"+1\",\"remove\":true," HEAD TIME "}"));
	assert_int_equal(reading->edit.kind, EDIT_REACTION);
	assert_true(reading->edit.remove);
	assert_false(read_edit(
		reading, "{\"type\":\"edit\",\"revision\":7," HEAD TIME "}"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, create, destroy)
	const struct CMUnitTest tests[] = {
		TEST(a_message_to_a_user_is_read),
		TEST(a_message_to_a_group_has_no_user),
		TEST(a_deleted_message_is_marked),
		TEST(a_message_with_a_bad_user_is_refused),
		TEST(an_invitation_names_the_invited_users),
		TEST(a_change_has_its_detail),
		TEST(an_unknown_change_is_read),
		TEST(a_change_with_malformed_users_is_refused),
		TEST(a_frame_may_name_many_users),
		TEST(edits_deletes_and_reactions_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
