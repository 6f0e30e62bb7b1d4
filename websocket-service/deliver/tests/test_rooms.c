/* Members of rooms, and when `welcome` is sent, with a fake clock. */
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/scope.h"
#include "common/wire/save_record.h"
#include "tests/support/fake_clock.h"
#include "websocket-service/deliver/memberships.h"
#include "websocket-service/deliver/rooms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
	PARTITIONS = 4,
	ABSENT_MAX = 3,
	ROOM = 17,
	USERS = 40,
	WELCOME_WAIT_MS = 1000,
};

static struct rooms *rooms;
static unsigned queries, welcomed, welcomed_early, blockers_known;
static uint64_t last_user, last_number;
static char last_query[SAVE_USERS_MAX * 21];

static void on_query(void *context, uint64_t number, uint64_t first,
                     struct span users)
{
	struct span left = users;
	uint64_t user;

	(void)context;
	assert_int_equal(number, last_number + 1);
	last_number = number;
	queries++;
	assert_true(event_key_next(&left, &user));
	assert_int_equal(first, user);
	assert_true(users.len < sizeof(last_query));
	memcpy(last_query, users.data, users.len);
	last_query[users.len] = '\0';
}

static void on_welcome(void *context, uint64_t user)
{
	(void)context;
	welcomed++;
	last_user = user;
}

static void on_welcomed_early(void *context, uint64_t user)
{
	(void)context;
	welcomed_early++;
	last_user = user;
}

static void on_blockers_known(void *context, uint64_t user)
{
	(void)context;
	(void)user;
	blockers_known++;
}

static int start(void **state)
{
	(void)state;
	clock_ms = 5000000;
	queries = welcomed = welcomed_early = blockers_known = 0;
	last_number = 0;
	last_query[0] = '\0';
	rooms = rooms_create(&(struct rooms_options){
		.partitions = PARTITIONS,
		.absent_max = ABSENT_MAX,
		.welcome_wait_ms = WELCOME_WAIT_MS,
		.query = on_query,
		.welcome = on_welcome,
		.welcomed_early = on_welcomed_early,
		.blockers_known = on_blockers_known,
	});
	return 0;
}

static int stop(void **state)
{
	(void)state;
	rooms_destroy(&rooms);
	return rooms != NULL;
}

static void time_passes(uint64_t ms)
{
	clock_ms += ms;
	rooms_tick(rooms);
}

static uint32_t partition_of(uint64_t user)
{
	return event_partition(user, PARTITIONS);
}

static void answer_to(uint64_t number, uint64_t user, const char *known)
{
	char text[64];

	snprintf(text, sizeof(text), "%llu=%s", (unsigned long long)user,
	         known);
	rooms_answered(rooms, number, span_of(text));
}

static void answer(uint64_t user, const char *known)
{
	answer_to(last_number, user, known);
}

/* A record in the partition of `user`. */
static void change(uint64_t user, const char *text)
{
	struct event_room parsed;

	assert_true(event_room_parse(span_of(text), &parsed));
	rooms_changed(rooms, partition_of(user), &parsed);
}

static bool is_in(uint64_t user, uint64_t room);
static uint64_t looked_for;
static bool found;

static void on_member(void *context, uint64_t user)
{
	(void)context;
	found |= user == looked_for;
}

static bool is_in(uint64_t user, uint64_t room)
{
	looked_for = user;
	found = false;
	rooms_each_member(rooms, room, partition_of(user), UINT64_MAX,
	                  on_member, NULL);
	return found;
}

/* In a turn of its own. */
static bool connects(uint64_t user)
{
	bool known = rooms_user_connected(rooms, user);

	rooms_flush(rooms);
	return known;
}

static void knows(uint64_t user, const char *list)
{
	assert_false(connects(user));
	answer(user, list);
	time_passes(0);
}

/* --- welcome ------------------------------------------------------------- */
static void welcome_waits_for_the_answer(void **state)
{
	(void)state;
	assert_false(connects(7));
	assert_int_equal(queries, 1);
	time_passes(WELCOME_WAIT_MS - 1);
	assert_int_equal(welcomed, 0);
	assert_int_equal(rooms_pending_users(rooms), 1);
	answer(7, "17:43");
	assert_int_equal(welcomed, 1);
	assert_int_equal(last_user, 7);
	assert_true(is_in(7, ROOM));
	time_passes(WELCOME_WAIT_MS);
	assert_int_equal(welcomed, 1);
	assert_int_equal(rooms_pending_users(rooms), 0);
	assert_true(connects(7));
	assert_int_equal(queries, 1);
}

