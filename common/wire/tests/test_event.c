#include "common/wire/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { PARTITIONS = 12 };

#define ID_MAX ((UINT64_C(1) << 53) - 1)

/* --- partitions ------------------------------------------------------------
 */
/* Records of old runs lie where these say: a change loses order and frames. */
static void a_user_keeps_the_partition_for_life(void **state)
{
	static const struct {
		uint64_t user;
		uint64_t hash; /* fmix64 of MurmurHash3 */
	} rows[] = {
		{0, 0},
		{1, UINT64_C(0xb456bcfc34c2cb2c)},
		{2, UINT64_C(0x3abf2a20650683e7)},
		{17, UINT64_C(0xeb269b691ff3fb36)},
		{ID_MAX, UINT64_C(0xc4d3b019ff3e35e5)},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (uint32_t n = 1; n < 50; n++)
			assert_int_equal(event_partition(rows[i].user, n),
			                 rows[i].hash % n);
	}
}

static void neighbouring_users_spread_over_all_partitions(void **state)
{
	unsigned count[PARTITIONS] = {0};

	(void)state;
	for (uint64_t user = 1; user <= 12000; user++)
		count[event_partition(user, PARTITIONS)]++;
	for (unsigned i = 0; i < PARTITIONS; i++)
		assert_in_range(count[i], 900, 1100);
}

/* --- keys ------------------------------------------------------------------
 */
static void a_key_lists_users_with_commas(void **state)
{
	struct buf key CLEANUP(buf_free) = BUF(64);
	struct span left;
	uint64_t user;

	(void)state;
	event_key_add(&key, 17);
	assert_string_equal(buf_text(&key), "17");
	event_key_add(&key, 23);
	event_key_add(&key, ID_MAX);
	assert_string_equal(buf_text(&key), "17,23,9007199254740991");
	left = buf_span(&key);
	assert_true(event_key_next(&left, &user));
	assert_int_equal(user, 17);
	assert_true(event_key_next(&left, &user));
	assert_int_equal(user, 23);
	assert_true(event_key_next(&left, &user));
	assert_int_equal(user, ID_MAX);
	assert_int_equal(left.len, 0);
	assert_false(event_key_next(&left, &user));
}

static void an_empty_key_names_no_user(void **state)
{
	struct span key = SPAN_NONE;
	uint64_t user = 77;

	(void)state;
	assert_false(event_key_next(&key, &user));
	assert_int_equal(key.len, 0);
	key = SPAN("");
	assert_false(event_key_next(&key, &user));
	assert_int_equal(user, 77);
}

