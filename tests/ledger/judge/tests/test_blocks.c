/*
 * Blocks, typing and presence.
 */
#include "tests/ledger/judge/blocks.h"
#include "tests/ledger/judge/histories.h"
#include "tests/ledger/judge/messages.h"
#include "tests/ledger/judge/observations.h"
#include "tests/ledger/judge/presence.h"
#include "tests/ledger/judge/refusals.h"
#include "tests/ledger/judge/sessions.h"
#include "tests/ledger/judge/tests/ledger_world.h"
#include "tests/ledger/judge/typing.h"
#include "tests/ledger/judge/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Bob may block alice; they have a conversation. */
enum { USERS = 4, PAIR = 0 };

static uint32_t send(struct world *world, struct ledger_device_id from)
{
	uint32_t number =
		messages_write(world->ledger, from,
	                       from.user == BOB ? ALICE : BOB, tick(world));

	messages_sent(world->ledger, number, tick(world));
	return number;
}

static void save(struct world *world, uint32_t number,
                 struct ledger_device_id from, uint64_t seq)
{
	observations_saved(world->ledger, from, number, ROOM, seq, tick(world));
}

static int create(void **state)
{
	struct world *world = world_create(USERS, 60, NULL);

	(void)blocks_add(world->ledger, BOB, ALICE);
	save(world, send(world, alice), alice, 1);
	*state = world;
	return 0;
}

static void block(struct world *world, bool blocks)
{
	blocks_changing(world->ledger, PAIR);
	blocks_changed(world->ledger, PAIR, blocks, tick(world));
}

/* --- messages ------------------------------------------------------------ */
static void a_message_saved_during_a_block_is_a_fault(void **state)
{
	static const struct ledger_device_id *const senders[] = {&alice, &bob};

	for (unsigned i = 0; i < 2; i++) {
		void *fresh;

		(void)create(&fresh);
		block(fresh, true);
		save(fresh, send(fresh, *senders[i]), *senders[i], 2);
		assert_faults(fresh, FAULT_blocks, 1);
		(void)world_destroy(&fresh);
	}
	(void)state;
}

static void a_message_in_a_history_during_a_block_is_a_fault(void **state)
{
	struct world *world = *state;
	struct message message;

	block(world, true);
	message = direct_message(world, send(world, alice), 2);
	histories_entry(world->ledger, BOB, &message, 1);
	assert_faults(world, FAULT_blocks, 1);
}

static void a_message_sent_outside_a_block_may_be_saved(void **state)
{
	struct world *world = *state;
	uint32_t before = send(world, alice), during, again;

	blocks_changing(world->ledger, PAIR);
	during = send(world, alice);
	blocks_changed(world->ledger, PAIR, true, tick(world));
	save(world, before, alice, 2);
	save(world, during, alice, 3);
	again = send(world, alice);
	block(world, false);
	messages_sent(world->ledger, again, tick(world));
	save(world, again, alice, 4);
	save(world, send(world, alice), alice, 5);
	assert_clean(world);
}

/* It was processed between two blocks; a history shows it during the second. */
static void a_message_sent_during_an_earlier_block_may_be_saved(void **state)
{
	struct world *world = *state;
	uint32_t number;

	block(world, true);
	number = send(world, alice);
	block(world, false);
	block(world, true);
	save(world, number, alice, 2);
	assert_clean(world);
}

