#include "tests/ledger/judge/faults.h"
#include "tests/ledger/judge/ledger.h"
#include "tests/ledger/judge/messages.h"
#include "tests/ledger/judge/observations.h"
#include "tests/ledger/judge/rooms.h"
#include "tests/ledger/judge/sessions.h"
#include "tests/ledger/judge/tests/ledger_world.h"
#include "tests/ledger/judge/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/*
 * One room: alice made it with bob. Carol may come, dave is never asked. All of
 * its entries stand in a script, from seq 1: what a server would have kept.
 */
enum { PEOPLE = 4, ENTRIES_MAX = 16 };

static const unsigned crowd[] = {ALICE, BOB, CAROL};

static struct line {
	bool message;
	uint32_t number;  /* of a message */
	const char *what; /* of a change */
	unsigned by, whom;
} lines[ENTRIES_MAX + 1]; /* by seq */

static struct world *create_world(bool all)
{
	const struct ledger_room_config room = {
		.name = "room",
		.all = all,
		.users = crowd,
		.count = ARRAY_LEN(crowd),
		.initial_count = 2,
	};

	memset(lines, 0, sizeof(lines));
	return world_create(PEOPLE, 60, &room);
}

static int create(void **state)
{
	*state = create_world(false);
	return 0;
}

static int create_open(void **state)
{
	*state = create_world(true);
	return 0;
}

/* --- what a server tells ---------------------------------------------------
 */
static struct message told_change(struct world *world, uint32_t seq)
{
	const struct line *line = &lines[seq];
	struct buf text CLEANUP(buf_free) = BUF(1024);

	buf_format(&text,
	           "{\"type\":\"member\",\"id\":%u,\"conversation\":%u,"
	           "\"seq\":%u,\"user_from\":%u,\"uuid\":"
	           "\"00000000-0000-0000-0000-0000000000%02u\","
	           "\"created_at\":\"2026-11-21T10:00:00.000Z\","
	           "\"change\":{\"what\":\"%s\",\"name\":\"room\",\"users\":[",
	           seq, (unsigned)ROOM, seq, FIRST_ID + line->by, seq,
	           line->what);
	if (seq == 1)
		buf_format(&text, "%u,", FIRST_ID + line->by);
	buf_format(&text, "%u]}}", FIRST_ID + line->whom);
	return parse(world, buf_span(&text));
}

static struct message told_message(struct world *world, uint32_t number,
                                   uint32_t seq)
{
	struct buf frame CLEANUP(buf_free) = BUF(4096);
	struct buf text CLEANUP(buf_free) = BUF(4096);
	struct ledger_message_state line = messages_get(world->ledger, number);

	messages_frame(world->ledger, number, &frame);
	buf_format(&text, "{\"id\":%u,\"seq\":%u,\"user_from\":%u,", 1000 + seq,
	           seq, FIRST_ID + line.from.user);
	buf_append(&text, SPAN("\"created_at\":\"2026-11-21T10:00:00.000Z\","));
	/* The rest is in the frame that sent it. */
	buf_append(&text, span_make(frame.data + 1, frame.len - 1));
	return parse(world, buf_span(&text));
}

static struct message told(struct world *world, uint32_t seq)
{
	const struct line *line = &lines[seq];

	return line->message ? told_message(world, line->number, seq)
	                     : told_change(world, seq);
}

/* --- what happens ----------------------------------------------------------
 */
static void hear_at(struct world *world, struct ledger_device_id place,
                    uint32_t seq)
{
	struct message message = told(world, seq);

	observations_received(world->ledger, place, &message, true);
}

static void hear(struct world *world, unsigned user, uint32_t seq)
{
	for (unsigned i = 0; i < DEVICES; i++)
		hear_at(world, (struct ledger_device_id){user, i}, seq);
}

