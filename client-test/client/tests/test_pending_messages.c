#include "client-test/client/pending_messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { NOW = 1000 };

static const uint8_t room_for = 40;
static const uint8_t in_flight = PENDING_IN_FLIGHT_MAX;

static const struct message_draft greeting = {.user_to = 2, .text = {"hi", 2}};

static int create(void **state)
{
	*state = pending_messages_create(room_for);
	return 0;
}

static int destroy(void **state)
{
	pending_messages_destroy((struct pending_messages **)state);
	return 0;
}

static struct uuid numbered(uint8_t number)
{
	return (struct uuid){{number}};
}

static void add(struct pending_messages *pending, uint8_t number)
{
	struct uuid uuid = numbered(number);

	assert_true(pending_messages_add(pending, &uuid, &greeting, NOW));
}

/* The number of the message to send now; 0: none. */
static uint8_t send_at(struct pending_messages *pending, uint64_t now_ms)
{
	const struct pending_message *entry =
		pending_messages_next(pending, now_ms);

	return entry ? entry->uuid.byte[0] : 0;
}

static void messages_go_out_in_the_order_they_were_written(void **state)
{
	for (uint8_t i = 1; i <= 3; i++)
		add(*state, i);
	for (uint8_t i = 1; i <= 3; i++)
		assert_int_equal(send_at(*state, NOW), i);
	assert_int_equal(send_at(*state, NOW), 0);
}

static void no_more_than_the_limit_are_in_flight(void **state)
{
	struct uuid first = numbered(1);

	for (unsigned i = 1; i <= in_flight + 2U; i++)
		add(*state, (uint8_t)i);
	for (uint8_t i = 1; i <= in_flight; i++)
		assert_int_equal(send_at(*state, NOW), i);
	assert_int_equal(send_at(*state, NOW), 0);
	pending_messages_remove(*state, &first);
	assert_int_equal(send_at(*state, NOW), in_flight + 1);
	assert_int_equal(send_at(*state, NOW), 0);
}

static void a_new_connection_sends_all_again_under_the_same_uuid(void **state)
{
	add(*state, 1);
	add(*state, 2);
	assert_int_equal(send_at(*state, NOW), 1);
	assert_int_equal(send_at(*state, NOW), 2);
	pending_messages_restart(*state);
	assert_int_equal(send_at(*state, NOW), 1);
	assert_int_equal(send_at(*state, NOW), 2);
}

static void a_message_without_an_answer_is_sent_again(void **state)
{
	add(*state, 1);
	assert_int_equal(send_at(*state, NOW), 1);
	assert_int_equal(pending_messages_wait_ms(*state, NOW),
	                 PENDING_RESEND_MS);
	assert_int_equal(send_at(*state, NOW + PENDING_RESEND_MS - 1), 0);
	assert_int_equal(send_at(*state, NOW + PENDING_RESEND_MS), 1);
}

static void a_retryable_error_waits_and_holds_back_the_rest(void **state)
{
	struct uuid first = numbered(1);
	uint64_t wait_ms;

	add(*state, 1);
	assert_int_equal(send_at(*state, NOW), 1);
	pending_messages_retry(*state, &first, NOW);
	add(*state, 2);
	wait_ms = pending_messages_wait_ms(*state, NOW);
	assert_in_range(wait_ms, 0, 200);
	if (wait_ms)
		assert_int_equal(send_at(*state, NOW + wait_ms - 1), 0);
	assert_int_equal(send_at(*state, NOW + wait_ms), 1);
	assert_int_equal(send_at(*state, NOW + wait_ms), 2);
}

static void repeated_errors_wait_longer_up_to_a_limit(void **state)
{
	struct uuid first = numbered(1);
	uint64_t longest_ms = 0;

	add(*state, 1);
	for (unsigned i = 0; i < 60; i++) {
		pending_messages_retry(*state, &first, NOW);
		if (pending_messages_wait_ms(*state, NOW) > longest_ms)
			longest_ms = pending_messages_wait_ms(*state, NOW);
	}
	assert_in_range(longest_ms, 1000, 10000);
}

static void an_empty_list_waits_for_nothing(void **state)
{
	assert_true(pending_messages_wait_ms(*state, NOW) == UINT64_MAX);
	assert_null(pending_messages_next(*state, NOW));
}

static void a_full_list_accepts_no_more(void **state)
{
	struct uuid uuid = numbered(200);

	for (uint8_t i = 1; i <= room_for; i++)
		add(*state, i);
	assert_true(pending_messages_full(*state));
	assert_false(pending_messages_add(*state, &uuid, &greeting, NOW));
	assert_int_equal(pending_messages_count(*state), room_for);
}

static void a_removed_message_is_recognised(void **state)
{
	struct uuid uuid = numbered(1), other = numbered(2);

	add(*state, 1);
	assert_non_null(pending_messages_find(*state, &uuid));
	assert_false(pending_messages_was_removed(*state, &uuid));
	pending_messages_remove(*state, &uuid);
	assert_null(pending_messages_find(*state, &uuid));
	assert_true(pending_messages_was_removed(*state, &uuid));
	assert_false(pending_messages_was_removed(*state, &other));
}