static void welcome_is_sent_after_a_second_without_an_answer(void **state)
{
	(void)state;
	assert_false(connects(7));
	time_passes(WELCOME_WAIT_MS);
	assert_int_equal(welcomed, 1);
	answer(7, "");
	assert_int_equal(welcomed_early, 0);
}

static void a_late_answer_with_rooms_reports_an_early_welcome(void **s)
{
	(void)s;
	assert_false(connects(7));
	time_passes(WELCOME_WAIT_MS);
	answer(7, "17:43");
	assert_int_equal(welcomed_early, 1);
	assert_int_equal(welcomed,
	                 2); /* for the user who connected after the second */
	answer(7, "17:44,19:1");
	assert_int_equal(welcomed_early, 1);
	assert_false(is_in(7, 19));
}

/* Otherwise it would get the later entries of a room without the earlier. */
static void before_the_answer_a_user_receives_no_room_messages(void **state)
{
	(void)state;
	assert_false(connects(7));
	time_passes(WELCOME_WAIT_MS);
	change(7, "17:44:+7");
	change(7, "18:2:+7");
	change(7, "18:3:-7");
	assert_false(is_in(7, ROOM));
	assert_int_equal(rooms_count(rooms), 0);
	answer(7, "");
	assert_int_equal(welcomed_early, 1);
	assert_true(is_in(7, ROOM));
	assert_false(is_in(7, 18));
	rooms_user_disconnected(rooms, 7);
	assert_int_equal(rooms_count(rooms), 0);
}

static void each_socket_waits_at_most_a_second(void **state)
{
	(void)state;
	assert_false(connects(7));
	time_passes(WELCOME_WAIT_MS - 1);
	assert_false(connects(7));
	time_passes(1);
	assert_int_equal(welcomed, 1);
	assert_false(connects(7));
	time_passes(WELCOME_WAIT_MS);
	assert_int_equal(welcomed, 2);
}

static void
without_an_answer_the_query_is_repeated_less_and_less_often(void **state)
{
	(void)state;
	assert_false(connects(7));
	for (unsigned i = 0; i < 60; i++)
		time_passes(1000);
	assert_in_range(queries, 3, 30);
	queries = 0;
	for (unsigned i = 0; i < 600; i++)
		time_passes(1000);
	assert_in_range(queries, 9, 120);
	rooms_user_disconnected(rooms, 7);
	queries = 0;
	for (unsigned i = 0; i < 200; i++)
		time_passes(1000);
	assert_int_equal(queries, 0);
	assert_int_equal(rooms_pending_users(rooms), 0);
}

static void an_answer_for_an_unknown_user_is_ignored(void **state)
{
	(void)state;
	answer(7, "17:43");
	change(7, "17:44:+7");
	assert_int_equal(welcomed + welcomed_early, 0);
	assert_false(is_in(7, ROOM));
	assert_int_equal(rooms_count(rooms), 0);
}

static void an_answer_from_before_the_reconnect_is_ignored(void **state)
{
	(void)state;
	assert_false(connects(7));
	rooms_user_disconnected(rooms, 7);
	assert_false(rooms_user_connected(
		rooms, 7)); /* may have joined a room meanwhile */
	answer_to(1, 7, "");
	assert_int_equal(rooms_pending_users(rooms), 1);
	rooms_flush(rooms);
	assert_int_equal(last_number, 2);
	answer_to(1, 7, "");
	assert_int_equal(welcomed, 0);
	rooms_invalidate_all(rooms);
	answer_to(2, 7, "");
	assert_int_equal(welcomed, 0);
	rooms_flush(rooms);
	answer_to(3, 7, "17:43");
	assert_int_equal(welcomed, 1);
	assert_true(is_in(7, ROOM));
}

static void one_answer_can_be_about_many_users(void **state)
{
	(void)state;
	for (uint64_t user = 7; user < 10; user++)
		(void)rooms_user_connected(rooms, user);
	rooms_flush(rooms);
	rooms_answered(rooms, 1, SPAN("7=17:43/8=;5/99=17:43/9=18:2;6,7"));
	assert_int_equal(welcomed, 3);
	assert_true(is_in(7, 17));
	assert_true(rooms_blocked(rooms, 8, 5));
	assert_true(is_in(9, 18));
	assert_true(rooms_blocked(rooms, 9, 7));
	assert_int_equal(rooms_pending_users(rooms), 0);
}

