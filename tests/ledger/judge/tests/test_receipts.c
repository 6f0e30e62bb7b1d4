#include "tests/ledger/judge/histories.h"
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

/* Alice and bob in one conversation, in which alice wrote 1 to 4. */
enum { USERS = 3, WRITTEN = 4 };

/* Sends a message that both users receive and have in their histories. */
static void exchange(struct world *world, unsigned from, unsigned to)
{
	struct ledger_device_id sender = {from, 0};
	uint32_t number =
		messages_write(world->ledger, sender, to, tick(world));
	uint64_t seq = ++world->seq;
	struct message message;

	messages_sent(world->ledger, number, tick(world));
	message = direct_message(world, number, seq);
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
	histories_entry(world->ledger, from, &message, seq - 1);
	histories_entry(world->ledger, to, &message, seq - 1);
}

static int create(void **state)
{
	struct world *world = world_create(USERS, 60, NULL);

	for (unsigned i = 0; i < WRITTEN; i++)
		exchange(world, ALICE, BOB);
	*state = world;
	return 0;
}

/* --- receipts ------------------------------------------------------------ */
static void bob_sends(struct world *world, uint64_t delivered, uint64_t read,
                      bool last)
{
	receipts_sent(world->ledger, bob, ROOM, delivered, read, last,
	              tick(world));
}

static void receive(struct world *world, struct ledger_device_id device,
                    uint64_t delivered, uint64_t read)
{
	receipts_received(world->ledger, device, ROOM, FIRST_ID + BOB,
	                  delivered, read);
}

static void alice_receives(struct world *world, uint64_t delivered,
                           uint64_t read)
{
	receive(world, alice, delivered, read);
	receive(world, alice_too, delivered, read);
}

static void store(struct world *world, uint64_t delivered, uint64_t read)
{
	receipts_stored(world->ledger, ROOM, FIRST_ID + BOB, delivered, read);
}

static void judge_faults(struct world *world, enum fault fault, uint64_t count)
{
	verdict_judge(world->ledger);
	assert_faults(world, fault, count);
}

static void judge_clean(struct world *world)
{
	judge_faults(world, FAULT_receipts, 0);
}

/* --- allowed ------------------------------------------------------------- */
static void a_receipt_sent_received_and_stored_is_clean(void **state)
{
	struct world *world = *state;

	bob_sends(world, 4, 3, true);
	alice_receives(world, 4, 3);
	store(world, 4, 3);
	store(world, 4, 3);
	receipts_unread(world->ledger, BOB, ROOM, 3, 4, 1);
	judge_clean(world);
}

static void a_receipt_sent_on_a_lost_socket_may_be_missing(void **state)
{
	struct world *world = *state;

	bob_sends(world, 4, 4, false);
	bob_sends(world, 2, 2, true);
	alice_receives(world, 2, 2);
	store(world, 2, 2);
	judge_clean(world);
}

static void an_old_receipt_is_counted(void **state)
{
	struct world *world = *state;

	bob_sends(world, 4, 4, true);
	alice_receives(world, 4, 4);
	receive(world, alice, 3, 3);
	store(world, 4, 4);
	judge_clean(world);
	assert_int_equal(ledger_totals(world->ledger)->old_receipts, 1);
}

static void a_user_who_writes_has_read_without_a_receipt(void **state)
{
	struct world *world = *state;

	bob_sends(world, 4, 4, true);
	exchange(world, BOB, ALICE);
	store(world, 5, 5);
	judge_clean(world);
}

static void a_later_session_needs_no_receipt(void **state)
{
	struct world *world = *state;

	bob_sends(world, 4, 4, true);
	receive(world, alice, 4, 4);
	sessions_disconnected(world->ledger, alice_too);
	sessions_welcome(world->ledger, alice_too, tick(world));
	store(world, 4, 4);
	judge_clean(world);
}

/* --- faults -------------------------------------------------------------- */
static void read_above_delivered_is_a_fault(void **state)
{
	struct world *world = *state;

	bob_sends(world, 4, 4, false);
	receive(world, alice, 3, 4);
	judge_faults(world, FAULT_receipts, 1);
}