static void fetch(struct world *world, unsigned user, uint32_t seq)
{
	for (unsigned i = 0; i < DEVICES; i++) {
		struct message message = told(world, seq);

		observations_received(world->ledger,
		                      (struct ledger_device_id){user, i},
		                      &message, false);
	}
}

static uint32_t change(struct world *world, unsigned by, const char *what,
                       unsigned whom)
{
	lines[++world->seq] =
		(struct line){.what = what, .by = by, .whom = whom};
	rooms_membership_changing(world->ledger, 0, whom);
	if (strcmp(what, "left") != 0 && strcmp(what, "removed") != 0)
		rooms_member_joined(world->ledger, 0, whom, tick(world));
	return world->seq;
}

static uint32_t write(struct world *world, unsigned user)
{
	struct ledger_device_id from = {user, 0};
	uint32_t number =
		messages_write_to_room(world->ledger, from, 0, tick(world));

	messages_sent(world->ledger, number, tick(world));
	return number;
}

/* Sent, saved, and told to its sender. */
static uint32_t save(struct world *world, unsigned user)
{
	uint32_t number = write(world, user);

	lines[++world->seq] = (struct line){.message = true, .number = number};
	for (unsigned i = 0; i < DEVICES; i++)
		observations_saved(world->ledger,
		                   (struct ledger_device_id){user, i}, number,
		                   ROOM, world->seq, tick(world));
	hear_at(world, (struct ledger_device_id){user, 1}, world->seq);
	return world->seq;
}

static void make(struct world *world)
{
	uint32_t seq = change(world, ALICE, "created", BOB);

	rooms_created(world->ledger, 0, ROOM, tick(world));
	hear(world, ALICE, seq);
	hear(world, BOB, seq);
}

static void read_all(struct world *world, unsigned user, uint32_t from)
{
	for (uint32_t seq = from; seq <= world->seq; seq++) {
		struct message message = told(world, seq);

		verdict_history_entry(world->ledger, user, &message,
		                      seq == from ? 0 : seq - 1);
	}
	verdict_history_end(world->ledger, user, ROOM, world->seq, world->seq);
}

static void judge(struct world *world)
{
	verdict_judge(world->ledger);
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
}

static void assert_clean(struct world *world)
{
	assert_faults(world, FAULT_lost, 0);
}

/* --- what is right ---------------------------------------------------------
 */
static void what_all_members_have_is_clean(void **state)
{
	struct world *world = *state;

	make(world);
	hear(world, ALICE, save(world, BOB));
	hear(world, BOB, save(world, ALICE));
	read_all(world, ALICE, 1);
	read_all(world, BOB, 1);
	judge(world);
	assert_clean(world);
	assert_int_equal(ledger_totals(world->ledger)->stored, 2);
	assert_int_equal(ledger_totals(world->ledger)->changes, 1);
}

static void who_comes_later_has_what_came_since(void **state)
{
	struct world *world = *state;
	uint32_t seq;

	make(world);
	hear(world, ALICE, save(world, BOB));
	seq = change(world, ALICE, "invited", CAROL);
	for (unsigned user = ALICE; user <= CAROL; user++)
		hear(world, user, seq);
	seq = save(world, BOB);
	hear(world, ALICE, seq);
	hear(world, CAROL, seq);
	read_all(world, ALICE, 1);
	read_all(world, BOB, 1);
	read_all(world, CAROL, 3);
	judge(world);
	assert_clean(world);
}

static void who_comes_into_an_open_room_may_read_all(void **state)
{
	struct world *world = *state;
	uint32_t seq;

	make(world);
	hear(world, ALICE, save(world, BOB));
	seq = change(world, CAROL, "joined", CAROL);
	for (unsigned user = ALICE; user <= CAROL; user++)
		hear(world, user, seq);
	fetch(world, CAROL, 1);
	fetch(world, CAROL, 2);
	for (unsigned user = ALICE; user <= CAROL; user++)
		read_all(world, user, 1);
	judge(world);
	assert_clean(world);
}