/* How many users come out before the first thing that is no id. */
static void a_malformed_id_ends_a_key(void **state)
{
	static const struct {
		const char *key;
		unsigned good;
	} rows[] = {
		{",", 0},
		{"0", 0},
		{"x", 0},
		{" 1", 0},
		{"1 ", 0},
		{"+1", 0},
		{"-1", 0},
		{"01", 0},
		{"1.0", 0},
		{"0x1", 0},
		{"c:17", 0},
		{",1", 0},
		{"1,", 0},
		{"9007199254740992", 0},
		{"18446744073709551617", 0},
		{"1,,2", 1},
		{"1,0", 1},
		{"1,2,x", 2},
		{"1,2,3,", 2},
		{"1;2", 0},
		{"1, 2", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span key = span_of(rows[i].key);
		uint64_t user = 0;
		unsigned good = 0;

		while (event_key_next(&key, &user))
			good++;
		if (good != rows[i].good || key.len == 0)
			fail_msg("'%s': %u", rows[i].key, good);
		assert_int_equal(user, good);
	}
}

static void a_key_ends_where_its_length_says(void **state)
{
	struct span key = span_make("12345", 3);
	uint64_t user;

	(void)state;
	assert_true(event_key_next(&key, &user));
	assert_int_equal(user, 123);
	assert_int_equal(key.len, 0);
}

/* --- origins ---------------------------------------------------------------
 */
static void assert_origin(struct event_origin origin, const char *wanted)
{
	char text[EVENT_ORIGIN_LEN];
	struct event_origin again;

	event_origin_format(&origin, text);
	assert_memory_equal(text, wanted, EVENT_ORIGIN_LEN);
	assert_true(event_origin_parse(span_make(text, sizeof(text)), &again));
	assert_int_equal(again.gateway, origin.gateway);
	assert_int_equal(again.connection, origin.connection);
	assert_int_equal(again.send, origin.send);
}

static void an_origin_survives_the_way(void **state)
{
	(void)state;
	assert_origin((struct event_origin){0, 0, 0},
	              "0000000000000000-0000000000000000-0000000000000000");
	assert_origin((struct event_origin){UINT64_MAX, 1, 255},
	              "ffffffffffffffff-0000000000000001-00000000000000ff");
	assert_origin((struct event_origin){UINT64_C(0x0123456789abcdef),
	                                    UINT64_C(0xfedcba9876543210),
	                                    UINT64_C(1) << 63},
	              "0123456789abcdef-fedcba9876543210-8000000000000000");
}

static void a_malformed_origin_is_refused(void **state)
{
	static const char good[] =
		"0123456789abcdef-0000000000000001-00000000000000ff";
	struct event_origin origin = {7, 7, 7};

	(void)state;
	assert_false(event_origin_parse(SPAN_NONE, &origin));
	for (size_t len = 0; len < EVENT_ORIGIN_LEN; len++)
		assert_false(event_origin_parse(span_make(good, len), &origin));
	assert_false(event_origin_parse(
		SPAN("0123456789abcdef-0000000000000001-00000000000000ff0"),
		&origin));
	for (size_t i = 0; i < EVENT_ORIGIN_LEN; i++) {
		static const char wrong[] = " +,/:;@AFG`gxz\x7f\xff";
		char bad[EVENT_ORIGIN_LEN];

		memcpy(bad, good, sizeof(bad));
		for (size_t k = 0; k < sizeof(wrong); k++) {
			bad[i] = wrong[k];
			assert_false(event_origin_parse(
				span_make(bad, sizeof(bad)), &origin));
		}
		bad[i] = good[i] == '-' ? '0' : '-';
		assert_false(event_origin_parse(span_make(bad, sizeof(bad)),
		                                &origin));
	}
	assert_int_equal(origin.gateway + origin.connection + origin.send, 21);
	assert_true(event_origin_parse(span_of(good), &origin));
}

/* --- rooms -----------------------------------------------------------------
 */
static void a_room_has_a_key_of_its_own(void **state)
{
	static const char *const bad[] = {
		"",     "c",     "c:",  "c:0", "c:01", "c:x",
		"c: 1", "c:1,2", "d:1", "17",  "C:1",  "c:9007199254740992",
	};
	struct buf key CLEANUP(buf_free) = BUF(64);
	uint64_t room = 0;

	(void)state;
	event_key_room(&key, ID_MAX);
	assert_string_equal(buf_text(&key), "c:9007199254740991");
	assert_true(event_key_is_room(buf_span(&key), &room));
	assert_int_equal(room, ID_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (event_key_is_room(span_of(bad[i]), &room))
			fail_msg("'%s'", bad[i]);
	}
}

static void a_change_of_a_room_survives_the_way(void **state)
{
	static const char *const good[] = {
		"17:43:+5",
		"17:43:-5,6,7",
		"17:43:+5.42,6,7.1",
		"17:43:=",
		"9007199254740991:9007199254740991:+1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct buf again CLEANUP(buf_free) = BUF(128);
		struct event_room room;

		assert_true(event_room_parse(span_of(good[i]), &room));
		event_room_format(&again, &room);
		assert_string_equal(buf_text(&again), good[i]);
	}
}

static void a_new_member_has_the_first_visible_seq(void **state)
{
	struct buf text CLEANUP(buf_free) = BUF(128);
	uint64_t user = 0, from = 0;
	struct span left;

	(void)state;
	event_room_add(&text, 5, 42);
	event_room_add(&text, 6, 0);
	assert_string_equal(buf_text(&text), "5.42,6");
	left = buf_span(&text);
	assert_true(event_room_next(&left, &user, &from));
	assert_int_equal(user, 5);
	assert_int_equal(from, 42);
	assert_true(event_room_next(&left, &user, &from));
	assert_int_equal(user, 6);
	assert_int_equal(from, 0);
	assert_false(event_room_next(&left, &user, &from));
	left = SPAN("5.42.1");
	assert_false(event_room_next(&left, &user, &from));
	left = SPAN("5,");
	assert_false(event_room_next(&left, &user, &from));
}

static void a_malformed_change_of_a_room_is_refused(void **state)
{
	static const char *const bad[] = {
		"",         "17",       "17:43",    "17:43:", "17:43:5",
		"17:43:+",  "17:43:-",  "17:43:=5", "0:43:=", "17:0:=",
		"x:43:=",   "17:x:=",   ":43:=",    "17::=",  "017:43:=",
		"17:43:*5", "17 :43:=",
	};
	struct event_room room = {7, 7, '7', SPAN_NONE};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (event_room_parse(span_of(bad[i]), &room))
			fail_msg("'%s'", bad[i]);
	}
	assert_int_equal(room.conversation + room.seq, 14);
}