static void more_received_than_sent_is_a_fault(void **state)
{
	struct world *world = *state;

	bob_sends(world, 4, 2, false);
	receive(world, alice, 4, 3);
	judge_faults(world, FAULT_receipts, 1);
}

static void more_stored_than_sent_is_a_fault(void **state)
{
	struct world *world = *state;

	bob_sends(world, 3, 3, false);
	store(world, 4, 3);
	judge_faults(world, FAULT_receipts, 1);
}

static void less_stored_than_received_is_a_fault(void **state)
{
	struct world *world = *state;

	bob_sends(world, 4, 4, false);
	receive(world, alice, 4, 4);
	store(world, 4, 3);
	judge_faults(world, FAULT_receipts, 1);
}

static void less_stored_than_surely_sent_is_a_fault(void **state)
{
	struct world *world = *state;

	bob_sends(world, 4, 0, true);
	store(world, 3, 0);
	judge_faults(world, FAULT_receipts, 1);
}

static void a_user_has_read_what_the_user_wrote(void **state)
{
	struct world *world = *state;

	receipts_stored(world->ledger, ROOM, FIRST_ID + ALICE, 4, 4);
	judge_clean(world);
	exchange(world, ALICE, BOB);
	judge_faults(world, FAULT_receipts, 1);
}

static void two_lists_that_differ_are_a_fault(void **state)
{
	struct world *world = *state;

	bob_sends(world, 4, 4, false);
	store(world, 4, 4);
	store(world, 4, 4);
	store(world, 4, 3);
	judge_faults(world, FAULT_receipts, 1);
}

static void unread_counts_the_entries_after_read(void **state)
{
	struct world *world = *state;

	receipts_unread(world->ledger, BOB, ROOM, 3, 4, 2);
	receipts_unread(world->ledger, BOB, ROOM, 5, 4, 0);
	judge_faults(world, FAULT_receipts, 2);
}

static void a_live_socket_without_the_receipt_is_a_fault(void **state)
{
	struct world *world = *state;

	bob_sends(world, 4, 4, true);
	receive(world, alice, 4, 4);
	store(world, 4, 4);
	judge_faults(world, FAULT_receipts, 1);
}

static void a_receipt_at_another_user_is_misrouted(void **state)
{
	struct world *world = *state;

	bob_sends(world, 4, 4, false);
	receive(world, carol, 4, 4);
	judge_faults(world, FAULT_misrouted, 1);
}

static void a_receipt_of_a_non_member_is_a_fault(void **state)
{
	struct world *world = *state;

	receipts_received(world->ledger, bob_too, ROOM, FIRST_ID + CAROL, 1, 1);
	receipts_stored(world->ledger, ROOM, FIRST_ID + CAROL, 1, 1);
	judge_faults(world, FAULT_receipts, 2);
}

static void a_refused_receipt_is_a_fault(void **state)
{
	struct world *world = *state;

	receipts_refused(world->ledger, bob, SPAN("unknown_conversation"));
	judge_faults(world, FAULT_receipts, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, world_destroy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_receipt_sent_received_and_stored_is_clean),
		TEST(a_receipt_sent_on_a_lost_socket_may_be_missing),
		TEST(an_old_receipt_is_counted),
		TEST(a_user_who_writes_has_read_without_a_receipt),
		TEST(a_later_session_needs_no_receipt),
		TEST(read_above_delivered_is_a_fault),
		TEST(more_received_than_sent_is_a_fault),
		TEST(more_stored_than_sent_is_a_fault),
		TEST(less_stored_than_received_is_a_fault),
		TEST(less_stored_than_surely_sent_is_a_fault),
		TEST(a_user_has_read_what_the_user_wrote),
		TEST(two_lists_that_differ_are_a_fault),
		TEST(unread_counts_the_entries_after_read),
		TEST(a_live_socket_without_the_receipt_is_a_fault),
		TEST(a_receipt_at_another_user_is_misrouted),
		TEST(a_receipt_of_a_non_member_is_a_fault),
		TEST(a_refused_receipt_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