/* A process that was stopped says an old join again, to any gateway. */
static void a_late_join_is_not_believed(void **state)
{
	(void)state;
	/* This gateway started after the user had left: the answer says so. */
	(void)rooms_user_connected(rooms, 7);
	rooms_flush(rooms);
	rooms_answered(rooms, 1, SPAN("7=19:3/-7=17:40"));
	assert_true(is_in(7, 19));
	change(7, "17:30:+7");
	change(7, "17:40:+7");
	assert_false(is_in(7, ROOM));
	change(7, "17:41:+7"); /* a new one */
	assert_true(is_in(7, ROOM));
	change(7, "17:42:-7");
	/* However late. */
	clock_ms += UINT64_C(1000) * 3600 * 24 * 30;
	for (unsigned room = 1000; room < 1000 + MEMBERSHIPS_LEFT_MAX / 4;
	     room++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "%u:5:+7", room);
		change(7, text);
		(void)snprintf(text, sizeof(text), "%u:6:-7", room);
		change(7, text);
	}
	change(7, "17:41:+7");
	assert_false(is_in(7, ROOM));
	/* The late record comes before the answer. */
	(void)rooms_user_connected(rooms, 8);
	change(8, "17:30:+8");
	rooms_flush(rooms);
	rooms_answered(rooms, 2, SPAN("8=/-8=17:40"));
	assert_false(is_in(8, ROOM));
	assert_int_equal(welcomed_early, 1); /* of user 7, in room 19 */
}

/* A user who is notified of leaving is not removed before. */
static void an_answer_removes_no_member_who_is_already_known(void **state)
{
	(void)state;
	(void)rooms_user_connected(rooms, 7);
	rooms_flush(rooms);
	rooms_answered(rooms, 1, SPAN("7=17:43"));
	rooms_answered(rooms, 1, SPAN("7=/-7=17:44"));
	assert_true(is_in(7, ROOM));
}

static void many_departures_are_bounded(void **state)
{
	(void)state;
	(void)rooms_user_connected(rooms, 7);
	rooms_flush(rooms);
	rooms_answered(rooms, 1, SPAN("7=17:1"));
	for (unsigned room = 1000; room < 1000 + 10 * MEMBERSHIPS_LEFT_MAX;
	     room++) {
		char text[32];

		clock_ms += room % 7 * 100;
		(void)snprintf(text, sizeof(text), "%u:5:+7", room);
		change(7, text);
		(void)snprintf(text, sizeof(text), "%u:6:-7", room);
		change(7, text);
		(void)snprintf(text, sizeof(text), "%u:5:+7", room);
		change(7, text);
		assert_false(is_in(7, room));
	}
	assert_true(is_in(7, ROOM));
}

static void assert_blockers(uint64_t user, const char *list)
{
	struct span left = span_of(list);
	uint64_t by, next = 0;

	for (by = 0; by <= 10; by++) {
		if (by > next)
			(void)event_key_next(&left, &next);
		assert_int_equal(rooms_blocked(rooms, user, by),
		                 by && by == next);
	}
}

/* A record about a block may be late, so it is looked up each time. */
static void the_users_who_block_are_those_of_the_latest_answer(void **state)
{
	(void)state;
	knows(7, ";2,3,5,8");
	assert_int_equal(blockers_known, 1);
	assert_blockers(7, "2,3,5,8");
	rooms_blockers_changed(rooms, 7);
	assert_blockers(7, "2,3,5,8");
	rooms_flush(rooms);
	assert_int_equal(last_number, 2);
	assert_string_equal(last_query, "7");
	answer_to(1, 7, ";9"); /* said before the record */
	assert_blockers(7, "2,3,5,8");
	answer_to(2, 7, ";3,9");
	assert_blockers(7, "3,9");
	assert_int_equal(blockers_known, 2);
	answer_to(2, 7, ";1");
	assert_blockers(7, "3,9");
	assert_int_equal(rooms_pending_users(rooms), 0);
	rooms_blockers_changed(rooms, 99); /* nobody here */
	rooms_flush(rooms);
	assert_int_equal(last_number, 2);
}