static void the_rooms_of_a_user_survive_the_way(void **state)
{
	struct buf text CLEANUP(buf_free) = BUF(128);
	struct span left;
	uint64_t room = 0, seq = 0, from = 0;

	(void)state;
	event_rooms_add(&text, 17, 43, 42);
	event_rooms_add(&text, ID_MAX, 1, 0);
	assert_string_equal(buf_text(&text), "17:43.42,9007199254740991:1");
	left = buf_span(&text);
	assert_true(event_rooms_next(&left, &room, &seq, &from));
	assert_int_equal(room, 17);
	assert_int_equal(seq, 43);
	assert_int_equal(from, 42);
	assert_true(event_rooms_next(&left, &room, &seq, &from));
	assert_int_equal(room, ID_MAX);
	assert_int_equal(seq, 1);
	assert_int_equal(from, 0);
	assert_int_equal(left.len, 0);
	assert_false(event_rooms_next(&left, &room, &seq, &from));
}

static void a_malformed_room_ends_the_rooms(void **state)
{
	static const struct {
		const char *text;
		unsigned good;
	} rows[] = {
		{"17", 0},     {"17:", 0},         {":43", 0},
		{"0:43", 0},   {"17:0", 0},        {"17:43,", 0},
		{",17:43", 0}, {"17:43,19", 1},    {"17:43,,19:7", 1},
		{"17:43 ", 0}, {"17:43,19:7,", 1}, {"17:43:1", 0},
		{"17:43.", 0}, {"17:43.0", 0},     {"17:.42", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span left = span_of(rows[i].text);
		unsigned good = 0;
		uint64_t room, seq, from;

		while (event_rooms_next(&left, &room, &seq, &from))
			good++;
		if (good != rows[i].good || left.len == 0)
			fail_msg("'%s': %u", rows[i].text, good);
	}
}

static void an_answer_survives_the_way(void **state)
{
	struct buf text CLEANUP(buf_free) = BUF(128);
	struct span left, rooms, blockers;
	uint64_t user = 0;

	(void)state;
	event_answer_add(&text, 5, SPAN("17:43.42,19:7"), SPAN("3,4"), false);
	event_answer_add(&text, 6, SPAN_NONE, SPAN_NONE, false);
	event_answer_add(&text, ID_MAX, SPAN_NONE, SPAN("1"), false);
	assert_string_equal(buf_text(&text),
	                    "5=17:43.42,19:7;3,4/6=/9007199254740991=;1");
	left = buf_span(&text);
	assert_true(event_answer_next(&left, &user, &rooms, &blockers));
	assert_int_equal(user, 5);
	assert_true(span_equal(rooms, SPAN("17:43.42,19:7")));
	assert_true(span_equal(blockers, SPAN("3,4")));
	assert_true(event_answer_next(&left, &user, &rooms, &blockers));
	assert_int_equal(user, 6);
	assert_int_equal(rooms.len + blockers.len, 0);
	assert_true(event_answer_next(&left, &user, &rooms, &blockers));
	assert_int_equal(user, ID_MAX);
	assert_int_equal(rooms.len, 0);
	assert_true(span_equal(blockers, SPAN("1")));
	assert_int_equal(left.len, 0);
	assert_false(event_answer_next(&left, &user, &rooms, &blockers));
}

static void a_list_of_blockers_says_that_it_is_cut(void **state)
{
	static const struct {
		const char *blockers;
		bool cut;
		const char *text;
		unsigned listed;
	} rows[] = {
		{"3,4", false, "5=;3,4", 2},
		{"3,4", true, "5=;3,4,+", 2},
		{"", true, "5=;+", 0},
		{"", false, "5=", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf text CLEANUP(buf_free) = BUF(64);
		struct span left, rooms, blockers;
		uint64_t user, by;
		unsigned listed = 0;

		event_answer_add(&text, 5, SPAN_NONE, span_of(rows[i].blockers),
		                 rows[i].cut);
		assert_string_equal(buf_text(&text), rows[i].text);
		left = buf_span(&text);
		assert_true(event_answer_next(&left, &user, &rooms, &blockers));
		while (event_key_next(&blockers, &by))
			listed++;
		assert_int_equal(listed, rows[i].listed);
		assert_int_equal(event_blockers_cut(blockers), rows[i].cut);
	}
}

static void a_malformed_answer_ends_it(void **state)
{
	static const struct {
		const char *text;
		unsigned good;
	} rows[] = {
		{"5", 0},     {"=", 0},        {"0=", 0},        {"x=17:43", 0},
		{"/5=", 0},   {"5=/", 0},      {"5=/6", 1},      {"5=//6=", 1},
		{" 5=", 0},   {"5 =", 0},      {"5=;3/6/7=", 1}, {"-5=", 0},
		{"17:43", 0}, {"5=/0=/6=", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span left = span_of(rows[i].text);
		struct span rooms, blockers;
		unsigned good = 0;
		uint64_t user;

		while (event_answer_next(&left, &user, &rooms, &blockers))
			good++;
		if (good != rows[i].good || left.len == 0)
			fail_msg("'%s': %u", rows[i].text, good);
	}
}

static void departures_stand_behind_the_users_of_an_answer(void **state)
{
	struct buf text CLEANUP(buf_free) = BUF(128);
	struct span left, rooms, blockers;
	uint64_t user = 0;

	(void)state;
	event_answer_add(&text, 5, SPAN("17:43"), SPAN_NONE, false);
	event_departures_add(&text, 5, SPAN("18:40,19:7"));
	event_departures_add(&text, ID_MAX, SPAN("1:1"));
	assert_string_equal(buf_text(&text),
	                    "5=17:43/-5=18:40,19:7/-9007199254740991=1:1");
	left = buf_span(&text);
	assert_false(event_departures_next(&left, &user, &rooms));
	assert_true(event_answer_next(&left, &user, &rooms, &blockers));
	assert_false(event_answer_next(&left, &user, &rooms, &blockers));
	assert_true(event_departures_next(&left, &user, &rooms));
	assert_int_equal(user, 5);
	assert_true(span_equal(rooms, SPAN("18:40,19:7")));
	assert_true(event_departures_next(&left, &user, &rooms));
	assert_int_equal(user, ID_MAX);
	assert_int_equal(left.len, 0);
	assert_false(event_departures_next(&left, &user, &rooms));
}

static void malformed_departures_end_them(void **state)
{
	static const char *const rows[] = {
		"", "-", "-5", "-=1:1", "5=1:1", "-0=1:1", "-x=1:1", "-5=1:1/",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span left = span_of(rows[i]), rooms;
		uint64_t user;

		if (event_departures_next(&left, &user, &rooms) ||
		    left.len != strlen(rows[i]))
			fail_msg("'%s'", rows[i]);
	}
}

static void the_keys_of_conversations_survive_the_way(void **state)
{
	struct buf text CLEANUP(buf_free) = BUF(128);
	struct span left, key;
	uint64_t conversation = 0;

	(void)state;
	event_keys_add(&text, 17, SPAN("d:2:5"));
	event_keys_add(&text, 19, SPAN("c:19"));
	event_keys_add(&text, ID_MAX, SPAN_NONE);
	assert_string_equal(buf_text(&text),
	                    "17=d:2:5,19=c:19,9007199254740991=");
	left = buf_span(&text);
	assert_true(event_keys_next(&left, &conversation, &key));
	assert_int_equal(conversation, 17);
	assert_true(span_equal(key, SPAN("d:2:5")));
	assert_true(event_keys_next(&left, &conversation, &key));
	assert_int_equal(conversation, 19);
	assert_true(span_equal(key, SPAN("c:19")));
	assert_true(event_keys_next(&left, &conversation, &key));
	assert_int_equal(conversation, ID_MAX);
	assert_int_equal(key.len + left.len, 0);
	assert_false(event_keys_next(&left, &conversation, &key));
}

static void a_malformed_key_ends_the_keys(void **state)
{
	static const struct {
		const char *text;
		unsigned good;
	} rows[] = {
		{"17", 0},       {"=c:17", 0},   {"0=c:0", 0},
		{"x=c:1", 0},    {"17=,", 0},    {",17=", 0},
		{"17=,,19=", 1}, {"17= ,19", 1}, {"-1=", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span left = span_of(rows[i].text);
		uint64_t conversation;
		unsigned good = 0;
		struct span key;

		while (event_keys_next(&left, &conversation, &key))
			good++;
		if (good != rows[i].good || left.len == 0)
			fail_msg("'%s': %u", rows[i].text, good);
	}
}

static void a_roster_names_its_conversation_and_users(void **state)
{
	struct event_roster roster;

	(void)state;
	assert_true(event_roster_parse(SPAN("17:2,3"), &roster));
	assert_int_equal(roster.conversation, 17);
	assert_true(span_equal(roster.users, SPAN("2,3")));
	assert_true(event_roster_parse(SPAN("17:"), &roster));
	assert_int_equal(roster.users.len, 0);
	assert_false(event_roster_parse(SPAN(""), &roster));
	assert_false(event_roster_parse(SPAN("17"), &roster));
	assert_false(event_roster_parse(SPAN(":2"), &roster));
	assert_false(event_roster_parse(SPAN("0:2"), &roster));
	assert_false(event_roster_parse(SPAN("x:2"), &roster));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_user_keeps_the_partition_for_life),
		cmocka_unit_test(neighbouring_users_spread_over_all_partitions),
		cmocka_unit_test(a_key_lists_users_with_commas),
		cmocka_unit_test(an_empty_key_names_no_user),
		cmocka_unit_test(a_malformed_id_ends_a_key),
		cmocka_unit_test(a_key_ends_where_its_length_says),
		cmocka_unit_test(an_origin_survives_the_way),
		cmocka_unit_test(a_malformed_origin_is_refused),
		cmocka_unit_test(a_room_has_a_key_of_its_own),
		cmocka_unit_test(a_change_of_a_room_survives_the_way),
		cmocka_unit_test(a_new_member_has_the_first_visible_seq),
		cmocka_unit_test(a_malformed_change_of_a_room_is_refused),
		cmocka_unit_test(the_rooms_of_a_user_survive_the_way),
		cmocka_unit_test(a_malformed_room_ends_the_rooms),
		cmocka_unit_test(an_answer_survives_the_way),
		cmocka_unit_test(a_list_of_blockers_says_that_it_is_cut),
		cmocka_unit_test(a_malformed_answer_ends_it),
		cmocka_unit_test(
			departures_stand_behind_the_users_of_an_answer),
		cmocka_unit_test(malformed_departures_end_them),
		cmocka_unit_test(the_keys_of_conversations_survive_the_way),
		cmocka_unit_test(a_malformed_key_ends_the_keys),
		cmocka_unit_test(a_roster_names_its_conversation_and_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
