#include "tests/ledger/judge/blocks.h"
#include "tests/ledger/judge/histories.h"
#include "tests/ledger/judge/ledger.h"
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

/* Alice and bob in one conversation; carol is not in it. */
enum { USERS = 3 };

static int create(void **state)
{
	*state = world_create(USERS, 120, NULL);
	return 0;
}

/* --- steps of the servers ------------------------------------------------ */
static uint32_t send(struct world *world)
{
	uint32_t number =
		messages_write(world->ledger, alice, BOB, tick(world));

	messages_sent(world->ledger, number, tick(world));
	return number;
}

/* The message as the server sends it; `text` replaces its own. */
static struct message frame_of(struct world *world, uint32_t number,
                               uint64_t seq, const char *text)
{
	struct message message = direct_message(world, number, seq);

	if (text)
		message.text = span_of(text);
	return message;
}

static void receive(struct world *world, struct ledger_device_id device,
                    uint32_t number, uint64_t seq)
{
	struct message message = frame_of(world, number, seq, NULL);

	observations_received(world->ledger, device, &message, true);
}

static void save(struct world *world, struct ledger_device_id device,
                 uint32_t number, uint64_t seq)
{
	observations_saved(world->ledger, device, number, ROOM, seq,
	                   tick(world));
}

/* Delivers the message to everyone who must get it. */
static void deliver(struct world *world, uint32_t number, uint64_t seq)
{
	save(world, alice, number, seq);
	save(world, alice_too, number, seq);
	receive(world, alice_too, number, seq);
	receive(world, bob, number, seq);
	receive(world, bob_too, number, seq);
}

static void read_as(struct world *world, unsigned user, uint32_t number,
                    uint64_t seq, uint64_t before_seq)
{
	struct message message = frame_of(world, number, seq, NULL);

	histories_entry(world->ledger, user, &message, before_seq);
}

static void read_all(struct world *world, uint32_t count)
{
	for (unsigned user = ALICE; user <= BOB; user++) {
		for (uint32_t i = 0; i < count; i++)
			read_as(world, user, i, i + 1, i);
		histories_end(world->ledger, user, ROOM, count, count);
	}
}

/* --- allowed ------------------------------------------------------------- */
static void a_message_received_and_stored_is_clean(void **state)
{
	for (uint64_t seq = 1; seq <= 3; seq++)
		deliver(*state, send(*state), seq);
	read_all(*state, 3);
	verdict_judge(((struct world *)*state)->ledger);
	assert_clean(*state);
}

static void a_frame_that_arrives_again_is_counted_and_allowed(void **state)
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

static void a_message_never_answered_may_be_missing(void **state)
{
	struct world *world = *state;

	(void)send(world);
	verdict_judge(world->ledger);
	assert_clean(world);
	assert_int_equal(ledger_totals(world->ledger)->unknown, 1);
}

static void an_offline_device_may_read_the_backlog(void **state)
{
	struct world *world = *state;
	struct message message;
	uint32_t number;

	sessions_disconnected(world->ledger, bob_too);
	number = send(world);
	save(world, alice, number, 1);
	save(world, alice_too, number, 1);
	receive(world, alice_too, number, 1);
	receive(world, bob, number, 1);
	sessions_welcome(world->ledger, bob_too, tick(world));
	message = frame_of(world, number, 1, NULL);
	observations_received(world->ledger, bob_too, &message, false);
	read_all(world, 1);
	verdict_judge(world->ledger);
	assert_clean(world);
}

static void a_message_older_than_the_session_may_arrive_late(void **state)
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
	receive(world, bob, old, 1);
	assert_int_equal(ledger_totals(world->ledger)->fault[FAULT_misordered],
	                 1);
}

/* --- faults -------------------------------------------------------------- */
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
	receive(world, alice_too, number, 1);
	read_all(world, 1);
	verdict_judge(world->ledger);
	assert_faults(world, FAULT_undelivered, 1);
}

static void a_message_found_only_by_a_later_one_is_undelivered(void **state)
{
	struct world *world = *state;
	uint32_t number;
	struct message message;

	sessions_disconnected(world->ledger, bob_too);
	number = send(world);
	save(world, alice, number, 1);
	save(world, alice_too, number, 1);
	receive(world, alice_too, number, 1);
	receive(world, bob, number, 1);
	sessions_welcome(world->ledger, bob_too, tick(world));
	messages_close(world->ledger, tick(world));
	message = frame_of(world, number, 1, NULL);
	observations_received(world->ledger, bob_too, &message, false);
	read_all(world, 1);
	verdict_judge(world->ledger);
	assert_faults(world, FAULT_undelivered, 1);
}