/* The user keeps its rooms, and gets their messages, meanwhile. */
static void a_look_at_the_blockers_leaves_the_rooms_alone(void **state)
{
	(void)state;
	knows(7, "17:43;3");
	rooms_blockers_changed(rooms, 7);
	rooms_flush(rooms);
	assert_true(is_in(7, ROOM));
	change(7, "17:44:-7");
	change(7, "18:5:+7");
	rooms_answered(rooms, 2, SPAN("7=17:43;/-7=18:9"));
	assert_false(is_in(7, ROOM));
	assert_true(is_in(7, 18));
	assert_int_equal(welcomed, 1);
	assert_blockers(7, "");
}

static void a_record_before_the_first_answer_is_looked_up_too(void **state)
{
	(void)state;
	assert_false(connects(7));
	rooms_blockers_changed(rooms, 7);
	rooms_flush(rooms);
	time_passes(0);
	assert_int_equal(last_number, 2);
	/* Their answers come in any order. */
	answer_to(2, 7, ";4");
	assert_blockers(7, "4");
	answer_to(1, 7, ";5");
	assert_blockers(7, "4");
	assert_int_equal(rooms_pending_users(rooms), 0);
}

static void a_lost_answer_about_blockers_is_asked_for_again(void **state)
{
	(void)state;
	knows(7, "");
	rooms_blockers_changed(rooms, 7);
	rooms_flush(rooms);
	for (unsigned i = 0; i < 2 * ROOM_QUERIES_RETRY_S + 2; i++)
		time_passes(1000);
	assert_true(last_number > 2);
	answer(7, ";3");
	assert_blockers(7, "3");
	assert_int_equal(rooms_pending_users(rooms), 0);
}

/* What a record changes is asked for when the user comes back. */
static void a_record_about_an_absent_user_evicts_the_user(void **state)
{
	(void)state;
	knows(7, ";3");
	rooms_user_disconnected(rooms, 7);
	rooms_blockers_changed(rooms, 7);
	assert_false(rooms_blocked(rooms, 7, 3));
	knows(7, "");
	rooms_blockers_changed(rooms, 7);
	rooms_user_disconnected(rooms, 7); /* before the answer */
	assert_int_equal(rooms_pending_users(rooms), 0);
	knows(7, ";4");
	assert_blockers(7, "4");
}

/* Each answer about such a user is long. */
static void a_user_whom_many_block_is_looked_up_once_a_second(void **state)
{
	struct buf list CLEANUP(buf_free) = BUF(64 * 1024);
	unsigned before;

	(void)state;
	buf_append(&list, SPAN("7=;1"));
	for (unsigned by = 2; by <= ROOMS_BLOCKERS_MANY + 1; by++) {
		buf_byte(&list, ',');
		buf_number(&list, by);
	}
	assert_false(connects(7));
	rooms_answered(rooms, last_number, buf_span(&list));
	before = queries;
	for (unsigned i = 0; i < 100; i++) {
		rooms_blockers_changed(rooms, 7);
		rooms_flush(rooms);
		time_passes(50);
		if (queries > before + 5)
			break;
		rooms_answered(rooms, last_number, buf_span(&list));
	}
	assert_in_range(queries - before, 2, 5);
	assert_true(rooms_blocked(rooms, 7, ROOMS_BLOCKERS_MANY + 1));
}

/* As many as an answer can name. */
static void a_crowd_may_block_one_user(void **state)
{
	enum { CROWD = 65000 };
	struct buf answer CLEANUP(buf_free) = BUF(768 * 1024);

	(void)state;
	(void)rooms_user_connected(rooms, 7);
	rooms_flush(rooms);
	buf_append(&answer, SPAN("7=;1000000"));
	for (uint64_t by = 1; by < CROWD; by++) {
		buf_byte(&answer, ',');
		buf_number(&answer, 1000000 + by);
	}
	assert_false(buf_overflowed(&answer));
	rooms_answered(rooms, 1, buf_span(&answer));
	for (uint64_t by = 0; by < CROWD; by++)
		assert_true(rooms_blocked(rooms, 7, 1000000 + by));
	assert_false(rooms_blocked(rooms, 7, 1000000 + CROWD));
}

static void the_blockers_are_known_with_the_first_answer(void **state)
{
	(void)state;
	assert_true(rooms_blockers_known(rooms, 7)); /* not connected */
	(void)rooms_user_connected(rooms, 7);
	rooms_flush(rooms);
	assert_false(rooms_blockers_known(rooms, 7));
	clock_ms += WELCOME_WAIT_MS; /* `welcome` without an answer */
	rooms_tick(rooms);
	rooms_blockers_changed(rooms, 7);
	rooms_flush(rooms);
	assert_false(rooms_blockers_known(rooms, 7));
	rooms_answered(rooms, 1, SPAN("7=;5"));
	assert_true(rooms_blockers_known(rooms, 7));
	assert_true(rooms_blocked(rooms, 7, 5));
	/* They stay while they are asked for again. */
	rooms_invalidate_all(rooms);
	assert_true(rooms_blockers_known(rooms, 7));
}