static void who_came_into_an_open_room_may_hear_an_old_one_again(void **state)
{
	struct world *world = *state;

	make(world);
	hear(world, ALICE, save(world, BOB));
	(void)change(world, CAROL, "joined", CAROL);
	for (unsigned user = ALICE; user <= CAROL; user++) {
		hear(world, user, 3);
		hear(world, user, 2);
		read_all(world, user, 1);
	}
	judge(world);
	assert_clean(world);
}

static void who_left_needs_nothing_any_more(void **state)
{
	struct world *world = *state;
	uint32_t seq;

	make(world);
	seq = change(world, BOB, "left", BOB);
	hear(world, ALICE, seq);
	hear(world, BOB, seq);
	(void)save(world, ALICE);
	read_all(world, ALICE, 1);
	judge(world);
	assert_clean(world);
}

static void who_was_away_and_left_since_need_not_have_it(void **state)
{
	struct world *world = *state;
	uint32_t seq;

	make(world);
	for (unsigned i = 0; i < DEVICES; i++)
		sessions_disconnected(world->ledger,
		                      (struct ledger_device_id){BOB, i});
	(void)save(world, ALICE);
	seq = change(world, ALICE, "removed", BOB);
	hear(world, ALICE, seq);
	read_all(world, ALICE, 1);
	judge(world);
	assert_clean(world);
}

static void who_comes_again_sees_what_is_since_then(void **state)
{
	struct world *world = *state;
	uint32_t seq;

	make(world);
	seq = change(world, BOB, "left", BOB);
	hear(world, ALICE, seq);
	hear(world, BOB, seq);
	(void)save(world, ALICE);
	seq = change(world, ALICE, "invited", BOB);
	hear(world, ALICE, seq);
	hear(world, BOB, seq);
	read_all(world, ALICE, 1);
	read_all(world, BOB, 4);
	judge(world);
	assert_clean(world);
}

static void who_is_going_may_be_turned_away(void **state)
{
	struct world *world = *state;
	uint32_t number;

	make(world);
	number = write(world, BOB);
	rooms_membership_changing(world->ledger, 0, BOB);
	observations_refused(world->ledger, (struct ledger_device_id){BOB, 0},
	                     number, SPAN("unknown_conversation"));
	(void)change(world, ALICE, "removed", BOB);
	hear(world, ALICE, world->seq);
	read_all(world, ALICE, 1);
	judge(world);
	assert_clean(world);
	assert_int_equal(ledger_totals(world->ledger)->turned_away, 1);
}

static void what_who_is_going_was_told_is_safe_may_be_turned_away(void **state)
{
	struct world *world = *state;
	uint32_t number;

	make(world);
	number = write(world, BOB);
	observations_accepted(world->ledger, (struct ledger_device_id){BOB, 0},
	                      number, tick(world));
	rooms_membership_changing(world->ledger, 0, BOB);
	(void)change(world, ALICE, "removed", BOB);
	hear(world, ALICE, world->seq);
	read_all(world, ALICE, 1);
	judge(world);
	assert_clean(world);
	assert_int_equal(ledger_totals(world->ledger)->turned_away, 1);
}

/* --- what is wrong ---------------------------------------------------------
 */
static void a_member_who_hears_nothing_is_unheard(void **state)
{
	struct world *world = *state;

	make(world);
	(void)save(world, ALICE);
	fetch(world, BOB, 2);
	read_all(world, ALICE, 1);
	read_all(world, BOB, 1);
	judge(world);
	assert_faults(world, FAULT_unheard, 1);
}

/* What was late in coming is nothing to who has gone meanwhile. */
static void who_left_later_may_not_have_heard_it(void **state)
{
	struct world *world = *state;

	make(world);
	(void)save(world, ALICE);
	(void)change(world, ALICE, "removed", BOB);
	hear(world, ALICE, world->seq);
	hear(world, BOB, world->seq);
	read_all(world, ALICE, 1);
	judge(world);
	assert_faults(world, FAULT_unheard, 0);
}