static void a_live_socket_without_the_message_is_unheard(void **state)
{
	struct world *world = *state;
	uint32_t number = send(world);
	struct message message = frame_of(world, number, 1, NULL);

	save(world, alice, number, 1);
	save(world, alice_too, number, 1);
	receive(world, alice_too, number, 1);
	receive(world, bob, number, 1);
	observations_received(world->ledger, bob_too, &message, false);
	read_all(world, 1);
	verdict_judge(world->ledger);
	assert_faults(world, FAULT_unheard, 1);
}

static void begin_block(struct world *world, unsigned pair)
{
	blocks_changing(world->ledger, pair);
	blocks_changed(world->ledger, pair, true, tick(world));
}

/* Bob misses it, or another device of alice; a block of bob begins, or ends. */
static void a_block_excuses_what_the_other_user_misses(void **state)
{
	enum { NEVER, BEFORE, AFTER };
	static const struct {
		unsigned block;
		bool own; /* alice's device misses it */
		unsigned faults;
	} rows[] = {
		{NEVER, false, 1}, {BEFORE, false, 1}, {AFTER, false, 0},
		{NEVER, true, 1},  {AFTER, true, 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		void *fresh;
		struct world *world;
		struct message message;
		uint32_t number;
		unsigned pair;

		(void)create(&fresh);
		world = fresh;
		pair = blocks_add(world->ledger, BOB, ALICE);
		if (rows[i].block == BEFORE) {
			begin_block(world, pair);
			blocks_changed(world->ledger, pair, false, tick(world));
		}
		number = send(world);
		if (rows[i].block == AFTER)
			blocks_changing(world->ledger, pair);
		message = frame_of(world, number, 1, NULL);
		save(world, alice, number, 1);
		save(world, alice_too, number, 1);
		if (!rows[i].own)
			receive(world, alice_too, number, 1);
		receive(world, bob, number, 1);
		observations_received(world->ledger, bob_too, &message,
		                      rows[i].own);
		read_all(world, 1);
		verdict_judge(world->ledger);
		assert_faults(world, FAULT_unheard, rows[i].faults);
		(void)world_destroy(&fresh);
	}
}

/*
 * Only a later message, sent when nothing else arrives, shows the message to a
 * device of bob, or to one of alice.
 */
static void a_block_excuses_what_a_later_message_shows(void **state)
{
	enum { NEVER, BEFORE_THE_SESSION, DURING_THE_SESSION };
	static const struct {
		unsigned block;
		bool own;
		unsigned faults;
	} rows[] = {
		{NEVER, false, 1},
		{BEFORE_THE_SESSION, false, 1},
		{DURING_THE_SESSION, false, 0},
		{NEVER, true, 1},
		{DURING_THE_SESSION, true, 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ledger_device_id late =
			rows[i].own ? alice_too : bob_too;
		void *fresh;
		struct world *world;
		struct message message;
		uint32_t number;
		unsigned pair;

		(void)create(&fresh);
		world = fresh;
		pair = blocks_add(world->ledger, BOB, ALICE);
		sessions_disconnected(world->ledger, late);
		number = send(world);
		message = frame_of(world, number, 1, NULL);
		save(world, alice, number, 1);
		receive(world, bob, number, 1);
		if (rows[i].own) {
			receive(world, bob_too, number, 1);
		} else {
			save(world, alice_too, number, 1);
			receive(world, alice_too, number, 1);
		}
		if (rows[i].block != NEVER)
			begin_block(world, pair);
		if (rows[i].block == BEFORE_THE_SESSION)
			blocks_changed(world->ledger, pair, false, tick(world));
		sessions_welcome(world->ledger, late, tick(world));
		messages_close(world->ledger, tick(world));
		observations_received(world->ledger, late, &message, false);
		read_all(world, 1);
		verdict_judge(world->ledger);
		assert_faults(world, FAULT_undelivered, rows[i].faults);
		(void)world_destroy(&fresh);
	}
}

static void the_other_socket_of_the_sender_needs_the_message_too(void **state)
{
	struct world *world = *state;
	uint32_t number = send(world);

	save(world, alice, number, 1);
	save(world, alice_too, number, 1);
	receive(world, bob, number, 1);
	receive(world, bob_too, number, 1);
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

static void two_users_with_two_seqs_are_a_split(void **state)
{
	uint32_t number = send(*state);

	(void)send(*state);
	save(*state, alice, number, 1);
	receive(*state, bob, number, 2);
	assert_faults(*state, FAULT_split, 1);
}

static void a_message_in_one_history_only_is_a_split(void **state)
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

	receive(*state, bob, second, 2);
	receive(*state, bob, first, 1);
	assert_faults(*state, FAULT_misordered, 1);
}

static void a_message_sent_after_an_answer_needs_a_higher_seq(void **state)
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

static void a_history_that_lacks_a_seq_has_a_gap(void **state)
{
	(void)send(*state);
	(void)send(*state);
	read_as(*state, BOB, 0, 1, 0);
	read_as(*state, BOB, 1, 3, 1);
	/* And two messages cannot have seq 3. */
	assert_int_equal(ledger_totals(((struct world *)*state)->ledger)
	                         ->fault[FAULT_gaps],
	                 2);
}

static void a_history_shorter_than_its_last_seq_has_a_gap(void **state)
{
	struct world *world = *state;

	deliver(world, send(world), 1);
	read_as(world, BOB, 0, 1, 0);
	histories_end(world->ledger, BOB, ROOM, 1, 2);
	assert_faults(world, FAULT_gaps, 1);
}

static void a_message_at_another_user_is_misrouted(void **state)
{
	receive(*state, carol, send(*state), 1);
	assert_faults(*state, FAULT_misrouted, 1);
}

static void an_answer_at_another_user_is_misrouted(void **state)
{
	save(*state, bob, send(*state), 1);
	assert_faults(*state, FAULT_misrouted, 1);
}

static void an_unknown_uuid_is_a_phantom(void **state)
{
	struct world *world = *state;
	struct message message = frame_of(world, send(world), 1, NULL);

	message.uuid.byte[9] ^= 1; /* of another run */
	observations_received(world->ledger, bob, &message, true);
	assert_faults(world, FAULT_phantom, 1);
}

static void a_message_written_and_not_sent_is_a_phantom(void **state)
{
	struct world *world = *state;
	uint32_t number =
		messages_write(world->ledger, alice, BOB, tick(world));

	receive(world, bob, number, 1);
	assert_faults(world, FAULT_phantom, 1);
}

static void another_text_is_corrupt(void **state)
{
	struct world *world = *state;
	struct message message =
		frame_of(world, send(world), 1, "another text");

	observations_received(world->ledger, bob, &message, true);
	assert_faults(world, FAULT_corrupt, 1);
}

static void a_refusal_is_a_fault(void **state)
{
	struct world *world = *state;

	refusals_told(world->ledger, alice, send(world), SPAN("bad_uuid"));
	assert_faults(world, FAULT_refused, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, world_destroy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_message_received_and_stored_is_clean),
		TEST(a_frame_that_arrives_again_is_counted_and_allowed),
		TEST(a_message_never_answered_may_be_missing),
		TEST(an_offline_device_may_read_the_backlog),
		TEST(a_message_older_than_the_session_may_arrive_late),
		TEST(an_accepted_message_that_is_not_stored_is_lost),
		TEST(a_stored_message_that_no_device_got_is_undelivered),
		TEST(a_message_found_only_by_a_later_one_is_undelivered),
		TEST(a_live_socket_without_the_message_is_unheard),
		TEST(a_block_excuses_what_the_other_user_misses),
		TEST(a_block_excuses_what_a_later_message_shows),
		TEST(the_other_socket_of_the_sender_needs_the_message_too),
		TEST(one_seq_for_two_messages_is_a_duplicate),
		TEST(a_message_twice_in_a_history_is_a_duplicate),
		TEST(two_users_with_two_seqs_are_a_split),
		TEST(a_message_in_one_history_only_is_a_split),
		TEST(a_lower_seq_after_a_higher_one_is_misordered),
		TEST(a_message_sent_after_an_answer_needs_a_higher_seq),
		TEST(a_history_that_lacks_a_seq_has_a_gap),
		TEST(a_history_shorter_than_its_last_seq_has_a_gap),
		TEST(a_message_at_another_user_is_misrouted),
		TEST(an_answer_at_another_user_is_misrouted),
		TEST(an_unknown_uuid_is_a_phantom),
		TEST(a_message_written_and_not_sent_is_a_phantom),
		TEST(another_text_is_corrupt),
		TEST(a_refusal_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