/* A block holds for each, also for those that no list has room for. */
static void blockers_beyond_the_bound_still_block(void **state)
{
	static const struct {
		const char *answer;
		uint64_t blockers[4], others[4]; /* 0: no more */
	} rows[] = {
		{"7=;3,4,+", {3, 4, 5, UINT64_MAX}, {1, 2}},
		{"7=;+", {1, 2, UINT64_MAX}, {0}},
		{"7=;3,4", {3, 4}, {2, 5, UINT64_MAX}},
		{"7=", {0}, {1, UINT64_MAX}},
		{"7=17:1;5,+", {5, 6}, {3, 4}},
		{"7=;3,x", {3}, {2, 4, UINT64_MAX}},
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		(void)stop(state);
		(void)start(state);
		(void)rooms_user_connected(rooms, 7);
		rooms_flush(rooms);
		rooms_answered(rooms, 1, span_of(rows[i].answer));
		for (unsigned k = 0; k < 4 && rows[i].blockers[k]; k++)
			assert_true(
				rooms_blocked(rooms, 7, rows[i].blockers[k]));
		for (unsigned k = 0; k < 4 && rows[i].others[k]; k++)
			assert_false(
				rooms_blocked(rooms, 7, rows[i].others[k]));
	}
}

/* Each answer says anew how far its list goes. */
static void a_later_answer_moves_the_bound(void **state)
{
	(void)state;
	(void)rooms_user_connected(rooms, 7);
	rooms_flush(rooms);
	rooms_answered(rooms, 1, SPAN("7=;3,4,+"));
	assert_true(rooms_blocked(rooms, 7, 5));
	rooms_blockers_changed(rooms, 7);
	rooms_flush(rooms);
	rooms_answered(rooms, 2, SPAN("7=;3,6,+"));
	assert_false(rooms_blocked(rooms, 7, 5));
	assert_true(rooms_blocked(rooms, 7, 7));
	rooms_blockers_changed(rooms, 7);
	rooms_flush(rooms);
	rooms_answered(rooms, 3, SPAN("7=;3"));
	assert_false(rooms_blocked(rooms, 7, 7));
	assert_true(rooms_blocked(rooms, 7, 3));
}

/* --- gathering ----------------------------------------------------------- */
static void a_user_who_connects_during_a_query_is_in_the_next_one(void **state)
{
	(void)state;
	assert_false(connects(7));
	assert_string_equal(last_query, "7");
	assert_false(connects(8));
	assert_false(connects(9));
	assert_false(connects(8)); /* another socket */
	assert_int_equal(queries, 1);
	answer(7, "");
	rooms_flush(rooms);
	assert_int_equal(queries, 2);
	assert_string_equal(last_query, "8,9");
	assert_false(connects(10));
	answer(8, "");
	rooms_flush(rooms);
	assert_int_equal(queries, 2); /* 9 is not answered */
	answer(9, "17:43");
	rooms_flush(rooms);
	assert_string_equal(last_query, "10");
	answer(10, "");
	rooms_flush(rooms);
	assert_int_equal(queries, 3);
	assert_int_equal(welcomed, 4);
	assert_int_equal(rooms_pending_users(rooms), 0);
}

static void a_user_does_not_wait_long_for_an_answer_about_others(void **state)
{
	(void)state;
	assert_false(connects(7));
	assert_false(connects(8));
	time_passes(50);
	assert_string_equal(last_query, "8");
	answer(8, "");
	assert_int_equal(welcomed, 1);
}

static void
a_user_who_disconnects_is_neither_asked_about_nor_waited_for(void **state)
{
	(void)state;
	assert_false(connects(7));
	assert_false(connects(8));
	assert_false(connects(9));
	rooms_user_disconnected(rooms, 8);
	rooms_user_disconnected(rooms, 7);
	rooms_flush(rooms);
	assert_int_equal(queries, 2);
	assert_string_equal(last_query, "9");
	answer(7, "17:43");
	answer(9, "");
	assert_int_equal(welcomed, 1);
	rooms_user_disconnected(rooms, 9);
	time_passes(60000);
	assert_int_equal(queries, 2);
}

