#include "common/base/mem.h"
#include "tests/ledger/judge/edits.h"
#include "tests/ledger/judge/histories.h"
#include "tests/ledger/judge/messages.h"
#include "tests/ledger/judge/observations.h"
#include "tests/ledger/judge/sessions.h"
#include "tests/ledger/judge/tests/ledger_world.h"
#include "tests/ledger/judge/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Alice wrote message 0 to bob, as seq 1. */
enum { USERS = 3 };

static int create(void **state)
{
	struct world *world = world_create(USERS, 60, NULL);
	uint32_t number =
		messages_write(world->ledger, alice, BOB, tick(world));
	struct message message;

	messages_sent(world->ledger, number, tick(world));
	message = direct_message(world, number, 1);
	for (unsigned i = 0; i < DEVICES; i++) {
		observations_saved(world->ledger,
		                   (struct ledger_device_id){ALICE, i}, number,
		                   ROOM, 1, tick(world));
		observations_received(world->ledger,
		                      (struct ledger_device_id){BOB, i},
		                      &message, true);
	}
	observations_received(world->ledger, alice_too, &message, true);
	*state = world;
	return 0;
}

static uint32_t send(struct world *world, enum ledger_edit_kind kind,
                     struct ledger_device_id from)
{
	const struct ledger_edit edit = {.kind = kind, .from = from};
	uint32_t number = edits_write(world->ledger, &edit);

	edits_sent(world->ledger, number, tick(world));
	return number;
}

/* The frame of an edit as the server sends it. */
static void receive(struct world *world, struct ledger_device_id device,
                    uint32_t number, uint64_t revision)
{
	struct buf sent CLEANUP(buf_free) = BUF(4096);
	struct buf frame CLEANUP(buf_free) = BUF(4096);
	struct json *json CLEANUP(json_destroy) = NULL;
	struct message_edit edit;
	const char *rest;
	struct span text;
	struct uuid uuid;

	edits_frame(world->ledger, number, &sent);
	assert_int_equal(message_parse(buf_span(&sent), &json), ST_OK);
	assert_true(json_get_text(json, "uuid", &text));
	assert_true(uuid_parse(text, &uuid));
	assert_true(json_get_text(json, "type", &text));
	buf_format(&frame,
	           "{\"revision\":%llu,\"user_from\":%u,\"type\":\"%s\",",
	           (unsigned long long)revision,
	           FIRST_ID + (span_equal(text, SPAN("react")) ? BOB : ALICE),
	           span_equal(text, SPAN("react"))    ? "reaction"
	           : span_equal(text, SPAN("delete")) ? "delete"
	                                              : "edit");
	/* The other members are those of the frame that sent it. */
	rest = memchr(sent.data, ',', sent.len);
	assert_non_null(rest);
	buf_append(&frame, span_make(rest + 1, sent.len - (size_t)(rest + 1 -
	                                                           sent.data)));
	json_destroy(&json);
	assert_int_equal(message_parse(buf_span(&frame), &json), ST_OK);
	assert_true(message_read_edit(json, &edit));
	edits_received(world->ledger, device, &edit, &uuid);
}

/* Saves it and delivers it to everyone. */
static void save(struct world *world, uint32_t number,
                 struct ledger_device_id from, uint64_t revision)
{
	edits_saved(world->ledger, from, number, ROOM, 1, revision);
	for (unsigned user = ALICE; user <= BOB; user++) {
		for (unsigned i = 0; i < DEVICES; i++)
			receive(world, (struct ledger_device_id){user, i},
			        number, revision);
	}
}

/* Each user reads the message; `more` are members of its frame. */
static void read_all(struct world *world, const char *text, const char *more)
{
	for (unsigned user = ALICE; user <= BOB; user++) {
		struct buf frame CLEANUP(buf_free) = BUF(4096);
		struct message message = direct_message(world, 0, 1);
		struct message extra;

		buf_format(&frame,
		           "{\"id\":1,\"conversation\":17,\"seq\":1,"
		           "\"user_from\":1,\"uuid\":\"00000000-0000-0000-0000-"
		           "000000000000\",\"message\":\"\",\"created_at\":"
		           "\"2026-11-21T10:00:00.000Z\"%s}",
		           more);
		extra = parse(world, buf_span(&frame));
		extra.uuid = message.uuid;
		extra.user_from = message.user_from;
		extra.user_to = message.user_to;
		extra.text = text ? span_of(text) : message.text;
		histories_entry(world->ledger, user, &extra, 0);
	}
}

static void judge(struct world *world, uint64_t revision)
{
	edits_listed(world->ledger, ROOM, revision);
	verdict_judge(world->ledger);
}