static void a_member_who_was_away_and_has_it_not_is_undelivered(void **state)
{
	struct world *world = *state;

	make(world);
	sessions_disconnected(world->ledger, (struct ledger_device_id){BOB, 1});
	hear_at(world, (struct ledger_device_id){BOB, 0}, save(world, ALICE));
	read_all(world, ALICE, 1);
	read_all(world, BOB, 1);
	judge(world);
	assert_faults(world, FAULT_undelivered, 1);
}

static void a_change_that_a_device_never_got_is_undelivered(void **state)
{
	struct world *world = *state;

	make(world);
	(void)change(world, ALICE, "invited", CAROL);
	hear(world, ALICE, 2);
	hear(world, CAROL, 2);
	hear_at(world, (struct ledger_device_id){BOB, 0}, 2);
	for (unsigned user = ALICE; user <= BOB; user++)
		read_all(world, user, 1);
	read_all(world, CAROL, 2);
	judge(world);
	assert_faults(world, FAULT_undelivered, 1);
}

static void a_message_at_who_had_left_is_misrouted(void **state)
{
	struct world *world = *state;

	make(world);
	(void)change(world, BOB, "left", BOB);
	hear(world, ALICE, 2);
	hear(world, BOB, 2);
	hear(world, BOB, save(world, ALICE));
	read_all(world, ALICE, 1);
	judge(world);
	assert_faults(world, FAULT_misrouted, 1);
}

static void a_message_at_who_comes_later_is_misrouted(void **state)
{
	struct world *world = *state;

	make(world);
	(void)save(world, ALICE);
	hear(world, BOB, 2);
	(void)change(world, ALICE, "invited", CAROL);
	for (unsigned user = ALICE; user <= CAROL; user++)
		hear(world, user, 3);
	fetch(world, CAROL, 2);
	for (unsigned user = ALICE; user <= BOB; user++)
		read_all(world, user, 1);
	read_all(world, CAROL, 3);
	judge(world);
	assert_faults(world, FAULT_misrouted, 1);
}

static void a_change_at_who_had_left_is_misrouted(void **state)
{
	struct world *world = *state;

	make(world);
	(void)change(world, BOB, "left", BOB);
	hear(world, ALICE, 2);
	hear(world, BOB, 2);
	(void)change(world, ALICE, "renamed", ALICE);
	hear(world, ALICE, 3);
	hear_at(world, (struct ledger_device_id){BOB, 0}, 3);
	read_all(world, ALICE, 1);
	judge(world);
	assert_faults(world, FAULT_misrouted, 1);
}

static void a_message_at_somebody_outside_is_misrouted(void **state)
{
	struct world *world = *state;

	make(world);
	hear(world, BOB, save(world, ALICE));
	hear_at(world, (struct ledger_device_id){DAVE, 0}, 2);
	assert_faults(world, FAULT_misrouted, 1);
	hear_at(world, (struct ledger_device_id){DAVE, 0}, 1);
	assert_faults(world, FAULT_misrouted, 2);
}

static void a_message_in_another_conversation_is_misrouted(void **state)
{
	struct world *world = *state;

	make(world);
	observations_saved(world->ledger, (struct ledger_device_id){ALICE, 0},
	                   write(world, ALICE), ROOM + 1, 1, tick(world));
	assert_faults(world, FAULT_misrouted, 1);
}

static void what_who_was_no_member_wrote_is_misrouted(void **state)
{
	struct world *world = *state;

	make(world);
	(void)change(world, BOB, "left", BOB);
	hear(world, ALICE, 2);
	hear(world, BOB, 2);
	hear(world, ALICE, save(world, BOB));
	read_all(world, ALICE, 1);
	judge(world);
	/* Their own other socket had it back, too. */
	assert_faults(world, FAULT_misrouted, 2);
}