static void a_lost_answer_delays_no_user_for_long(void **state)
{
	(void)state;
	assert_false(connects(7));
	time_passes((ROOM_QUERIES_RETRY_S + 1) * 2 * 1000);
	assert_int_equal(queries, 2);
	assert_string_equal(last_query, "7");
	answer_to(1, 7, ""); /* late, but valid */
	assert_false(connects(8));
	assert_string_equal(last_query, "8");
	assert_int_equal(queries, 3);
}

static void a_full_query_does_not_wait(void **state)
{
	(void)state;
	assert_false(connects(1));
	for (uint64_t user = 2; user <= 1 + SAVE_USERS_MAX; user++)
		assert_false(connects(user));
	assert_int_equal(queries, 2);
	assert_int_equal(strncmp(last_query, "2,3,4,", 6), 0);
	assert_non_null(strstr(last_query, ",501"));
	for (uint64_t user = 1; user <= 1 + SAVE_USERS_MAX; user++)
		answer(user, "");
	assert_int_equal(welcomed, 1 + SAVE_USERS_MAX);
}

/* --- members -------------------------------------------------------------- */
static void of_two_statements_the_higher_seq_is_true(void **state)
{
	(void)state;
	knows(7, "17:43");
	change(7, "17:42:-7");
	assert_true(is_in(7, ROOM));
	change(7, "17:44:-7");
	assert_false(is_in(7, ROOM));
	change(7, "17:43:+7");
	assert_false(is_in(7, ROOM));
	change(7, "17:45:+7");
	assert_true(is_in(7, ROOM));
	change(7, "17:46:=");
	assert_true(is_in(7, ROOM));
}

static void a_stale_answer_does_not_undo_a_leave(void **state)
{
	(void)state;
	assert_false(connects(7));
	change(7, "17:44:-7");
	answer(7, "17:43,19:3");
	assert_false(is_in(7, ROOM));
	assert_true(is_in(7, 19));
}

/* The record about the leave is missing, or arrives after the rejoin. */
static void a_user_who_rejoined_sees_entries_after_the_latest_from(void **state)
{
	(void)state;
	knows(7, "17:100");
	change(7, "17:130:+7.129");
	change(7, "17:120:-7");
	assert_true(is_in(7, ROOM));
	looked_for = 7;
	found = false;
	rooms_each_member(rooms, ROOM, partition_of(7), 127, on_member, NULL);
	assert_false(found);
	rooms_each_member(rooms, ROOM, partition_of(7), 130, on_member, NULL);
	assert_true(found);
}

static void rooms_missing_from_an_answer_stay(void **state)
{
	(void)state;
	assert_false(connects(7));
	change(7, "17:44:+7");
	answer(7, "19:3");
	assert_true(is_in(7, ROOM));
	assert_true(is_in(7, 19));
}

/* Each user's membership changes between the right two records. */
static void a_record_applies_only_to_users_of_its_partition(void **state)
{
	uint64_t other = 8;

	(void)state;
	while (partition_of(other) == partition_of(7))
		other++;
	knows(7, "");
	knows(other, "");
	{
		struct event_room parsed = {ROOM, 5, '+', SPAN("7,8,9,10,11")};

		rooms_changed(rooms, partition_of(7), &parsed);
		assert_true(is_in(7, ROOM));
		assert_false(is_in(other, ROOM));
		rooms_changed(rooms, partition_of(other), &parsed);
		assert_true(is_in(other, ROOM));
	}
	assert_int_equal(rooms_count(rooms), 1);
}

/* --- coming back --------------------------------------------------------- */
static void a_user_who_reconnects_needs_no_query(void **state)
{
	(void)state;
	knows(7, "17:43");
	rooms_user_disconnected(rooms, 7);
	assert_false(is_in(7, ROOM));
	assert_int_equal(rooms_count(rooms), 0);
	change(7, "17:44:-7");
	change(7, "18:1:+7");
	assert_true(connects(7));
	assert_int_equal(queries, 1);
	assert_false(is_in(7, ROOM));
	assert_true(is_in(7, 18));
}

static void the_longest_absent_users_are_evicted(void **state)
{
	(void)state;
	for (uint64_t user = 1; user <= ABSENT_MAX + 1; user++) {
		knows(user, "17:43");
		rooms_user_disconnected(rooms, user);
	}
	queries = 0;
	assert_false(connects(1));
	assert_int_equal(queries, 1);
	for (uint64_t user = 2; user <= ABSENT_MAX + 1; user++)
		assert_true(connects(user));
	assert_int_equal(queries, 1);
}

