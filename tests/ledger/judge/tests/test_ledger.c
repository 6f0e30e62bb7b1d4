#include "tests/ledger/judge/faults.h"
#include "tests/ledger/judge/ledger.h"
#include "tests/ledger/judge/messages.h"
#include "tests/ledger/judge/observations.h"
#include "tests/ledger/judge/sessions.h"
#include "tests/ledger/judge/tests/ledger_world.h"
#include "tests/ledger/judge/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Each test is two people in one conversation; carol is nobody's member. */
enum { PEOPLE = 3 };

static int create(void **state)
{
	*state = world_create(PEOPLE, 120, NULL);
	return 0;
}

/* --- what the servers do, step by step ----------------------------------- */
static uint32_t send(struct world *world)
{
	uint32_t number =
		messages_write(world->ledger, alice, BOB, tick(world));

	messages_sent(world->ledger, number, tick(world));
	return number;
}

/* The message as a server tells it; `text` replaces its own. */
static struct message told(struct world *world, uint32_t number, uint64_t seq,
                           const char *text)
{
	struct message message = told_to_one(world, number, seq);

	if (text)
		message.text = span_of(text);
	return message;
}

static void hear(struct world *world, struct ledger_device_id place,
                 uint32_t number, uint64_t seq)
{
	struct message message = told(world, number, seq, NULL);

	observations_received(world->ledger, place, &message, true);
}

static void save(struct world *world, struct ledger_device_id place,
                 uint32_t number, uint64_t seq)
{
	observations_saved(world->ledger, place, number, ROOM, seq,
	                   tick(world));
}

/* Everybody who should is told. */
static void deliver(struct world *world, uint32_t number, uint64_t seq)
{
	save(world, alice, number, seq);
	save(world, alice_too, number, seq);
	hear(world, alice_too, number, seq);
	hear(world, bob, number, seq);
	hear(world, bob_too, number, seq);
}

static void read_as(struct world *world, unsigned user, uint32_t number,
                    uint64_t seq, uint64_t before_seq)
{
	struct message message = told(world, number, seq, NULL);

	verdict_history_entry(world->ledger, user, &message, before_seq);
}

static void read_all(struct world *world, uint32_t count)
{
	for (unsigned user = ALICE; user <= BOB; user++) {
		for (uint32_t i = 0; i < count; i++)
			read_as(world, user, i, i + 1, i);
		verdict_history_end(world->ledger, user, ROOM, count, count);
	}
}

static void assert_faults(struct world *world, enum fault fault, uint64_t count)
{
	const struct ledger_totals *totals = ledger_totals(world->ledger);

	for (unsigned i = 0; i < FAULT_COUNT; i++) {
		if (totals->fault[i] != (i == fault ? count : 0))
			fail_msg("%llu %s: %s",
			         (unsigned long long)totals->fault[i],
			         fault_names[i],
			         ledger_example(world->ledger, 0));
	}
	assert_true(count == 0 || ledger_example(world->ledger, 0));
}

static void assert_clean(struct world *world)
{
	assert_faults(world, FAULT_lost, 0);
}

/* --- what is right ------------------------------------------------------- */
static void what_is_told_and_stored_is_clean(void **state)
{
	for (uint64_t seq = 1; seq <= 3; seq++)
		deliver(*state, send(*state), seq);
	read_all(*state, 3);
	verdict_judge(((struct world *)*state)->ledger);
	assert_clean(*state);
}

static void frames_that_come_again_are_counted_and_allowed(void **state)
{
	struct world *world = *state;

	deliver(world, send(world), 1);
	deliver(world, send(world), 2);
	deliver(world, 0, 1);
	read_all(world, 2);
	verdict_judge(world->ledger);
	assert_clean(world);
	assert_int_equal(ledger_totals(world->ledger)->wire_duplicates, 3);
}

static void what_was_never_answered_may_be_nowhere(void **state)
{
	struct world *world = *state;

	(void)send(world);
	verdict_judge(world->ledger);
	assert_clean(world);
	assert_int_equal(ledger_totals(world->ledger)->unknown, 1);
}

static void a_device_that_was_away_may_read_the_backlog(void **state)
{
	struct world *world = *state;
	struct message message;
	uint32_t number;

	sessions_disconnected(world->ledger, bob_too);
	number = send(world);
	save(world, alice, number, 1);
	save(world, alice_too, number, 1);
	hear(world, alice_too, number, 1);
	hear(world, bob, number, 1);
	sessions_welcome(world->ledger, bob_too, tick(world));
	message = told(world, number, 1, NULL);
	observations_received(world->ledger, bob_too, &message, false);
	read_all(world, 1);
	verdict_judge(world->ledger);
	assert_clean(world);
}