static void a_history_that_reaches_back_too_far_is_a_fault(void **state)
{
	struct world *world = *state;

	make(world);
	hear(world, BOB, save(world, ALICE));
	(void)change(world, ALICE, "invited", CAROL);
	for (unsigned user = ALICE; user <= CAROL; user++)
		hear(world, user, 3);
	for (unsigned user = ALICE; user <= BOB; user++)
		read_all(world, user, 1);
	read_all(world, CAROL, 2);
	judge(world);
	assert_int_equal(ledger_totals(world->ledger)->fault[FAULT_gaps], 1);
	assert_int_equal(ledger_totals(world->ledger)->fault[FAULT_misrouted],
	                 1);
}

static void a_room_that_a_member_does_not_find_is_a_gap(void **state)
{
	struct world *world = *state;

	make(world);
	read_all(world, ALICE, 1);
	judge(world);
	assert_int_equal(ledger_totals(world->ledger)->fault[FAULT_gaps], 1);
}

static void a_room_that_who_left_still_reads_is_misrouted(void **state)
{
	struct world *world = *state;

	make(world);
	(void)change(world, BOB, "left", BOB);
	hear(world, ALICE, 2);
	hear(world, BOB, 2);
	read_all(world, ALICE, 1);
	verdict_read_by_non_member(world->ledger, BOB, ROOM);
	judge(world);
	assert_faults(world, FAULT_misrouted, 1);
}

static void
a_message_that_one_member_reads_and_another_not_is_a_split(void **state)
{
	struct world *world = *state;

	make(world);
	hear(world, BOB, save(world, ALICE));
	read_all(world, ALICE, 1);
	world->seq--;
	read_all(world, BOB, 1);
	judge(world);
	assert_int_equal(ledger_totals(world->ledger)->fault[FAULT_split], 1);
}

static void
an_accepted_message_of_a_member_that_is_nowhere_is_lost(void **state)
{
	struct world *world = *state;
	uint32_t number;

	make(world);
	number = write(world, BOB);
	observations_accepted(world->ledger, (struct ledger_device_id){BOB, 0},
	                      number, tick(world));
	read_all(world, ALICE, 1);
	read_all(world, BOB, 1);
	judge(world);
	assert_faults(world, FAULT_lost, 1);
}

static void a_member_who_is_turned_away_is_refused(void **state)
{
	struct world *world = *state;

	make(world);
	observations_refused(world->ledger, (struct ledger_device_id){BOB, 0},
	                     write(world, BOB), SPAN("unknown_conversation"));
	assert_faults(world, FAULT_refused, 1);
}

static void one_seq_for_a_change_and_a_message_is_a_duplicate(void **state)
{
	struct world *world = *state;

	make(world);
	observations_saved(world->ledger, (struct ledger_device_id){ALICE, 0},
	                   write(world, ALICE), ROOM, 1, tick(world));
	assert_faults(world, FAULT_duplicates, 1);
}

static void two_changes_of_one_seq_are_a_split(void **state)
{
	struct world *world = *state;

	make(world);
	(void)change(world, ALICE, "invited", CAROL);
	hear(world, ALICE, 2);
	lines[2].what = "removed";
	hear_at(world, (struct ledger_device_id){BOB, 0}, 2);
	assert_faults(world, FAULT_split, 1);
}

static void who_comes_twice_is_a_split(void **state)
{
	struct world *world = *state;

	make(world);
	(void)change(world, ALICE, "invited", BOB);
	hear(world, ALICE, 2);
	hear(world, BOB, 2);
	read_all(world, ALICE, 1);
	read_all(world, BOB, 1);
	judge(world);
	assert_faults(world, FAULT_split, 1);
}