static void after_lost_events_all_users_are_asked_about_again(void **state)
{
	(void)state;
	knows(7, "17:43");
	knows(8, "17:43");
	rooms_user_disconnected(rooms, 8);
	queries = 0;
	rooms_invalidate_all(rooms);
	rooms_flush(rooms);
	assert_int_equal(queries, 1);
	assert_false(is_in(7, ROOM));
	answer(7, "17:43");
	assert_true(is_in(7, ROOM));
	assert_false(connects(8));
}

enum { CROWD = 2 * ROOMS_RENEWED_PER_STEP + 10 };

/* As after many connects: each is in the room, and no query is under way. */
static void crowd_connects(void)
{
	for (uint64_t user = 1; user <= CROWD; user++)
		knows(user, "17:43");
	queries = 0;
}

static void count_one(void *context, uint64_t user)
{
	(void)user;
	(*(unsigned *)context)++;
}

/* `each` counts its members. */
static unsigned walk(void (*each)(void *context, uint64_t user))
{
	unsigned count = 0;

	for (uint32_t p = 0; p < PARTITIONS; p++)
		rooms_each_member(rooms, ROOM, p, UINT64_MAX, each, &count);
	return count;
}

static void lost_events_are_handled_in_bounded_steps(void **state)
{
	enum { STEP_QUERIES = ROOMS_RENEWED_PER_STEP / SAVE_USERS_MAX };

	(void)state;
	crowd_connects();
	assert_int_equal(rooms_count(rooms), 1);
	rooms_invalidate_all(rooms);
	/* No user receives what only a former member would. */
	assert_int_equal(walk(count_one), 0);
	assert_int_equal(rooms_count(rooms), 0);
	assert_int_equal(rooms_pending_users(rooms), ROOMS_RENEWED_PER_STEP);
	time_passes(50);
	assert_int_equal(rooms_pending_users(rooms),
	                 2 * ROOMS_RENEWED_PER_STEP);
	assert_int_equal(queries, 2 * STEP_QUERIES);
	time_passes(50);
	assert_int_equal(rooms_pending_users(rooms), CROWD);
	assert_int_equal(queries, 2 * STEP_QUERIES + 1);
	for (uint64_t user = 1; user <= CROWD; user++)
		answer(user, "17:43");
	assert_int_equal(rooms_pending_users(rooms), 0);
	assert_int_equal(walk(count_one), CROWD);
}

/* Of a user whose step has not come yet, nothing old counts either. */
static void a_call_before_the_step_asks_about_its_user(void **state)
{
	const uint64_t one = CROWD, two = CROWD - 1, three = CROWD - 2;
	char joined[32];
	uint64_t old;

	(void)state;
	crowd_connects();
	old = last_number;
	rooms_invalidate_all(rooms);
	answer_to(old, one, "17:44");
	snprintf(joined, sizeof(joined), "17:45:+%u", CROWD - 1);
	change(two, joined);
	rooms_user_disconnected(rooms, three);
	assert_false(is_in(one, ROOM));
	assert_false(is_in(two, ROOM));
	assert_int_equal(rooms_pending_users(rooms),
	                 ROOMS_RENEWED_PER_STEP + 2);
	assert_false(connects(three));
	time_passes(50);
	time_passes(50);
	assert_int_equal(rooms_pending_users(rooms), CROWD);
	for (uint64_t user = three; user <= one; user++) {
		answer(user, "17:43");
		assert_true(is_in(user, ROOM));
	}
}

/* Also when they are lost again, before all is done. */
static void events_lost_twice_ask_about_all_again(void **state)
{
	(void)state;
	crowd_connects();
	rooms_invalidate_all(rooms);
	rooms_tick(rooms);
	for (uint64_t user = 1; user <= 10; user++)
		answer(user, "17:43,18:1");
	rooms_invalidate_all(rooms);
	assert_int_equal(walk(count_one), 0);
	for (unsigned i = 0; i < 3; i++)
		time_passes(50);
	assert_int_equal(rooms_pending_users(rooms), CROWD);
	for (uint64_t user = 1; user <= CROWD; user++)
		answer(user, "17:43");
	assert_int_equal(walk(count_one), CROWD);
	assert_int_equal(rooms_count(rooms), 1);
}

