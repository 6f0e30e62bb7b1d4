#include "client-test/ledger_book.h"
#include "common/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Alice and bob in one conversation, of which alice wrote 1 to 4. */
enum { ALICE, BOB, CAROL, PEOPLE, DEVICES = 2, ROOM = 17, WRITTEN = 4 };

static const struct ledger_place alice = {ALICE, 0}, alice_too = {ALICE, 1},
				 bob = {BOB, 0}, bob_too = {BOB, 1},
				 carol = {CAROL, 0};

struct world {
	struct ledger_book *book;
	uint64_t now_us;
	struct json *frames[64]; /* the messages' texts live in them */
	unsigned frame_count;
	uint64_t seq;
};

static uint64_t tick(struct world *world)
{
	return world->now_us += 1000;
}

static struct message told(struct world *world, uint32_t number, uint64_t seq)
{
	struct buf frame CLEANUP(buf_free) = BUF(4096);
	struct json **json = &world->frames[world->frame_count++];
	struct ledger_line line = ledger_book_line(world->book, number);
	struct message message = {.conversation = ROOM, .seq = seq};
	struct span uuid;

	ledger_book_frame(world->book, number, &frame);
	assert_int_equal(message_parse(buf_span(&frame), json), ST_OK);
	assert_true(json_get_text(*json, "uuid", &uuid));
	assert_true(uuid_parse(uuid, &message.uuid));
	assert_true(json_get_text(*json, "message", &message.text));
	message.user_from = 100 + line.from.user;
	message.user_to = 100 + line.to;
	return message;
}

/* Sent, saved, heard and read by both. */
static void say(struct world *world, unsigned from, unsigned to)
{
	struct ledger_place sender = {from, 0};
	uint32_t number =
		ledger_book_write(world->book, sender, to, tick(world));
	uint64_t seq = ++world->seq;
	struct message message;

	ledger_book_sent(world->book, number, tick(world));
	message = told(world, number, seq);
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
	const struct ledger_plan plan = {
		.users = PEOPLE, .devices = DEVICES, .text_bytes = 60};
	struct world *world = mem_new(sizeof(*world));

	world->book = ledger_book_create(&plan);
	for (unsigned user = 0; user < PEOPLE; user++) {
		ledger_book_user(world->book, user, 100 + user);
		for (unsigned device = 0; device < DEVICES; device++)
			ledger_book_welcome(world->book,
			                    (struct ledger_place){user, device},
			                    tick(world));
	}
	for (unsigned i = 0; i < WRITTEN; i++)
		say(world, ALICE, BOB);
	*state = world;
	return 0;
}

static int destroy(void **state)
{
	struct world *world = *state;

	while (world->frame_count)
		json_destroy(&world->frames[--world->frame_count]);
	ledger_book_destroy(&world->book);
	mem_free(&world);
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
	ledger_book_receipt(world->book, place, ROOM, 100 + BOB, delivered,
	                    read);
}

static void tell_alice(struct world *world, uint64_t delivered, uint64_t read)
{
	tell(world, alice, delivered, read);
	tell(world, alice_too, delivered, read);
}

static void keep(struct world *world, uint64_t delivered, uint64_t read)
{
	ledger_book_reach(world->book, ROOM, 100 + BOB, delivered, read);
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

	ledger_book_reach(world->book, ROOM, 100 + ALICE, 4, 4);
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

	ledger_book_receipt(world->book, bob_too, ROOM, 100 + CAROL, 1, 1);
	ledger_book_reach(world->book, ROOM, 100 + CAROL, 1, 1);
	judge_faults(world, LEDGER_receipts, 2);
}

static void a_receipt_that_is_refused_is_a_fault(void **state)
{
	struct world *world = *state;

	ledger_book_receipt_refused(world->book, bob,
	                            SPAN("unknown_conversation"));
	judge_faults(world, LEDGER_receipts, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, destroy)

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