/* When a refusal is right: who sends, with which code, at which time. */
static void a_block_explains_a_refusal(void **state)
{
	enum { BEFORE, CALLED, DURING, AFTER };
	static const struct {
		const struct ledger_device_id *from;
		const char *code;
		unsigned when;
		bool right;
	} rows[] = {
		{&alice, "unknown_user", DURING, true},
		{&alice, "not_allowed", DURING, false},
		{&bob, "not_allowed", DURING, true},
		{&bob, "unknown_user", DURING, false},
		{&alice, "unknown_user", CALLED, true},
		{&alice, "unknown_user", BEFORE, true}, /* on its way */
		{&alice, "unknown_user", AFTER, false},
		{&bob, "not_allowed", AFTER, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		void *fresh;
		struct world *world;
		uint32_t number = 0;

		(void)create(&fresh);
		world = fresh;
		for (unsigned when = BEFORE; when <= AFTER; when++) {
			if (when == CALLED)
				blocks_changing(world->ledger, PAIR);
			else if (when != BEFORE)
				block(world, when == DURING);
			if (when == rows[i].when)
				number = send(world, *rows[i].from);
		}
		refusals_told(world->ledger, *rows[i].from, number,
		              span_of(rows[i].code));
		assert_faults(world, FAULT_refused, !rows[i].right);
		(void)world_destroy(&fresh);
	}
}

static void an_accepted_message_before_a_block_may_be_missing(void **state)
{
	struct world *world = *state;

	observations_accepted(world->ledger, alice, send(world, alice),
	                      tick(world));
	block(world, true);
	verdict_judge(world->ledger);
	assert_int_equal(ledger_totals(world->ledger)->turned_away, 1);
}

/* --- typing -------------------------------------------------------------- */
static void type(struct world *world, struct ledger_device_id from,
                 struct ledger_device_id to)
{
	typing_sent(world->ledger, from, ROOM);
	typing_received(world->ledger, to, ROOM, FIRST_ID + from.user);
}

static void typing_reaches_the_other_user(void **state)
{
	type(*state, alice, bob);
	type(*state, bob, alice);
	assert_clean(*state);
}

static void typing_through_a_block_is_a_fault(void **state)
{
	block(*state, true);
	type(*state, alice, bob);
	assert_faults(*state, FAULT_typing, 1);
	type(*state, bob, alice);
	assert_faults(*state, FAULT_typing, 2);
}

static void typing_at_a_stranger_is_a_fault(void **state)
{
	type(*state, alice, carol);
	assert_faults(*state, FAULT_typing, 1);
}

static void typing_of_a_user_who_did_not_type_is_a_fault(void **state)
{
	struct world *world = *state;

	typing_received(world->ledger, bob, ROOM, FIRST_ID + ALICE);
	assert_faults(world, FAULT_typing, 1);
}

static void typing_in_an_unknown_conversation_is_a_fault(void **state)
{
	struct world *world = *state;

	typing_received(world->ledger, bob, ROOM + 1, FIRST_ID + ALICE);
	assert_faults(world, FAULT_typing, 1);
}

/* --- presence ------------------------------------------------------------ */
/* Everybody sees everybody; only `user` sees `peer` differently. */
static void see(struct world *world, unsigned user, unsigned peer, bool online)
{
	for (unsigned u = 0; u < USERS; u++) {
		unsigned p;

		presence_subscribed(world->ledger, u);
		for (unsigned i = 0; presence_peer(world->ledger, u, i, &p);
		     i++)
			presence_received(world->ledger, u, FIRST_ID + p,
			                  u == user && p == peer ? online
			                                         : true);
	}
}

static void assert_presence(struct world *world, uint64_t faults)
{
	assert_true(presence_settled(world->ledger) == (faults == 0));
	presence_judge(world->ledger);
	assert_faults(world, FAULT_presence, faults);
}

static void connected_users_are_online(void **state)
{
	see(*state, ALICE, BOB, true);
	assert_presence(*state, 0);
}

static void a_connected_user_who_is_offline_is_a_fault(void **state)
{
	see(*state, ALICE, BOB, false);
	assert_presence(*state, 1);
}

static void a_connected_user_of_whom_nothing_came_is_a_fault(void **state)
{
	struct world *world = *state;

	see(world, ALICE, BOB, true);
	presence_subscribed(world->ledger, ALICE);
	assert_presence(world, USERS - 1);
}

static void a_user_who_went_is_offline(void **state)
{
	struct world *world = *state;

	see(world, ALICE, DAVE, false);
	presence_gone(world->ledger, DAVE);
	presence_received(world->ledger, BOB, FIRST_ID + DAVE, false);
	assert_true(!presence_settled(world->ledger));
	presence_received(world->ledger, CAROL, FIRST_ID + DAVE, false);
	assert_presence(world, 0);
}

static void a_user_who_went_and_is_online_is_a_fault(void **state)
{
	struct world *world = *state;

	see(world, ALICE, DAVE, true);
	presence_gone(world->ledger, DAVE);
	assert_presence(world, 3);
}

static void a_user_who_blocks_looks_offline(void **state)
{
	struct world *world = *state;

	block(world, true);
	see(world, ALICE, BOB, false);
	assert_presence(world, 0);
}

static void a_user_who_blocks_and_looks_online_is_a_fault(void **state)
{
	struct world *world = *state;

	block(world, true);
	see(world, ALICE, BOB, true);
	assert_presence(world, 1);
}

static void an_unasked_user_is_a_fault(void **state)
{
	struct world *world = *state;

	presence_received(world->ledger, ALICE, FIRST_ID + ALICE, true);
	assert_faults(world, FAULT_presence, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, world_destroy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_message_saved_during_a_block_is_a_fault),
		TEST(a_message_in_a_history_during_a_block_is_a_fault),
		TEST(a_message_sent_outside_a_block_may_be_saved),
		TEST(a_message_sent_during_an_earlier_block_may_be_saved),
		TEST(a_block_explains_a_refusal),
		TEST(an_accepted_message_before_a_block_may_be_missing),
		TEST(typing_reaches_the_other_user),
		TEST(typing_through_a_block_is_a_fault),
		TEST(typing_at_a_stranger_is_a_fault),
		TEST(typing_of_a_user_who_did_not_type_is_a_fault),
		TEST(typing_in_an_unknown_conversation_is_a_fault),
		TEST(connected_users_are_online),
		TEST(a_connected_user_who_is_offline_is_a_fault),
		TEST(a_connected_user_of_whom_nothing_came_is_a_fault),
		TEST(a_user_who_went_is_offline),
		TEST(a_user_who_went_and_is_online_is_a_fault),
		TEST(a_user_who_blocks_looks_offline),
		TEST(a_user_who_blocks_and_looks_online_is_a_fault),
		TEST(an_unasked_user_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