static void a_lower_seq_after_a_higher_one_is_misordered(void **state)
{
	struct world *world = *state;

	make(world);
	(void)save(world, ALICE);
	(void)save(world, ALICE);
	hear_at(world, (struct ledger_device_id){BOB, 0}, 3);
	hear_at(world, (struct ledger_device_id){BOB, 0}, 2);
	assert_faults(world, FAULT_misordered, 1);
}

static void who_comes_may_hear_late_of_what_is_older(void **state)
{
	struct world *world = *state;

	make(world);
	(void)save(world, ALICE);
	(void)change(world, ALICE, "invited", CAROL);
	(void)save(world, ALICE);
	hear_at(world, (struct ledger_device_id){CAROL, 0}, 4);
	hear_at(world, (struct ledger_device_id){CAROL, 0}, 2);
	assert_faults(world, FAULT_misordered, 0);
}

static void who_came_again_hears_in_order(void **state)
{
	struct world *world = *state;

	make(world);
	(void)change(world, BOB, "left", BOB);
	(void)change(world, ALICE, "invited", BOB);
	(void)save(world, ALICE);
	(void)save(world, ALICE);
	hear_at(world, (struct ledger_device_id){BOB, 0}, 5);
	hear_at(world, (struct ledger_device_id){BOB, 0}, 4);
	assert_faults(world, FAULT_misordered, 1);
}

static void a_history_with_a_hole_has_a_gap(void **state)
{
	struct world *world = *state;
	struct message message;

	make(world);
	hear(world, BOB, save(world, ALICE));
	hear(world, BOB, save(world, ALICE));
	message = told(world, 1);
	verdict_history_entry(world->ledger, BOB, &message, 0);
	message = told(world, 3);
	verdict_history_entry(world->ledger, BOB, &message, 1);
	assert_faults(world, FAULT_gaps, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, world_destroy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_all_members_have_is_clean),
		TEST(who_comes_later_has_what_came_since),
		cmocka_unit_test_setup_teardown(
			who_comes_into_an_open_room_may_read_all, create_open,
			world_destroy),
		cmocka_unit_test_setup_teardown(
			who_came_into_an_open_room_may_hear_an_old_one_again,
			create_open, world_destroy),
		TEST(who_left_needs_nothing_any_more),
		TEST(who_was_away_and_left_since_need_not_have_it),
		TEST(who_comes_again_sees_what_is_since_then),
		TEST(who_is_going_may_be_turned_away),
		TEST(what_who_is_going_was_told_is_safe_may_be_turned_away),
		TEST(a_member_who_hears_nothing_is_unheard),
		TEST(who_left_later_may_not_have_heard_it),
		TEST(a_member_who_was_away_and_has_it_not_is_undelivered),
		TEST(a_change_that_a_device_never_got_is_undelivered),
		TEST(a_message_at_who_had_left_is_misrouted),
		TEST(a_message_at_who_comes_later_is_misrouted),
		TEST(a_change_at_who_had_left_is_misrouted),
		TEST(a_message_at_somebody_outside_is_misrouted),
		TEST(a_message_in_another_conversation_is_misrouted),
		TEST(what_who_was_no_member_wrote_is_misrouted),
		TEST(a_history_that_reaches_back_too_far_is_a_fault),
		TEST(a_room_that_a_member_does_not_find_is_a_gap),
		TEST(a_room_that_who_left_still_reads_is_misrouted),
		TEST(a_message_that_one_member_reads_and_another_not_is_a_split),
		TEST(an_accepted_message_of_a_member_that_is_nowhere_is_lost),
		TEST(a_member_who_is_turned_away_is_refused),
		TEST(one_seq_for_a_change_and_a_message_is_a_duplicate),
		TEST(two_changes_of_one_seq_are_a_split),
		TEST(who_comes_twice_is_a_split),
		TEST(a_lower_seq_after_a_higher_one_is_misordered),
		TEST(who_comes_may_hear_late_of_what_is_older),
		TEST(who_came_again_hears_in_order),
		TEST(a_history_with_a_hole_has_a_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
