#include "tests/ledger/judge/faults.h"
#include "tests/ledger/judge/ledger.h"
#include "tests/ledger/judge/messages.h"
#include "tests/ledger/judge/observations.h"
#include "tests/ledger/judge/receipts.h"
#include "tests/ledger/judge/sessions.h"
#include "tests/ledger/judge/tests/ledger_world.h"
#include "tests/ledger/judge/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Alice and bob in one conversation, of which alice wrote 1 to 4. */
enum { PEOPLE = 3, WRITTEN = 4 };

/* Sent, saved, heard and read by both. */
static void say(struct world *world, unsigned from, unsigned to)
{
	struct ledger_device_id sender = {from, 0};
	uint32_t number =
		messages_write(world->ledger, sender, to, tick(world));
	uint64_t seq = ++world->seq;
	struct message message;

	messages_sent(world->ledger, number, tick(world));
	message = told_to_one(world, number, seq);
	for (unsigned i = 0; i < DEVICES; i++) {
		observations_saved(world->ledger,
		                   (struct ledger_device_id){from, i}, number,
		                   ROOM, seq, tick(world));
		observations_received(world->ledger,
		                      (struct ledger_device_id){to, i},
		                      &message, true);
	}
	observations_received(world->ledger, (struct ledger_device_id){from, 1},
	                      &message, true);
	verdict_history_entry(world->ledger, from, &message, seq - 1);
	verdict_history_entry(world->ledger, to, &message, seq - 1);
}

static int create(void **state)
{
	struct world *world = world_create(PEOPLE, 60, NULL);

	for (unsigned i = 0; i < WRITTEN; i++)
		say(world, ALICE, BOB);
	*state = world;
	return 0;
}

/* --- what happens ----------------------------------------------------------
 */
static void bob_says(struct world *world, uint64_t delivered, uint64_t read,
                     bool last)
{
	receipts_sent(world->ledger, bob, ROOM, delivered, read, last,
	              tick(world));
}

static void tell(struct world *world, struct ledger_device_id place,
                 uint64_t delivered, uint64_t read)
{
	receipts_received(world->ledger, place, ROOM, FIRST_ID + BOB, delivered,
	                  read);
}

static void tell_alice(struct world *world, uint64_t delivered, uint64_t read)
{
	tell(world, alice, delivered, read);
	tell(world, alice_too, delivered, read);
}

static void keep(struct world *world, uint64_t delivered, uint64_t read)
{
	receipts_stored(world->ledger, ROOM, FIRST_ID + BOB, delivered, read);
}

static void judge_faults(struct world *world, enum fault fault, uint64_t count)
{
	const struct ledger_totals *totals = ledger_totals(world->ledger);

	verdict_judge(world->ledger);
	for (unsigned i = 0; i < FAULT_COUNT; i++) {
		if (totals->fault[i] != (i == fault ? count : 0))
			fail_msg("%llu %s: %s",
			         (unsigned long long)totals->fault[i],
			         fault_names[i],
			         ledger_example(world->ledger, 0));
	}
}

static void judge_clean(struct world *world)
{
	judge_faults(world, FAULT_receipts, 0);
}

/* --- what is right ---------------------------------------------------------
 */
static void what_is_said_told_and_kept_is_clean(void **state)
{
	struct world *world = *state;

	bob_says(world, 4, 3, true);
	tell_alice(world, 4, 3);
	keep(world, 4, 3);
	keep(world, 4, 3);
	receipts_unread(world->ledger, BOB, ROOM, 3, 4, 1);
	judge_clean(world);
}

static void what_was_said_on_a_socket_that_ended_may_be_missing(void **state)
{
	struct world *world = *state;

	bob_says(world, 4, 4, false);
	bob_says(world, 2, 2, true);
	tell_alice(world, 2, 2);
	keep(world, 2, 2);
	judge_clean(world);
}

static void a_frame_that_is_old_is_counted(void **state)
{
	struct world *world = *state;

	bob_says(world, 4, 4, true);
	tell_alice(world, 4, 4);
	tell(world, alice, 3, 3);
	keep(world, 4, 4);
	judge_clean(world);
	assert_int_equal(ledger_totals(world->ledger)->old_receipts, 1);
}

static void who_has_written_since_has_read_without_a_receipt(void **state)
{
	struct world *world = *state;

	bob_says(world, 4, 4, true);
	say(world, BOB, ALICE);
	keep(world, 5, 5);
	judge_clean(world);
}

