#include "tests/ledger/judge/histories.h"
#include "tests/ledger/judge/ledger.h"
#include "tests/ledger/judge/messages.h"
#include "tests/ledger/judge/observations.h"
#include "tests/ledger/judge/refusals.h"
#include "tests/ledger/judge/rooms.h"
#include "tests/ledger/judge/sessions.h"
#include "tests/ledger/judge/tests/ledger_world.h"
#include "tests/ledger/judge/typing.h"
#include "tests/ledger/judge/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/*
 * One room, which alice created with bob. Carol may join, dave never does. A
 * script holds all its entries, from seq 1: the history of the server.
 */
enum { USERS = 4, ENTRIES_MAX = 16 };

static const unsigned room_users[] = {ALICE, BOB, CAROL};

static struct script_entry {
	bool message;
	uint32_t number;  /* of a message */
	const char *what; /* of a change */
	unsigned by, user;
} script[ENTRIES_MAX + 1]; /* by seq */

static struct world *create_world(bool all)
{
	const struct ledger_room_config room = {
		.name = "room",
		.all = all,
		.users = room_users,
		.count = ARRAY_LEN(room_users),
		.initial_count = 2,
	};

	memset(script, 0, sizeof(script));
	return world_create(USERS, 60, &room);
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

/* --- frames of the server ------------------------------------------------ */
static struct message change_frame(struct world *world, uint32_t seq)
{
	const struct script_entry *line = &script[seq];
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
	buf_format(&text, "%u]}}", FIRST_ID + line->user);
	return parse(world, buf_span(&text));
}

static struct message message_frame(struct world *world, uint32_t number,
                                    uint32_t seq)
{
	struct buf frame CLEANUP(buf_free) = BUF(4096);
	struct buf text CLEANUP(buf_free) = BUF(4096);
	struct ledger_message_state line = messages_get(world->ledger, number);

	messages_frame(world->ledger, number, &frame);
	buf_format(&text, "{\"id\":%u,\"seq\":%u,\"user_from\":%u,", 1000 + seq,
	           seq, FIRST_ID + line.from.user);
	buf_append(&text, SPAN("\"created_at\":\"2026-11-21T10:00:00.000Z\","));
	/* The other members are those of the frame that sent it. */
	buf_append(&text, span_make(frame.data + 1, frame.len - 1));
	return parse(world, buf_span(&text));
}

static struct message message_at(struct world *world, uint32_t seq)
{
	const struct script_entry *line = &script[seq];

