#include "client-test/client/inbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { ROOM = 17, OTHER = 18, ALL = 1000 };

static int create(void **state)
{
	*state = inbox_create();
	return 0;
}

static int destroy(void **state)
{
	inbox_destroy((struct inbox **)state);
	return 0;
}

static void assert_misses_after(struct inbox *inbox, uint64_t expected)
{
	uint64_t conversation, after;

	assert_true(inbox_fetch(inbox, &conversation, &after));
	assert_int_equal(conversation, ROOM);
	assert_int_equal(after, expected);
}

static void assert_misses_nothing(struct inbox *inbox)
{
	uint64_t conversation, after;

	assert_false(inbox_fetch(inbox, &conversation, &after));
}

static void messages_in_order_are_next(void **state)
{
	for (uint64_t seq = 1; seq <= 5; seq++)
		assert_int_equal(inbox_take(*state, ROOM, seq), INBOX_NEXT);
	assert_misses_nothing(*state);
}

static void a_message_that_arrives_twice_is_shown_once(void **state)
{
	assert_int_equal(inbox_take(*state, ROOM, 1), INBOX_NEXT);
	assert_int_equal(inbox_take(*state, ROOM, 1), INBOX_SEEN);
	assert_int_equal(inbox_take(*state, ROOM, 2), INBOX_NEXT);
	assert_int_equal(inbox_take(*state, ROOM, 1), INBOX_SEEN);
}

static void conversations_do_not_touch_each_other(void **state)
{
	assert_int_equal(inbox_take(*state, ROOM, 1), INBOX_NEXT);
	assert_int_equal(inbox_take(*state, OTHER, 1), INBOX_NEXT);
	assert_int_equal(inbox_take(*state, OTHER, 2), INBOX_NEXT);
	assert_int_equal(inbox_take(*state, ROOM, 2), INBOX_NEXT);
}

static void a_gap_is_fetched_from_the_last_one_shown(void **state)
{
	assert_int_equal(inbox_take(*state, ROOM, 1), INBOX_NEXT);
	assert_int_equal(inbox_take(*state, ROOM, 4), INBOX_GAP);
	assert_misses_after(*state, 1);
	for (uint64_t seq = 2; seq <= 4; seq++)
		assert_int_equal(inbox_take(*state, ROOM, seq), INBOX_NEXT);
	inbox_fetched(*state, ROOM);
	assert_misses_nothing(*state);
}

static void one_conversation_is_fetched_once_at_a_time(void **state)
{
	assert_int_equal(inbox_take(*state, ROOM, 9), INBOX_GAP);
	assert_misses_after(*state, 0);
	assert_misses_nothing(*state);
}

static void entries_still_missing_are_fetched_again(void **state)
{
	assert_int_equal(inbox_take(*state, ROOM, 3), INBOX_GAP);
	assert_misses_after(*state, 0);
	assert_int_equal(inbox_take(*state, ROOM, 1), INBOX_NEXT);
	inbox_fetched(*state, ROOM);
	assert_misses_after(*state, 1);
}

static void a_failed_fetch_is_repeated(void **state)
{
	assert_int_equal(inbox_take(*state, ROOM, 2), INBOX_GAP);
	assert_misses_after(*state, 0);
	inbox_fetched(*state, ROOM);
	assert_misses_after(*state, 0);
}

static void a_list_reveals_missing_entries(void **state)
{
	assert_int_equal(inbox_take(*state, ROOM, 1), INBOX_NEXT);
	inbox_listed(*state, ROOM, 4, ALL);
	assert_misses_after(*state, 1);
}

static void an_outdated_list_changes_nothing(void **state)
{
	assert_int_equal(inbox_take(*state, ROOM, 1), INBOX_NEXT);
	assert_int_equal(inbox_take(*state, ROOM, 2), INBOX_NEXT);
	inbox_listed(*state, ROOM, 1, 0);
	assert_misses_nothing(*state);
	assert_int_equal(inbox_take(*state, ROOM, 3), INBOX_NEXT);
}

static void an_old_conversation_begins_with_its_last_messages(void **state)
{
	inbox_listed(*state, ROOM, 100, 20);
	assert_misses_after(*state, 80);
}

static void without_history_only_new_entries_are_missing(void **state)
{
	inbox_listed(*state, ROOM, 100, 0);
	assert_misses_nothing(*state);
	assert_int_equal(inbox_take(*state, ROOM, 101), INBOX_NEXT);
}

/* The server stores an entry before it sends it, so the list includes it. */
static void a_frame_before_the_list_does_not_bring_all_history(void **state)
{
	assert_int_equal(inbox_take(*state, ROOM, 101), INBOX_GAP);
	inbox_listed(*state, ROOM, 101, 20);
	assert_misses_after(*state, 81);
}

static void a_membership_change_takes_its_seq_like_a_message(void **state)
{
	assert_int_equal(inbox_take(*state, ROOM, 1), INBOX_NEXT); /* created */
	assert_int_equal(inbox_take(*state, ROOM, 2), INBOX_NEXT);
	assert_misses_nothing(*state);
	assert_int_equal(inbox_take(*state, ROOM, 3), INBOX_NEXT);
}

static void a_new_member_begins_where_the_page_does(void **state)
{
	assert_int_equal(inbox_take(*state, ROOM, 43), INBOX_GAP);
	assert_misses_after(*state, 0);
	assert_int_equal(inbox_take_page(*state, ROOM, 43), INBOX_NEXT);
	assert_int_equal(inbox_take_page(*state, ROOM, 43), INBOX_SEEN);
	inbox_fetched(*state, ROOM);
	assert_misses_nothing(*state);
	assert_int_equal(inbox_take(*state, ROOM, 44), INBOX_NEXT);
}

static void a_lost_conversation_misses_nothing(void **state)
{
	assert_int_equal(inbox_take(*state, ROOM, 1), INBOX_NEXT);
	assert_int_equal(inbox_take(*state, ROOM, 3), INBOX_GAP);
	assert_misses_after(*state, 1);
	inbox_gone(*state, ROOM);
	assert_misses_nothing(*state);
}

static void an_entry_after_the_loss_of_access_is_missing(void **state)
{
	assert_int_equal(inbox_take(*state, ROOM, 1), INBOX_NEXT);
	assert_int_equal(inbox_take(*state, ROOM, 3), INBOX_GAP);
	assert_misses_after(*state, 1);
	/* The user is removed, and invited again before the answer arrives. */
	assert_int_equal(inbox_take(*state, ROOM, 9), INBOX_GAP);
	inbox_gone(*state, ROOM);
	assert_misses_after(*state, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, create, destroy)
	const struct CMUnitTest tests[] = {
		TEST(messages_in_order_are_next),
		TEST(a_message_that_arrives_twice_is_shown_once),
		TEST(conversations_do_not_touch_each_other),
		TEST(a_gap_is_fetched_from_the_last_one_shown),
		TEST(one_conversation_is_fetched_once_at_a_time),
		TEST(entries_still_missing_are_fetched_again),
		TEST(a_failed_fetch_is_repeated),
		TEST(a_list_reveals_missing_entries),
		TEST(an_outdated_list_changes_nothing),
		TEST(an_old_conversation_begins_with_its_last_messages),
		TEST(without_history_only_new_entries_are_missing),
		TEST(a_frame_before_the_list_does_not_bring_all_history),
		TEST(a_membership_change_takes_its_seq_like_a_message),
		TEST(a_new_member_begins_where_the_page_does),
		TEST(a_lost_conversation_misses_nothing),
		TEST(an_entry_after_the_loss_of_access_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