static void who_came_later_need_not_be_told(void **state)
{
	struct world *world = *state;

	bob_says(world, 4, 4, true);
	tell(world, alice, 4, 4);
	sessions_disconnected(world->ledger, alice_too);
	sessions_welcome(world->ledger, alice_too, tick(world));
	keep(world, 4, 4);
	judge_clean(world);
}

/* --- what is wrong ---------------------------------------------------------
 */
static void what_is_read_and_not_delivered_is_a_fault(void **state)
{
	struct world *world = *state;

	bob_says(world, 4, 4, false);
	tell(world, alice, 3, 4);
	judge_faults(world, FAULT_receipts, 1);
}

static void more_told_than_was_said_is_a_fault(void **state)
{
	struct world *world = *state;

	bob_says(world, 4, 2, false);
	tell(world, alice, 4, 3);
	judge_faults(world, FAULT_receipts, 1);
}

static void more_kept_than_was_said_is_a_fault(void **state)
{
	struct world *world = *state;

	bob_says(world, 3, 3, false);
	keep(world, 4, 3);
	judge_faults(world, FAULT_receipts, 1);
}

static void less_kept_than_was_told_is_a_fault(void **state)
{
	struct world *world = *state;

	bob_says(world, 4, 4, false);
	tell(world, alice, 4, 4);
	keep(world, 4, 3);
	judge_faults(world, FAULT_receipts, 1);
}

static void less_kept_than_was_surely_said_is_a_fault(void **state)
{
	struct world *world = *state;

	bob_says(world, 4, 0, true);
	keep(world, 3, 0);
	judge_faults(world, FAULT_receipts, 1);
}

static void what_one_wrote_is_read(void **state)
{
	struct world *world = *state;

	receipts_stored(world->ledger, ROOM, FIRST_ID + ALICE, 4, 4);
	judge_clean(world);
	say(world, ALICE, BOB);
	judge_faults(world, FAULT_receipts, 1);
}

static void two_lists_that_differ_are_a_fault(void **state)
{
	struct world *world = *state;

	bob_says(world, 4, 4, false);
	keep(world, 4, 4);
	keep(world, 4, 4);
	keep(world, 4, 3);
	judge_faults(world, FAULT_receipts, 1);
}

static void unread_is_what_is_not_read(void **state)
{
	struct world *world = *state;

	receipts_unread(world->ledger, BOB, ROOM, 3, 4, 2);
	receipts_unread(world->ledger, BOB, ROOM, 5, 4, 0);
	judge_faults(world, FAULT_receipts, 2);
}

static void a_live_socket_that_is_not_told_is_a_fault(void **state)
{
	struct world *world = *state;

	bob_says(world, 4, 4, true);
	tell(world, alice, 4, 4);
	keep(world, 4, 4);
	judge_faults(world, FAULT_receipts, 1);
}

static void a_receipt_at_a_stranger_is_misrouted(void **state)
{
	struct world *world = *state;

	bob_says(world, 4, 4, false);
	tell(world, carol, 4, 4);
	judge_faults(world, FAULT_misrouted, 1);
}

static void a_receipt_of_a_stranger_is_a_fault(void **state)
{
	struct world *world = *state;

	receipts_received(world->ledger, bob_too, ROOM, FIRST_ID + CAROL, 1, 1);
	receipts_stored(world->ledger, ROOM, FIRST_ID + CAROL, 1, 1);
	judge_faults(world, FAULT_receipts, 2);
}

static void a_receipt_that_is_refused_is_a_fault(void **state)
{
	struct world *world = *state;

	receipts_refused(world->ledger, bob, SPAN("unknown_conversation"));
	judge_faults(world, FAULT_receipts, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, world_destroy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_said_told_and_kept_is_clean),
		TEST(what_was_said_on_a_socket_that_ended_may_be_missing),
		TEST(a_frame_that_is_old_is_counted),
		TEST(who_has_written_since_has_read_without_a_receipt),
		TEST(who_came_later_need_not_be_told),
		TEST(what_is_read_and_not_delivered_is_a_fault),
		TEST(more_told_than_was_said_is_a_fault),
		TEST(more_kept_than_was_said_is_a_fault),
		TEST(less_kept_than_was_told_is_a_fault),
		TEST(less_kept_than_was_surely_said_is_a_fault),
		TEST(what_one_wrote_is_read),
		TEST(two_lists_that_differ_are_a_fault),
		TEST(unread_is_what_is_not_read),
		TEST(a_live_socket_that_is_not_told_is_a_fault),
		TEST(a_receipt_at_a_stranger_is_misrouted),
		TEST(a_receipt_of_a_stranger_is_a_fault),
		TEST(a_receipt_that_is_refused_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