static void what_is_older_than_the_session_may_come_late(void **state)
{
	struct world *world = *state;
	uint32_t old = send(world), fresh;

	sessions_disconnected(world->ledger, bob);
	sessions_welcome(world->ledger, bob, tick(world));
	fresh = send(world);
	deliver(world, fresh, 2);
	save(world, alice, old, 1);
	assert_int_equal(ledger_totals(world->ledger)->fault[FAULT_misordered],
	                 1);
	hear(world, bob, old, 1);
	assert_int_equal(ledger_totals(world->ledger)->fault[FAULT_misordered],
	                 1);
}

/* --- what is wrong ------------------------------------------------------- */
static void an_accepted_message_that_is_not_stored_is_lost(void **state)
{
	struct world *world = *state;

	observations_accepted(world->ledger, alice, send(world), tick(world));
	verdict_judge(world->ledger);
	assert_faults(world, FAULT_lost, 1);
}

static void a_stored_message_that_no_device_got_is_undelivered(void **state)
{
	struct world *world = *state;
	uint32_t number = send(world);

	for (unsigned device = 0; device < DEVICES; device++)
		sessions_disconnected(world->ledger,
		                      (struct ledger_device_id){BOB, device});
	save(world, alice, number, 1);
	save(world, alice_too, number, 1);
	hear(world, alice_too, number, 1);
	read_all(world, 1);
	verdict_judge(world->ledger);
	assert_faults(world, FAULT_undelivered, 1);
}

static void what_only_a_later_message_brought_back_is_undelivered(void **state)
{
	struct world *world = *state;
	uint32_t number;
	struct message message;

	sessions_disconnected(world->ledger, bob_too);
	number = send(world);
	save(world, alice, number, 1);
	save(world, alice_too, number, 1);
	hear(world, alice_too, number, 1);
	hear(world, bob, number, 1);
	sessions_welcome(world->ledger, bob_too, tick(world));
	messages_close(world->ledger, tick(world));
	message = told(world, number, 1, NULL);
	observations_received(world->ledger, bob_too, &message, false);
	read_all(world, 1);
	verdict_judge(world->ledger);
	assert_faults(world, FAULT_undelivered, 1);
}

static void a_live_socket_that_hears_nothing_is_unheard(void **state)
{
	struct world *world = *state;
	uint32_t number = send(world);
	struct message message = told(world, number, 1, NULL);

	save(world, alice, number, 1);
	save(world, alice_too, number, 1);
	hear(world, alice_too, number, 1);
	hear(world, bob, number, 1);
	observations_received(world->ledger, bob_too, &message, false);
	read_all(world, 1);
	verdict_judge(world->ledger);
	assert_faults(world, FAULT_unheard, 1);
}

static void the_senders_other_socket_hears_the_message_too(void **state)
{
	struct world *world = *state;
	uint32_t number = send(world);

	save(world, alice, number, 1);
	save(world, alice_too, number, 1);
	hear(world, bob, number, 1);
	hear(world, bob_too, number, 1);
	read_all(world, 1);
	verdict_judge(world->ledger);
	assert_faults(world, FAULT_unheard, 1);
}

static void one_seq_for_two_messages_is_a_duplicate(void **state)
{
	deliver(*state, send(*state), 1);
	save(*state, alice, send(*state), 1);
	assert_faults(*state, FAULT_duplicates, 1);
}

static void a_message_twice_in_a_history_is_a_duplicate(void **state)
{
	struct world *world = *state;

	deliver(world, send(world), 1);
	read_as(world, BOB, 0, 1, 0);
	read_as(world, BOB, 0, 1, 0);
	assert_faults(world, FAULT_duplicates, 1);
}

static void another_seq_for_somebody_else_is_a_split(void **state)
{
	uint32_t number = send(*state);

	(void)send(*state);
	save(*state, alice, number, 1);
	hear(*state, bob, number, 2);
	assert_faults(*state, FAULT_split, 1);
}

static void a_history_of_one_member_only_is_a_split(void **state)
{
	struct world *world = *state;

	deliver(world, send(world), 1);
	read_as(world, ALICE, 0, 1, 0);
	verdict_judge(world->ledger);
	assert_int_equal(ledger_totals(world->ledger)->fault[FAULT_split], 1);
}