	return line->message ? message_frame(world, line->number, seq)
	                     : change_frame(world, seq);
}

/* --- events -------------------------------------------------------------- */
static void receive_at(struct world *world, struct ledger_device_id device,
                       uint32_t seq)
{
	struct message message = message_at(world, seq);

	observations_received(world->ledger, device, &message, true);
}

static void receive(struct world *world, unsigned user, uint32_t seq)
{
	for (unsigned i = 0; i < DEVICES; i++)
		receive_at(world, (struct ledger_device_id){user, i}, seq);
}

static void fetch(struct world *world, unsigned user, uint32_t seq)
{
	for (unsigned i = 0; i < DEVICES; i++) {
		struct message message = message_at(world, seq);

		observations_received(world->ledger,
		                      (struct ledger_device_id){user, i},
		                      &message, false);
	}
}

static uint32_t change(struct world *world, unsigned by, const char *what,
                       unsigned user)
{
	script[++world->seq] =
		(struct script_entry){.what = what, .by = by, .user = user};
	rooms_membership_begins(world->ledger, 0, user,
	                        strcmp(what, "invited") == 0, tick(world));
	rooms_membership_changing(world->ledger, 0, user);
	if (strcmp(what, "left") != 0 && strcmp(what, "removed") != 0)
		rooms_member_joined(world->ledger, 0, user, tick(world));
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

/* Sends a message and delivers it to its sender. */
static uint32_t save(struct world *world, unsigned user)
{
	uint32_t number = write(world, user);

	script[++world->seq] =
		(struct script_entry){.message = true, .number = number};
	for (unsigned i = 0; i < DEVICES; i++)
		observations_saved(world->ledger,
		                   (struct ledger_device_id){user, i}, number,
		                   ROOM, world->seq, tick(world));
	receive_at(world, (struct ledger_device_id){user, 1}, world->seq);
	return world->seq;
}

static void create_room(struct world *world)
{
	uint32_t seq = change(world, ALICE, "created", BOB);

	rooms_created(world->ledger, 0, ROOM, tick(world));
	receive(world, ALICE, seq);
	receive(world, BOB, seq);
}

static void read_all(struct world *world, unsigned user, uint32_t from)
{
	for (uint32_t seq = from; seq <= world->seq; seq++) {
		struct message message = message_at(world, seq);

		histories_entry(world->ledger, user, &message,
		                seq == from ? 0 : seq - 1);
	}
	histories_end(world->ledger, user, ROOM, world->seq, world->seq);
}

static void judge(struct world *world)
{
	verdict_judge(world->ledger);
}

/* --- allowed ------------------------------------------------------------- */
static void a_message_at_all_members_is_clean(void **state)
{
	struct world *world = *state;

	create_room(world);
	receive(world, ALICE, save(world, BOB));
	receive(world, BOB, save(world, ALICE));
	read_all(world, ALICE, 1);
	read_all(world, BOB, 1);
	judge(world);
	assert_clean(world);
	assert_int_equal(ledger_totals(world->ledger)->stored, 2);
	assert_int_equal(ledger_totals(world->ledger)->changes, 1);
}

static void a_new_member_has_what_came_since(void **state)
{
	struct world *world = *state;
	uint32_t seq;

	create_room(world);
	receive(world, ALICE, save(world, BOB));
	seq = change(world, ALICE, "invited", CAROL);
	for (unsigned user = ALICE; user <= CAROL; user++)
		receive(world, user, seq);
	seq = save(world, BOB);
	receive(world, ALICE, seq);
	receive(world, CAROL, seq);
	read_all(world, ALICE, 1);
	read_all(world, BOB, 1);
	read_all(world, CAROL, 3);
	judge(world);
	assert_clean(world);
}

static void a_new_member_of_an_open_room_may_read_everything(void **state)
{
	struct world *world = *state;
	uint32_t seq;

	create_room(world);
	receive(world, ALICE, save(world, BOB));
	seq = change(world, CAROL, "joined", CAROL);
	for (unsigned user = ALICE; user <= CAROL; user++)
		receive(world, user, seq);
	fetch(world, CAROL, 1);
	fetch(world, CAROL, 2);
	for (unsigned user = ALICE; user <= CAROL; user++)
		read_all(world, user, 1);
	judge(world);
	assert_clean(world);
}

static void a_new_member_of_an_open_room_may_get_an_old_message(void **state)
{
	struct world *world = *state;

	create_room(world);
	receive(world, ALICE, save(world, BOB));
	(void)change(world, CAROL, "joined", CAROL);
	for (unsigned user = ALICE; user <= CAROL; user++) {
		receive(world, user, 3);
		receive(world, user, 2);
		read_all(world, user, 1);
	}
	judge(world);
	assert_clean(world);
}

static void a_user_who_left_needs_no_message(void **state)
{
	struct world *world = *state;
	uint32_t seq;

	create_room(world);
	seq = change(world, BOB, "left", BOB);
	receive(world, ALICE, seq);
	receive(world, BOB, seq);
	(void)save(world, ALICE);
	read_all(world, ALICE, 1);
	judge(world);
	assert_clean(world);
}

static void an_offline_user_who_left_needs_no_message(void **state)
{
	struct world *world = *state;
	uint32_t seq;

	create_room(world);
	for (unsigned i = 0; i < DEVICES; i++)
		sessions_disconnected(world->ledger,
		                      (struct ledger_device_id){BOB, i});
	(void)save(world, ALICE);
	seq = change(world, ALICE, "removed", BOB);
	receive(world, ALICE, seq);
	read_all(world, ALICE, 1);
	judge(world);
	assert_clean(world);
}

static void a_user_who_joins_again_sees_what_came_since(void **state)
{
	struct world *world = *state;
	uint32_t seq;

	create_room(world);
	seq = change(world, BOB, "left", BOB);
	receive(world, ALICE, seq);
	receive(world, BOB, seq);
	(void)save(world, ALICE);
	seq = change(world, ALICE, "invited", BOB);
	receive(world, ALICE, seq);
	receive(world, BOB, seq);
	read_all(world, ALICE, 1);
	read_all(world, BOB, 4);
	judge(world);
	assert_clean(world);
}

static void a_leaving_user_may_be_turned_away(void **state)
{
	struct world *world = *state;
	uint32_t number;

	create_room(world);
	number = write(world, BOB);
	rooms_membership_changing(world->ledger, 0, BOB);
	refusals_told(world->ledger, (struct ledger_device_id){BOB, 0}, number,
	              SPAN("unknown_conversation"));
	(void)change(world, ALICE, "removed", BOB);
	receive(world, ALICE, world->seq);
	read_all(world, ALICE, 1);
	judge(world);
	assert_clean(world);
	assert_int_equal(ledger_totals(world->ledger)->turned_away, 1);
}

static void
an_accepted_message_of_a_leaving_user_may_be_turned_away(void **state)
{
	struct world *world = *state;
	uint32_t number;

	create_room(world);
	number = write(world, BOB);
	observations_accepted(world->ledger, (struct ledger_device_id){BOB, 0},
	                      number, tick(world));
	rooms_membership_changing(world->ledger, 0, BOB);
	(void)change(world, ALICE, "removed", BOB);
	receive(world, ALICE, world->seq);
	read_all(world, ALICE, 1);
	judge(world);
	assert_clean(world);
	assert_int_equal(ledger_totals(world->ledger)->turned_away, 1);
}

/* --- faults -------------------------------------------------------------- */
static void a_message_that_a_member_misses_live_is_unheard(void **state)
{
	struct world *world = *state;

	create_room(world);
	(void)save(world, ALICE);
	fetch(world, BOB, 2);
	read_all(world, ALICE, 1);
	read_all(world, BOB, 1);
	judge(world);
	assert_faults(world, FAULT_unheard, 1);
}

/* A message that is late need not reach a user who left meanwhile. */
static void a_user_who_left_later_may_have_missed_it(void **state)
{
	struct world *world = *state;

	create_room(world);
	(void)save(world, ALICE);
	(void)change(world, ALICE, "removed", BOB);
	receive(world, ALICE, world->seq);
	receive(world, BOB, world->seq);
	read_all(world, ALICE, 1);
	judge(world);
	assert_faults(world, FAULT_unheard, 0);
}

static void a_message_at_no_device_of_a_member_is_undelivered(void **state)
{
	struct world *world = *state;

	create_room(world);
	sessions_disconnected(world->ledger, (struct ledger_device_id){BOB, 1});
	receive_at(world, (struct ledger_device_id){BOB, 0},
	           save(world, ALICE));
	read_all(world, ALICE, 1);
	read_all(world, BOB, 1);
	judge(world);
	assert_faults(world, FAULT_undelivered, 1);
}

static void a_change_that_a_device_never_got_is_undelivered(void **state)
{
	struct world *world = *state;

	create_room(world);
	(void)change(world, ALICE, "invited", CAROL);
	receive(world, ALICE, 2);
	receive(world, CAROL, 2);
	receive_at(world, (struct ledger_device_id){BOB, 0}, 2);
	for (unsigned user = ALICE; user <= BOB; user++)
		read_all(world, user, 1);
	read_all(world, CAROL, 2);
	judge(world);
	assert_faults(world, FAULT_undelivered, 1);
}

/* A device that got the end of its membership got something later. */
static void assert_misrouted_after_end(struct world *world, uint64_t misrouted,
                                       uint64_t after_end)
{
	const struct ledger_totals *totals = ledger_totals(world->ledger);

	assert_int_equal(totals->fault[FAULT_misrouted], misrouted);
	assert_int_equal(totals->fault[FAULT_after_end], after_end);
}

static void a_message_at_a_former_member_is_misrouted(void **state)
{
	struct world *world = *state;

	create_room(world);
	(void)change(world, BOB, "left", BOB);
	receive(world, ALICE, 2);
	receive(world, BOB, 2);
	receive(world, BOB, save(world, ALICE));
	read_all(world, ALICE, 1);
	judge(world);
	assert_misrouted_after_end(world, 1, 2);
}

static void typing_after_the_end_is_a_fault_until_the_next_join(void **state)
{
	struct world *world = *state;
	const struct ledger_totals *totals = ledger_totals(world->ledger);
	struct ledger_device_id bobs = {BOB, 0};

	create_room(world);
	(void)change(world, BOB, "left", BOB);
	receive(world, BOB, 2);
	(void)write(world, ALICE); /* the typing follows the end */
	typing_sent(world->ledger, (struct ledger_device_id){ALICE, 0}, ROOM);
	typing_received(world->ledger, bobs, ROOM, FIRST_ID + ALICE);
	assert_int_equal(totals->fault[FAULT_typing], 1);
	(void)change(world, ALICE, "invited", BOB);
	typing_received(world->ledger, bobs, ROOM, FIRST_ID + ALICE);
	assert_int_equal(totals->fault[FAULT_typing], 1);
}

static void a_message_before_the_join_is_misrouted(void **state)
{
	struct world *world = *state;

	create_room(world);
	(void)save(world, ALICE);
	receive(world, BOB, 2);
	(void)change(world, ALICE, "invited", CAROL);
	for (unsigned user = ALICE; user <= CAROL; user++)
		receive(world, user, 3);
	fetch(world, CAROL, 2);
	for (unsigned user = ALICE; user <= BOB; user++)
		read_all(world, user, 1);
	read_all(world, CAROL, 3);
	judge(world);
	assert_faults(world, FAULT_misrouted, 1);
}

static void a_change_at_a_former_member_is_misrouted(void **state)
{
	struct world *world = *state;

	create_room(world);
	(void)change(world, BOB, "left", BOB);
	receive(world, ALICE, 2);
	receive(world, BOB, 2);
	(void)change(world, ALICE, "renamed", ALICE);
	receive(world, ALICE, 3);
	receive_at(world, (struct ledger_device_id){BOB, 0}, 3);
	read_all(world, ALICE, 1);
	judge(world);
	assert_misrouted_after_end(world, 1, 1);
}

static void a_message_at_a_non_member_is_misrouted(void **state)
{
	struct world *world = *state;

	create_room(world);
	receive(world, BOB, save(world, ALICE));
	receive_at(world, (struct ledger_device_id){DAVE, 0}, 2);
	assert_faults(world, FAULT_misrouted, 1);
	receive_at(world, (struct ledger_device_id){DAVE, 0}, 1);
	assert_faults(world, FAULT_misrouted, 2);
}

static void a_message_in_another_conversation_is_misrouted(void **state)
{
	struct world *world = *state;

	create_room(world);
	observations_saved(world->ledger, (struct ledger_device_id){ALICE, 0},
	                   write(world, ALICE), ROOM + 1, 1, tick(world));
	assert_faults(world, FAULT_misrouted, 1);
}

static void a_message_of_a_non_member_is_misrouted(void **state)
{
	struct world *world = *state;

	create_room(world);
	(void)change(world, BOB, "left", BOB);
	receive(world, ALICE, 2);
	receive(world, BOB, 2);
	receive(world, ALICE, save(world, BOB));
	read_all(world, ALICE, 1);
	judge(world);
	/* The other socket of the sender got it, too. */
	assert_misrouted_after_end(world, 2, 1);
}

static void a_history_that_begins_too_early_is_a_fault(void **state)
{
	struct world *world = *state;

	create_room(world);
	receive(world, BOB, save(world, ALICE));
	(void)change(world, ALICE, "invited", CAROL);
	for (unsigned user = ALICE; user <= CAROL; user++)
		receive(world, user, 3);
	for (unsigned user = ALICE; user <= BOB; user++)
		read_all(world, user, 1);
	read_all(world, CAROL, 2);
	judge(world);
	assert_int_equal(ledger_totals(world->ledger)->fault[FAULT_gaps], 1);
	assert_int_equal(ledger_totals(world->ledger)->fault[FAULT_misrouted],
	                 1);
}

static void a_room_that_a_member_cannot_read_is_a_gap(void **state)
{
	struct world *world = *state;

	create_room(world);
	read_all(world, ALICE, 1);
	judge(world);
	assert_int_equal(ledger_totals(world->ledger)->fault[FAULT_gaps], 1);
}

static void a_room_that_a_former_member_reads_is_misrouted(void **state)
{
	struct world *world = *state;

	create_room(world);
	(void)change(world, BOB, "left", BOB);
	receive(world, ALICE, 2);
	receive(world, BOB, 2);
	read_all(world, ALICE, 1);
	histories_read_by_non_member(world->ledger, BOB, ROOM);
	judge(world);
	assert_faults(world, FAULT_misrouted, 1);
}

static void a_message_missing_in_one_history_is_a_split(void **state)
{
	struct world *world = *state;

	create_room(world);
	receive(world, BOB, save(world, ALICE));
	read_all(world, ALICE, 1);
	world->seq--;
	read_all(world, BOB, 1);
	judge(world);
	assert_int_equal(ledger_totals(world->ledger)->fault[FAULT_split], 1);
}

static void an_accepted_message_of_a_member_must_be_stored(void **state)
{
	struct world *world = *state;
	uint32_t number;

	create_room(world);
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

	create_room(world);
	refusals_told(world->ledger, (struct ledger_device_id){BOB, 0},
	              write(world, BOB), SPAN("unknown_conversation"));
	assert_faults(world, FAULT_refused, 1);
}

static void one_seq_for_a_change_and_a_message_is_a_duplicate(void **state)
{
	struct world *world = *state;

	create_room(world);
	observations_saved(world->ledger, (struct ledger_device_id){ALICE, 0},
	                   write(world, ALICE), ROOM, 1, tick(world));
	assert_faults(world, FAULT_duplicates, 1);
}

static void two_changes_of_one_seq_are_a_split(void **state)
{
	struct world *world = *state;

	create_room(world);
	(void)change(world, ALICE, "invited", CAROL);
	receive(world, ALICE, 2);
	script[2].what = "removed";
	receive_at(world, (struct ledger_device_id){BOB, 0}, 2);
	assert_faults(world, FAULT_split, 1);
}

static void a_member_who_joins_again_is_a_split(void **state)
{
	struct world *world = *state;

	create_room(world);
	(void)change(world, ALICE, "invited", BOB);
	receive(world, ALICE, 2);
	receive(world, BOB, 2);
	read_all(world, ALICE, 1);
	read_all(world, BOB, 1);
	judge(world);
	assert_faults(world, FAULT_split, 1);
}

/* Entries 2 and 4 are messages, 3 and 5 are changes. */
static void write_both_kinds(struct world *world)
{
	(void)save(world, ALICE);
	(void)change(world, ALICE, "invited", CAROL);
	(void)save(world, ALICE);
	(void)change(world, ALICE, "removed", CAROL);
}

static void entries_of_both_kinds_arrive_in_the_order_of_seq(void **state)
{
	static const struct {
		const char *what;
		unsigned seqs[4];
		unsigned misordered;
	} rows[] = {
		{"in order", {2, 3, 4, 5}, 0},
		{"a message overtakes a message", {4, 2, 3, 5}, 2},
		{"a change overtakes a message", {3, 2, 4, 5}, 1},
		{"a message overtakes a change", {2, 4, 3, 5}, 1},
		{"a change overtakes a change", {2, 5, 3, 4}, 2},
		{"again", {2, 3, 2, 3}, 0},
		{"work is repeated after a death", {3, 2, 2, 4}, 0},
		{"which excuses no message", {4, 2, 2, 3}, 1},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *world = create_world(false);
		void *given = world;
		const struct ledger_totals *totals =
			ledger_totals(world->ledger);

		create_room(world);
		write_both_kinds(world);
		for (unsigned k = 0; k < ARRAY_LEN(rows[i].seqs); k++)
			receive_at(world, (struct ledger_device_id){BOB, 0},
			           rows[i].seqs[k]);
		judge(world);
		if (totals->fault[FAULT_misordered] != rows[i].misordered)
			fail_msg("%s: %u", rows[i].what,
			         (unsigned)totals->fault[FAULT_misordered]);
		(void)world_destroy(&given);
	}
}

static void what_was_made_before_the_welcome_may_arrive_late(void **state)
{
	struct world *world = *state;
	struct ledger_device_id device = {BOB, 0};

	create_room(world);
	write_both_kinds(world);
	sessions_disconnected(world->ledger, device);
	sessions_welcome(world->ledger, device, tick(world));
	receive_at(world, device, save(world, ALICE));
	receive_at(world, device, 3);
	receive_at(world, device, 2);
	assert_int_equal(ledger_totals(world->ledger)->overtaken, 0);
	assert_faults(world, FAULT_misordered, 0);
}

static void a_new_member_may_get_older_messages_late(void **state)
{
	struct world *world = *state;

	create_room(world);
	(void)save(world, ALICE);
	(void)change(world, ALICE, "invited", CAROL);
	(void)save(world, ALICE);
	receive_at(world, (struct ledger_device_id){CAROL, 0}, 4);
	receive_at(world, (struct ledger_device_id){CAROL, 0}, 2);
	assert_faults(world, FAULT_misordered, 0);
}

static void a_user_who_joined_again_gets_messages_in_order(void **state)
{
	struct world *world = *state;

	create_room(world);
	(void)change(world, BOB, "left", BOB);
	(void)change(world, ALICE, "invited", BOB);
	(void)save(world, ALICE);
	(void)save(world, ALICE);
	receive_at(world, (struct ledger_device_id){BOB, 0}, 5);
	receive_at(world, (struct ledger_device_id){BOB, 0}, 4);
	assert_faults(world, FAULT_misordered, 1);
}

/*
 * The call that removes Bob got no answer, and was made again; then he is
 * invited. A process that was stopped may still carry the first call out.
 */
static void a_call_that_is_carried_out_late_makes_no_fault(void **state)
{
	struct world *world = *state;
	uint32_t number;

	create_room(world);
	rooms_membership_doubtful(world->ledger, 0, BOB);
	(void)change(world, ALICE, "removed", BOB);
	(void)change(world, ALICE, "invited", BOB);
	(void)save(world, ALICE);
	(void)save(world, ALICE);
	receive_at(world, (struct ledger_device_id){BOB, 0}, 5);
	receive_at(world, (struct ledger_device_id){BOB, 0}, 4);
	assert_faults(world, FAULT_misordered, 0);
	number = write(world, BOB);
	refusals_told(world->ledger, (struct ledger_device_id){BOB, 0}, number,
	              SPAN("unknown_conversation"));
	assert_faults(world, FAULT_refused, 0);
}

static void a_history_that_lacks_a_seq_has_a_gap(void **state)
{
	struct world *world = *state;
	struct message message;

	create_room(world);
	receive(world, BOB, save(world, ALICE));
	receive(world, BOB, save(world, ALICE));
	message = message_at(world, 1);
	histories_entry(world->ledger, BOB, &message, 0);
	message = message_at(world, 3);
	histories_entry(world->ledger, BOB, &message, 1);
	assert_faults(world, FAULT_gaps, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, world_destroy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_message_at_all_members_is_clean),
		TEST(a_new_member_has_what_came_since),
		cmocka_unit_test_setup_teardown(
			a_new_member_of_an_open_room_may_read_everything,
			create_open, world_destroy),
		cmocka_unit_test_setup_teardown(
			a_new_member_of_an_open_room_may_get_an_old_message,
			create_open, world_destroy),
		TEST(a_user_who_left_needs_no_message),
		TEST(an_offline_user_who_left_needs_no_message),
		TEST(a_user_who_joins_again_sees_what_came_since),
		TEST(a_leaving_user_may_be_turned_away),
		TEST(an_accepted_message_of_a_leaving_user_may_be_turned_away),
		TEST(a_message_that_a_member_misses_live_is_unheard),
		TEST(a_user_who_left_later_may_have_missed_it),
		TEST(a_message_at_no_device_of_a_member_is_undelivered),
		TEST(a_change_that_a_device_never_got_is_undelivered),
		TEST(a_message_at_a_former_member_is_misrouted),
		TEST(typing_after_the_end_is_a_fault_until_the_next_join),
		TEST(a_message_before_the_join_is_misrouted),
		TEST(a_change_at_a_former_member_is_misrouted),
		TEST(a_message_at_a_non_member_is_misrouted),
		TEST(a_message_in_another_conversation_is_misrouted),
		TEST(a_message_of_a_non_member_is_misrouted),
		TEST(a_history_that_begins_too_early_is_a_fault),
		TEST(a_room_that_a_member_cannot_read_is_a_gap),
		TEST(a_room_that_a_former_member_reads_is_misrouted),
		TEST(a_message_missing_in_one_history_is_a_split),
		TEST(an_accepted_message_of_a_member_must_be_stored),
		TEST(a_member_who_is_turned_away_is_refused),
		TEST(one_seq_for_a_change_and_a_message_is_a_duplicate),
		TEST(two_changes_of_one_seq_are_a_split),
		TEST(a_member_who_joins_again_is_a_split),
		TEST(entries_of_both_kinds_arrive_in_the_order_of_seq),
		TEST(what_was_made_before_the_welcome_may_arrive_late),
		TEST(a_new_member_may_get_older_messages_late),
		TEST(a_user_who_joined_again_gets_messages_in_order),
		TEST(a_call_that_is_carried_out_late_makes_no_fault),
		TEST(a_history_that_lacks_a_seq_has_a_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
