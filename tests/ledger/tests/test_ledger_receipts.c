#include "tests/ledger/tests/ledger_world.h"

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
	struct ledger_place sender = {from, 0};
	uint32_t number =
		ledger_book_write(world->book, sender, to, tick(world));
	uint64_t seq = ++world->seq;
	struct message message;

	ledger_book_sent(world->book, number, tick(world));
	message = told_to_one(world, number, seq);
	for (unsigned i = 0; i < DEVICES; i++) {
		ledger_book_saved(world->book, (struct ledger_place){from, i},
		                  number, ROOM, seq, tick(world));
		ledger_book_message(world->book, (struct ledger_place){to, i},
		                    &message, true);
	}
	ledger_book_message(world->book, (struct ledger_place){from, 1},
	                    &message, true);
	ledger_book_history(world->book, from, &message, seq - 1);
	ledger_book_history(world->book, to, &message, seq - 1);
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
	ledger_book_reached(world->book, bob, ROOM, delivered, read, last,
	                    tick(world));
}

static void tell(struct world *world, struct ledger_place place,
                 uint64_t delivered, uint64_t read)
{
	ledger_book_receipt(world->book, place, ROOM, FIRST_ID + BOB, delivered,
	                    read);
}

static void tell_alice(struct world *world, uint64_t delivered, uint64_t read)
{
	tell(world, alice, delivered, read);
	tell(world, alice_too, delivered, read);
}

static void keep(struct world *world, uint64_t delivered, uint64_t read)
{
	ledger_book_reach(world->book, ROOM, FIRST_ID + BOB, delivered, read);
}

static void judge_faults(struct world *world, enum ledger_fault fault,
                         uint64_t count)
{
	const struct ledger_totals *totals = ledger_book_totals(world->book);

	ledger_book_judge(world->book);
	for (unsigned i = 0; i < LEDGER_FAULT_COUNT; i++) {
		if (totals->fault[i] != (i == fault ? count : 0))
			fail_msg("%llu %s: %s",
			         (unsigned long long)totals->fault[i],
			         ledger_fault_names[i],
			         ledger_book_example(world->book, 0));
	}
}

static void judge_clean(struct world *world)
{
	judge_faults(world, LEDGER_receipts, 0);
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
	ledger_book_unread(world->book, BOB, ROOM, 3, 4, 1);
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
	assert_int_equal(ledger_book_totals(world->book)->old_receipts, 1);
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
	ledger_book_ended(world->book, alice_too);
	ledger_book_welcome(world->book, alice_too, tick(world));
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
	judge_faults(world, LEDGER_receipts, 1);
}

static void more_told_than_was_said_is_a_fault(void **state)
{
	struct world *world = *state;

	bob_says(world, 4, 2, false);
	tell(world, alice, 4, 3);
	judge_faults(world, LEDGER_receipts, 1);
}

static void more_kept_than_was_said_is_a_fault(void **state)
{
	struct world *world = *state;

	bob_says(world, 3, 3, false);
	keep(world, 4, 3);
	judge_faults(world, LEDGER_receipts, 1);
}

static void less_kept_than_was_told_is_a_fault(void **state)
{
	struct world *world = *state;

	bob_says(world, 4, 4, false);
	tell(world, alice, 4, 4);
	keep(world, 4, 3);
	judge_faults(world, LEDGER_receipts, 1);
}

static void less_kept_than_was_surely_said_is_a_fault(void **state)
{
	struct world *world = *state;

	bob_says(world, 4, 0, true);
	keep(world, 3, 0);
	judge_faults(world, LEDGER_receipts, 1);
}

static void what_one_wrote_is_read(void **state)
{
	struct world *world = *state;

	ledger_book_reach(world->book, ROOM, FIRST_ID + ALICE, 4, 4);
	judge_clean(world);
	say(world, ALICE, BOB);
	judge_faults(world, LEDGER_receipts, 1);
}

static void two_lists_that_differ_are_a_fault(void **state)
{
	struct world *world = *state;

	bob_says(world, 4, 4, false);
	keep(world, 4, 4);
	keep(world, 4, 4);
	keep(world, 4, 3);
	judge_faults(world, LEDGER_receipts, 1);
}

static void unread_is_what_is_not_read(void **state)
{
	struct world *world = *state;

	ledger_book_unread(world->book, BOB, ROOM, 3, 4, 2);
	ledger_book_unread(world->book, BOB, ROOM, 5, 4, 0);
	judge_faults(world, LEDGER_receipts, 2);
}

static void a_live_socket_that_is_not_told_is_a_fault(void **state)
{
	struct world *world = *state;

	bob_says(world, 4, 4, true);
	tell(world, alice, 4, 4);
	keep(world, 4, 4);
	judge_faults(world, LEDGER_receipts, 1);
}

static void a_receipt_at_a_stranger_is_misrouted(void **state)
{
	struct world *world = *state;

	bob_says(world, 4, 4, false);
	tell(world, carol, 4, 4);
	judge_faults(world, LEDGER_misrouted, 1);
}

static void a_receipt_of_a_stranger_is_a_fault(void **state)
{
	struct world *world = *state;

	ledger_book_receipt(world->book, bob_too, ROOM, FIRST_ID + CAROL, 1, 1);
	ledger_book_reach(world->book, ROOM, FIRST_ID + CAROL, 1, 1);
	judge_faults(world, LEDGER_receipts, 2);
}

static void a_receipt_that_is_refused_is_a_fault(void **state)
{
	struct world *world = *state;

	ledger_book_receipt_refused(world->book, bob,
	                            SPAN("unknown_conversation"));
	judge_faults(world, LEDGER_receipts, 1);
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
