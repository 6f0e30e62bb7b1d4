/*
 * What one socket may see and how it may end: order, the end of a membership,
 * refusals, close codes.
 */
#include "tests/ledger/judge/histories.h"
#include "tests/ledger/judge/messages.h"
#include "tests/ledger/judge/observations.h"
#include "tests/ledger/judge/refusals.h"
#include "tests/ledger/judge/sessions.h"
#include "tests/ledger/judge/tests/ledger_world.h"
#include "tests/ledger/judge/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { USERS = 3 };

static int create(void **state)
{
	*state = world_create(USERS, 60, NULL);
	return 0;
}

static uint32_t send_from(struct world *world, struct ledger_device_id from)
{
	uint32_t number =
		messages_write(world->ledger, from,
	                       from.user == BOB ? ALICE : BOB, tick(world));

	messages_sent(world->ledger, number, tick(world));
	return number;
}

static uint32_t send(struct world *world)
{
	return send_from(world, alice);
}

static void save(struct world *world, uint32_t number, uint64_t seq)
{
	struct message message = direct_message(world, number, seq);

	for (unsigned i = 0; i < DEVICES; i++) {
		observations_saved(world->ledger,
		                   (struct ledger_device_id){ALICE, i}, number,
		                   ROOM, seq, tick(world));
		observations_received(world->ledger,
		                      (struct ledger_device_id){BOB, i},
		                      &message, true);
		observations_received(world->ledger,
		                      (struct ledger_device_id){ALICE, i},
		                      &message, true);
	}
	histories_entry(world->ledger, ALICE, &message, seq - 1);
	histories_entry(world->ledger, BOB, &message, seq - 1);
}

/* --- order --------------------------------------------------------------- */
/* Sends two messages; the second is saved first. */
static void save_swapped(struct world *world, struct ledger_device_id second,
                         bool new_session, bool repeated)
{
	uint32_t one = send(world), two;

	if (new_session) {
		sessions_disconnected(world->ledger, alice);
		sessions_welcome(world->ledger, alice, tick(world));
	}
	two = send_from(world, second);
	if (repeated)
		messages_to_repeat(world->ledger, one);
	save(world, two, 1);
	save(world, one, 2);
	verdict_judge(world->ledger);
}

static void messages_of_one_socket_are_saved_in_the_order_sent(void **state)
{
	save_swapped(*state, alice, false, false);
	assert_faults(*state, FAULT_misordered, 1);
}

static void messages_of_two_sockets_may_be_saved_in_any_order(void **state)
{
	save_swapped(*state, alice_too, false, false);
	assert_clean(*state);
}

static void messages_of_two_sessions_may_be_saved_in_any_order(void **state)
{
	struct world *world = *state;

	/* Bob gets both on sockets of later sessions, too. */
	save_swapped(world, alice, true, false);
	assert_clean(world);
}

static void a_message_that_is_sent_again_may_be_saved_later(void **state)
{
	save_swapped(*state, alice, false, true);
	assert_clean(*state);
}

/* --- refusals ------------------------------------------------------------ */
static void expect_turned(struct world *world, uint64_t turned)
{
	const struct ledger_totals *totals = ledger_totals(world->ledger);

	assert_int_equal(totals->fault[FAULT_turned], turned);
}

static void a_refused_message_that_is_saved_turns(void **state)
{
	uint32_t number = send(*state);
	struct world *world = *state;

	refusals_told(world->ledger, alice, number, SPAN("unknown_user"));
	expect_turned(world, 0);
	save(world, number, 1);
	expect_turned(world, 1);
}

static void a_saved_message_that_is_refused_turns(void **state)
{
	uint32_t number = send(*state);
	struct world *world = *state;

	save(world, number, 1);
	refusals_told(world->ledger, alice, number, SPAN("unknown_user"));
	expect_turned(world, 1);
}

static void a_refused_message_in_a_history_turns(void **state)
{
	uint32_t number = send(*state);
	struct world *world = *state;
	struct message message = direct_message(world, number, 1);

	refusals_told(world->ledger, alice, number, SPAN("unknown_user"));
	histories_entry(world->ledger, BOB, &message, 0);
	expect_turned(world, 1);
}

static void a_copy_sent_before_the_refusal_may_be_saved(void **state)
{
	uint32_t number = send(*state);
	struct world *world = *state;

	messages_sent(world->ledger, number, tick(world));
	refusals_told(world->ledger, alice, number, SPAN("unknown_user"));
	save(world, number, 1);
	expect_turned(world, 0);
}

/* --- close codes --------------------------------------------------------- */
static int create_strict(void **state)
{
	struct world *world = world_create(USERS, 60, NULL);

	world_judge_cuts(world);
	*state = world;
	return 0;
}

static void a_cut_socket_is_counted(void **state)
{
	struct world *world = *state;

	sessions_cut(world->ledger, alice);
	assert_clean(world);
	assert_int_equal(ledger_totals(world->ledger)->cuts, 1);
}

static void a_cut_socket_is_a_fault_where_no_gateway_dies(void **state)
{
	struct world *world = *state;

	sessions_cut(world->ledger, alice);
	assert_faults(world, FAULT_cut, 1);
}

static void sockets_of_the_time_of_a_death_may_be_cut(void **state)
{
	struct world *world = *state;

	sessions_expect_cuts(world->ledger, true);
	sessions_cut(world->ledger, alice);
	sessions_expect_cuts(world->ledger, false);
	sessions_cut(world->ledger, bob);
	assert_clean(world);
	sessions_disconnected(world->ledger, alice);
	sessions_welcome(world->ledger, alice, tick(world));
	sessions_cut(world->ledger, alice);
	assert_faults(world, FAULT_cut, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, world_destroy)
#define STRICT(name) \
	cmocka_unit_test_setup_teardown(name, create_strict, world_destroy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(messages_of_one_socket_are_saved_in_the_order_sent),
		TEST(messages_of_two_sockets_may_be_saved_in_any_order),
		TEST(messages_of_two_sessions_may_be_saved_in_any_order),
		TEST(a_message_that_is_sent_again_may_be_saved_later),
		TEST(a_refused_message_that_is_saved_turns),
		TEST(a_saved_message_that_is_refused_turns),
		TEST(a_refused_message_in_a_history_turns),
		TEST(a_copy_sent_before_the_refusal_may_be_saved),
		TEST(a_cut_socket_is_counted),
		STRICT(a_cut_socket_is_a_fault_where_no_gateway_dies),
		STRICT(sockets_of_the_time_of_a_death_may_be_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