static void late_welcomes_come_in_bounded_steps(void **state)
{
	(void)state;
	for (uint64_t user = 1; user <= CROWD; user++)
		assert_false(connects(user));
	time_passes(WELCOME_WAIT_MS);
	assert_int_equal(welcomed, ROOMS_WELCOMES_PER_STEP);
	time_passes(50);
	time_passes(50);
	assert_int_equal(welcomed, CROWD);
}

/* --- crowds -------------------------------------------------------------- */
static void leave_half(void *context, uint64_t user)
{
	unsigned *count = context;

	(*count)++;
	if (user % 2)
		rooms_user_disconnected(rooms, user);
}

static void a_member_who_leaves_during_the_walk_keeps_the_others(void **state)
{
	(void)state;
	for (uint64_t user = 1; user <= USERS; user++)
		knows(user, "17:43,19:1");
	assert_int_equal(walk(leave_half), USERS);
	assert_int_equal(walk(leave_half), USERS / 2);
	for (uint64_t user = 1; user <= USERS; user++)
		rooms_user_disconnected(rooms, user);
	assert_int_equal(walk(leave_half), 0);
	assert_int_equal(rooms_count(rooms), 0);
}

static void rooms_left_long_ago_take_no_memory(void **state)
{
	struct buf text CLEANUP(buf_free) = BUF(64);

	(void)state;
	knows(7, "17:43");
	for (uint64_t room = 100; room < 5000; room++) {
		clock_ms += 10000;
		buf_clear(&text);
		buf_format(&text, "%u:1:+7", (unsigned)room);
		change(7, buf_text(&text));
		buf_clear(&text);
		buf_format(&text, "%u:2:-7", (unsigned)room);
		change(7, buf_text(&text));
	}
	assert_true(is_in(7, ROOM));
	assert_int_equal(rooms_count(rooms), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(welcome_waits_for_the_answer),
		TEST(welcome_is_sent_after_a_second_without_an_answer),
		TEST(a_late_answer_with_rooms_reports_an_early_welcome),
		TEST(before_the_answer_a_user_receives_no_room_messages),
		TEST(each_socket_waits_at_most_a_second),
		TEST(without_an_answer_the_query_is_repeated_less_and_less_often),
		TEST(an_answer_for_an_unknown_user_is_ignored),
		TEST(an_answer_from_before_the_reconnect_is_ignored),
		TEST(one_answer_can_be_about_many_users),
		TEST(a_late_join_is_not_believed),
		TEST(an_answer_removes_no_member_who_is_already_known),
		TEST(many_departures_are_bounded),
		TEST(the_users_who_block_are_those_of_the_latest_answer),
		TEST(a_look_at_the_blockers_leaves_the_rooms_alone),
		TEST(a_record_before_the_first_answer_is_looked_up_too),
		TEST(a_lost_answer_about_blockers_is_asked_for_again),
		TEST(a_record_about_an_absent_user_evicts_the_user),
		TEST(a_user_whom_many_block_is_looked_up_once_a_second),
		TEST(a_crowd_may_block_one_user),
		TEST(the_blockers_are_known_with_the_first_answer),
		TEST(blockers_beyond_the_bound_still_block),
		TEST(a_later_answer_moves_the_bound),
		TEST(a_user_who_connects_during_a_query_is_in_the_next_one),
		TEST(a_user_does_not_wait_long_for_an_answer_about_others),
		TEST(a_user_who_disconnects_is_neither_asked_about_nor_waited_for),
		TEST(a_lost_answer_delays_no_user_for_long),
		TEST(a_full_query_does_not_wait),
		TEST(of_two_statements_the_higher_seq_is_true),
		TEST(a_stale_answer_does_not_undo_a_leave),
		TEST(a_user_who_rejoined_sees_entries_after_the_latest_from),
		TEST(rooms_missing_from_an_answer_stay),
		TEST(a_record_applies_only_to_users_of_its_partition),
		TEST(a_user_who_reconnects_needs_no_query),
		TEST(the_longest_absent_users_are_evicted),
		TEST(after_lost_events_all_users_are_asked_about_again),
		TEST(lost_events_are_handled_in_bounded_steps),
		TEST(a_call_before_the_step_asks_about_its_user),
		TEST(events_lost_twice_ask_about_all_again),
		TEST(late_welcomes_come_in_bounded_steps),
		TEST(a_member_who_leaves_during_the_walk_keeps_the_others),
		TEST(rooms_left_long_ago_take_no_memory),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