static const char *text_of(struct world *world, uint32_t number, char *to,
                           size_t size)
{
	struct buf sent CLEANUP(buf_free) = BUF(4096);
	struct json *json CLEANUP(json_destroy) = NULL;
	struct span text;

	edits_frame(world->ledger, number, &sent);
	assert_int_equal(message_parse(buf_span(&sent), &json), ST_OK);
	assert_true(json_get_text(json, "message", &text));
	assert_true(text.len < size);
	memcpy(to, text.data, text.len);
	to[text.len] = '\0';
	return to;
}

/* --- allowed ------------------------------------------------------------- */
static void edits_and_reactions_seen_everywhere_are_clean(void **state)
{
	struct world *world = *state;
	char text[256];

	save(world, send(world, LEDGER_EDIT, alice), alice, 1);
	save(world, send(world, LEDGER_EDIT, alice), alice, 2);
	save(world, send(world, LEDGER_REACT, bob), bob, 3);
	read_all(world, text_of(world, 1, text, sizeof(text)),
	         ",\"revision\":3,\"edited_at\":\"x\",\"reactions\":[{"
	         "\"reaction\":\"👍\",\"users\":[101],\"count\":1}]");
	judge(world, 3);
	assert_clean(world);
}

static void a_deleted_message_keeps_nothing(void **state)
{
	struct world *world = *state;

	save(world, send(world, LEDGER_REACT, bob), bob, 1);
	save(world, send(world, LEDGER_DELETE, alice), alice, 2);
	read_all(world, "", ",\"revision\":2,\"deleted_at\":\"x\"");
	judge(world, 2);
	assert_clean(world);
}

static void an_edit_that_was_replaced_may_be_missed(void **state)
{
	struct world *world = *state;
	uint32_t first = send(world, LEDGER_EDIT, alice);
	char text[256];

	edits_saved(world->ledger, alice, first, ROOM, 1, 1);
	save(world, send(world, LEDGER_EDIT, alice), alice, 2);
	read_all(world, text_of(world, 1, text, sizeof(text)),
	         ",\"revision\":2,\"edited_at\":\"x\"");
	judge(world, 2);
	assert_clean(world);
}

static void an_accepted_edit_may_have_a_revision_that_nobody_saw(void **state)
{
	struct world *world = *state;

	edits_accepted(world->ledger, alice, send(world, LEDGER_EDIT, alice));
	read_all(world, NULL, "");
	judge(world, 1);
	assert_clean(world);
}

static void an_edit_after_a_delete_may_be_refused(void **state)
{
	struct world *world = *state;
	uint32_t number;

	save(world, send(world, LEDGER_DELETE, alice), alice, 1);
	number = send(world, LEDGER_EDIT, alice);
	edits_refused(world->ledger, alice, number, SPAN("unknown_message"));
	read_all(world, "", ",\"revision\":1,\"deleted_at\":\"x\"");
	judge(world, 1);
	assert_clean(world);
}

/* --- faults -------------------------------------------------------------- */
static void an_accepted_edit_without_a_revision_is_lost(void **state)
{
	struct world *world = *state;

	edits_accepted(world->ledger, alice, send(world, LEDGER_EDIT, alice));
	read_all(world, NULL, "");
	judge(world, 0);
	assert_faults(world, FAULT_edit_lost, 1);
}

static void a_saved_edit_above_the_last_revision_is_lost(void **state)
{
	struct world *world = *state;

	save(world, send(world, LEDGER_REACT, bob), bob, 1);
	judge(world, 0);
	assert_int_equal(ledger_totals(world->ledger)->fault[FAULT_edit_lost],
	                 1);
}

static void an_edit_with_two_revisions_is_a_fault(void **state)
{
	struct world *world = *state;
	uint32_t number = send(world, LEDGER_REACT, bob);

	(void)send(world, LEDGER_REACT, bob);
	save(world, number, bob, 1);
	edits_saved(world->ledger, bob, number, ROOM, 1, 2);
	assert_faults(world, FAULT_revisions, 1);
}

static void a_revision_of_two_edits_is_a_fault(void **state)
{
	struct world *world = *state;

	save(world, send(world, LEDGER_REACT, bob), bob, 1);
	edits_saved(world->ledger, bob, send(world, LEDGER_REACT, bob), ROOM, 1,
	            1);
	assert_faults(world, FAULT_revisions, 1);
}

static void a_revision_that_is_no_edit_is_a_gap(void **state)
{
	struct world *world = *state;
	char text[256];

	save(world, send(world, LEDGER_EDIT, alice), alice, 2);
	assert_faults(world, FAULT_revisions, 0);
	read_all(world, text_of(world, 0, text, sizeof(text)),
	         ",\"revision\":2,\"edited_at\":\"x\"");
	judge(world, 2);
	assert_faults(world, FAULT_revisions, 1);
}

static void an_edit_that_a_connected_socket_misses_is_unheard(void **state)
{
	struct world *world = *state;
	uint32_t number = send(world, LEDGER_EDIT, alice);
	char text[256];

	edits_saved(world->ledger, alice, number, ROOM, 1, 1);
	receive(world, bob, number, 1);
	receive(world, bob_too, number, 1);
	read_all(world, text_of(world, number, text, sizeof(text)),
	         ",\"revision\":1,\"edited_at\":\"x\"");
	judge(world, 1);
	assert_faults(world, FAULT_edit_unheard, 1);
}