static void a_lower_seq_after_a_higher_one_is_misordered(void **state)
{
	uint32_t first = send(*state), second = send(*state);

	hear(*state, bob, second, 2);
	hear(*state, bob, first, 1);
	assert_faults(*state, FAULT_misordered, 1);
}

static void what_was_sent_after_an_answer_stands_behind_it(void **state)
{
	struct world *world = *state;
	uint32_t first = send(world), second;

	observations_accepted(world->ledger, alice, first, tick(world));
	second = send(world);
	for (unsigned user = ALICE; user <= BOB; user++) {
		read_as(world, user, second, 1, 0);
		read_as(world, user, first, 2, 1);
	}
	verdict_judge(world->ledger);
	assert_int_equal(ledger_totals(world->ledger)->fault[FAULT_misordered],
	                 1);
}

static void a_history_with_a_hole_has_a_gap(void **state)
{
	(void)send(*state);
	(void)send(*state);
	read_as(*state, BOB, 0, 1, 0);
	read_as(*state, BOB, 1, 3, 1);
	/* Nor is 3 a seq that two messages could have. */
	assert_int_equal(ledger_totals(((struct world *)*state)->ledger)
	                         ->fault[FAULT_gaps],
	                 2);
}

static void a_history_shorter_than_its_last_seq_has_a_gap(void **state)
{
	struct world *world = *state;

	deliver(world, send(world), 1);
	read_as(world, BOB, 0, 1, 0);
	verdict_history_end(world->ledger, BOB, ROOM, 1, 2);
	assert_faults(world, FAULT_gaps, 1);
}

static void a_message_at_a_stranger_is_misrouted(void **state)
{
	hear(*state, carol, send(*state), 1);
	assert_faults(*state, FAULT_misrouted, 1);
}

static void an_answer_at_somebody_else_is_misrouted(void **state)
{
	save(*state, bob, send(*state), 1);
	assert_faults(*state, FAULT_misrouted, 1);
}

static void a_uuid_that_nobody_sent_is_a_phantom(void **state)
{
	struct world *world = *state;
	struct message message = told(world, send(world), 1, NULL);

	message.uuid.byte[9] ^= 1; /* another run's */
	observations_received(world->ledger, bob, &message, true);
	assert_faults(world, FAULT_phantom, 1);
}

static void what_was_only_written_is_a_phantom_too(void **state)
{
	struct world *world = *state;
	uint32_t number =
		messages_write(world->ledger, alice, BOB, tick(world));

	hear(world, bob, number, 1);
	assert_faults(world, FAULT_phantom, 1);
}

static void another_text_is_corrupt(void **state)
{
	struct world *world = *state;
	struct message message = told(world, send(world), 1, "another text");

	observations_received(world->ledger, bob, &message, true);
	assert_faults(world, FAULT_corrupt, 1);
}

static void a_refusal_is_a_fault(void **state)
{
	struct world *world = *state;

	observations_refused(world->ledger, alice, send(world),
	                     SPAN("bad_uuid"));
	assert_faults(world, FAULT_refused, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, world_destroy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_told_and_stored_is_clean),
		TEST(frames_that_come_again_are_counted_and_allowed),
		TEST(what_was_never_answered_may_be_nowhere),
		TEST(a_device_that_was_away_may_read_the_backlog),
		TEST(what_is_older_than_the_session_may_come_late),
		TEST(an_accepted_message_that_is_not_stored_is_lost),
		TEST(a_stored_message_that_no_device_got_is_undelivered),
		TEST(what_only_a_later_message_brought_back_is_undelivered),
		TEST(a_live_socket_that_hears_nothing_is_unheard),
		TEST(the_senders_other_socket_hears_the_message_too),
		TEST(one_seq_for_two_messages_is_a_duplicate),
		TEST(a_message_twice_in_a_history_is_a_duplicate),
		TEST(another_seq_for_somebody_else_is_a_split),
		TEST(a_history_of_one_member_only_is_a_split),
		TEST(a_lower_seq_after_a_higher_one_is_misordered),
		TEST(what_was_sent_after_an_answer_stands_behind_it),
		TEST(a_history_with_a_hole_has_a_gap),
		TEST(a_history_shorter_than_its_last_seq_has_a_gap),
		TEST(a_message_at_a_stranger_is_misrouted),
		TEST(an_answer_at_somebody_else_is_misrouted),
		TEST(a_uuid_that_nobody_sent_is_a_phantom),
		TEST(what_was_only_written_is_a_phantom_too),
		TEST(another_text_is_corrupt),
		TEST(a_refusal_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