static void assert_frame(struct pending_messages *pending,
                         struct message_draft draft, const char *expected)
{
	struct buf frame CLEANUP(buf_free) = BUF(1024);
	struct uuid uuid = numbered(0xab);

	assert_true(pending_messages_add(pending, &uuid, &draft, NOW));
	pending_message_frame(pending_messages_next(pending, NOW), &frame);
	pending_messages_remove(pending, &uuid);
	assert_string_equal(buf_text(&frame), expected);
}

#define UUID "\"uuid\":\"ab000000-0000-0000-0000-000000000000\","

static void a_frame_has_uuid_text_and_user(void **state)
{
	assert_frame(
		*state,
		(struct message_draft){.user_to = 7, .text = SPAN("a\"b\n")},
		"{" UUID "\"message\":\"a\\\"b\\n\",\"user_to\":7}");
}

static void a_message_to_many_names_the_conversation(void **state)
{
	assert_frame(*state,
	             (struct message_draft){
			     .conversation = 17, .seq = 41, .text = SPAN("hi")},
	             "{" UUID "\"message\":\"hi\",\"conversation\":17,"
	             "\"reply_to\":41}");
}

static void an_edit_names_its_message(void **state)
{
	struct message_draft draft = {
		.kind = DRAFT_EDIT,
		.conversation = 17,
		.seq = 42,
		.text = SPAN("ho"),
	};

	assert_frame(*state, draft,
	             "{\"type\":\"edit\"," UUID
	             "\"conversation\":17,\"seq\":42,\"message\":\"ho\"}");
	draft.kind = DRAFT_DELETE;
	assert_frame(*state, draft,
	             "{\"type\":\"delete\"," UUID
	             "\"conversation\":17,\"seq\":42}");
	draft.kind = DRAFT_REACT;
	draft.remove = true;
	assert_frame(*state, draft,
	             "{\"type\":\"react\"," UUID
	             "\"conversation\":17,\"seq\":42,\"reaction\":\"ho\","
	             "\"remove\":true}");
}

/* --- texts that no server takes ------------------------------------------ */
static void assert_fault(enum draft_kind kind, struct span text,
                         const char *wanted)
{
	const struct message_draft draft = {
		.kind = kind, .user_to = 2, .text = text};
	const char *fault = message_draft_fault(&draft);

	if (!wanted)
		assert_null(fault);
	else
		assert_string_equal(fault, wanted);
}

static void a_text_that_no_server_takes_has_a_fault(void **state)
{
	static const struct {
		const char *unit; /* repeated `count` times */
		size_t len, count;
		const char *fault;
	} cases[] = {
		{"a", 1, 1, NULL},
		{" ", 1, 1, NULL},
		{"a", 1, 16384, NULL},
		{"\xc3\xa9", 2, 8192, NULL},
		{"\"", 1, 16384, NULL},
		{"\x01", 1, 10000, NULL},
		{"", 0, 1, "it is empty"},
		{"a", 1, 16385, "it is longer than 16384 bytes"},
		{"\xff", 1, 16385, "it is longer than 16384 bytes"},
		{"\xff", 1, 1, "it is not UTF-8"},
		{"a\xc3", 2, 1, "it is not UTF-8"},
		{"\xed\xa0\x80", 3, 1, "it is not UTF-8"},
		{"a\0b", 3, 1, "it contains a NUL character"},
		{"\x01", 1, 16384,
	         "it is longer than 65536 bytes when its control characters "
	         "are escaped"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf text CLEANUP(buf_free) = BUF(64 * 1024);

		for (size_t n = 0; n < cases[i].count; n++)
			buf_append(&text,
			           span_make(cases[i].unit, cases[i].len));
		assert_fault(DRAFT_MESSAGE, buf_span(&text), cases[i].fault);
		assert_fault(DRAFT_EDIT, buf_span(&text), cases[i].fault);
	}
	assert_fault(DRAFT_REACT, SPAN_NONE, "it is empty");
	assert_fault(DRAFT_DELETE, SPAN_NONE, NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, create, destroy)
	const struct CMUnitTest tests[] = {
		TEST(messages_go_out_in_the_order_they_were_written),
		TEST(no_more_than_the_limit_are_in_flight),
		TEST(a_new_connection_sends_all_again_under_the_same_uuid),
		TEST(a_message_without_an_answer_is_sent_again),
		TEST(a_retryable_error_waits_and_holds_back_the_rest),
		TEST(repeated_errors_wait_longer_up_to_a_limit),
		TEST(an_empty_list_waits_for_nothing),
		TEST(a_full_list_accepts_no_more),
		TEST(a_removed_message_is_recognised),
		TEST(a_frame_has_uuid_text_and_user),
		TEST(a_message_to_many_names_the_conversation),
		TEST(an_edit_names_its_message),
		TEST(a_text_that_no_server_takes_has_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