static void an_edit_with_a_reaction_after_it_is_not_replaced(void **state)
{
	struct world *world = *state;
	uint32_t number = send(world, LEDGER_EDIT, alice);
	char text[256];

	edits_saved(world->ledger, alice, number, ROOM, 1, 1);
	save(world, send(world, LEDGER_REACT, bob), bob, 2);
	read_all(world, text_of(world, number, text, sizeof(text)),
	         ",\"revision\":2,\"edited_at\":\"x\",\"reactions\":[{"
	         "\"reaction\":\"👍\",\"users\":[101],\"count\":1}]");
	judge(world, 2);
	assert_faults(world, FAULT_edit_unheard, 1);
}

/* Members of the history's message that do not fit to edit 0 and reaction 1. */
static void a_history_unlike_the_edits_is_a_fault(void **state)
{
	static const struct {
		bool original;
		const char *more;
	} rows[] = {
		{true, ",\"revision\":2,\"edited_at\":\"x\",\"reactions\":[{"
	               "\"reaction\":\"👍\",\"users\":[101],\"count\":1}]"},
		{false, ",\"revision\":1,\"edited_at\":\"x\",\"reactions\":[{"
	                "\"reaction\":\"👍\",\"users\":[101],\"count\":1}]"},
		{false, ",\"revision\":2,\"edited_at\":\"x\""},
		{false, ",\"revision\":2,\"edited_at\":\"x\",\"reactions\":[{"
	                "\"reaction\":\"👍\",\"users\":[100],\"count\":1}]"},
		{false, ",\"revision\":2,\"edited_at\":\"x\",\"reactions\":[{"
	                "\"reaction\":\"👍\",\"users\":[100,101],\"count\":2}]"},
		{false, ",\"revision\":2,\"edited_at\":\"x\",\"reactions\":[{"
	                "\"reaction\":\"🎉\",\"users\":[101],\"count\":1}]"},
		{false, ",\"revision\":2,\"reactions\":[{"
	                "\"reaction\":\"👍\",\"users\":[101],\"count\":1}]"},
		{false, ",\"revision\":2,\"deleted_at\":\"x\""},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		void *fresh;
		struct world *world;

		(void)create(&fresh);
		world = fresh;
		save(world, send(world, LEDGER_EDIT, alice), alice, 1);
		save(world, send(world, LEDGER_REACT, bob), bob, 2);
		read_all(world,
		         rows[i].original
		                 ? NULL
		                 : text_of(world, 0, text, sizeof(text)),
		         rows[i].more);
		judge(world, 2);
		assert_faults(world, FAULT_content, 2);
		(void)world_destroy(&fresh);
	}
}

static void a_refused_edit_that_is_saved_turns(void **state)
{
	struct world *world = *state;
	uint32_t number = send(world, LEDGER_EDIT, alice);

	(void)send(world, LEDGER_DELETE, alice);
	edits_refused(world->ledger, alice, number, SPAN("unknown_message"));
	assert_clean(world);
	receive(world, bob, number, 1);
	assert_faults(world, FAULT_turned, 1);
}

static void an_edit_refused_without_a_reason_is_a_fault(void **state)
{
	struct world *world = *state;

	edits_refused(world->ledger, alice, send(world, LEDGER_EDIT, alice),
	              SPAN("unknown_message"));
	assert_faults(world, FAULT_refused, 1);
}

static void an_edit_at_another_user_is_misrouted(void **state)
{
	struct world *world = *state;

	receive(world, carol, send(world, LEDGER_EDIT, alice), 1);
	assert_faults(world, FAULT_misrouted, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, world_destroy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(edits_and_reactions_seen_everywhere_are_clean),
		TEST(a_deleted_message_keeps_nothing),
		TEST(an_edit_that_was_replaced_may_be_missed),
		TEST(an_accepted_edit_may_have_a_revision_that_nobody_saw),
		TEST(an_edit_after_a_delete_may_be_refused),
		TEST(an_accepted_edit_without_a_revision_is_lost),
		TEST(a_saved_edit_above_the_last_revision_is_lost),
		TEST(an_edit_with_two_revisions_is_a_fault),
		TEST(a_revision_of_two_edits_is_a_fault),
		TEST(a_revision_that_is_no_edit_is_a_gap),
		TEST(an_edit_that_a_connected_socket_misses_is_unheard),
		TEST(an_edit_with_a_reaction_after_it_is_not_replaced),
		TEST(a_history_unlike_the_edits_is_a_fault),
		TEST(a_refused_edit_that_is_saved_turns),
		TEST(an_edit_refused_without_a_reason_is_a_fault),
		TEST(an_edit_at_another_user_is_misrouted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
