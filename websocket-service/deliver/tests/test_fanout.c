/* Events and their recipients: fake sockets, real rooms. */
#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/scope.h"
#include "common/io/kafka/kafka.h"
#include "common/wire/event.h"
#include "tests/support/fake_clock.h"
#include "websocket-service/deliver/ephemeral_producer.h"
#include "websocket-service/deliver/fanout.h"
#include "websocket-service/deliver/rooms.h"
#include "websocket-service/deliver/typing.h"
#include "websocket-service/receive/conversation_keys.h"
#include "websocket-service/receive/pending_sends.h"
#include "websocket-service/receive/save_records.h"
#include "websocket-service/socket/connection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { PARTITIONS = 2, ROOM = 17, USERS = 5000 };

/* --- events -------------------------------------------------------------- */
struct kafka_message {
	const char *key, *value;
	const char *names[2], *texts[2]; /* headers */
	int32_t partition;
};

struct span kafka_message_key(const struct kafka_message *message)
{
	return span_of(message->key);
}

struct span kafka_message_value(const struct kafka_message *message)
{
	return span_of(message->value);
}

struct span kafka_message_header(const struct kafka_message *message,
                                 const char *name)
{
	for (unsigned i = 0; i < 2; i++)
		if (message->names[i] && !strcmp(message->names[i], name))
			return span_of(message->texts[i]);
	return SPAN_NONE;
}

int32_t kafka_message_partition(const struct kafka_message *message)
{
	return message->partition;
}

uint64_t kafka_message_time_ms(const struct kafka_message *message)
{
	(void)message;
	return 0;
}

/* --- sockets: `each` of each user below USERS ---------------------------- */
static unsigned got[USERS];
static unsigned each;
static unsigned delivered;

bool connections_has_user(const struct connections *connections, uint64_t user)
{
	(void)connections;
	return user < USERS;
}

unsigned connections_deliver(struct connections *connections, uint64_t user,
                             struct span framed, uint64_t except)
{
	(void)connections;
	(void)except;
	assert_true(framed.len > 2);
	if (user >= USERS)
		return 0;
	got[user]++;
	delivered += each;
	return each;
}

void pending_sends_settled(struct pending_sends *sends,
                           const struct event_origin *origin)
{
	(void)sends;
	(void)origin;
}

/* No user types in these tests. */
enum status save_records_produce(struct save_records *records,
                                 struct save_record *record, struct span origin,
                                 uint64_t tag)
{
	(void)records;
	(void)record;
	(void)origin;
	(void)tag;
	fail();
	return ST_OK;
}

void ephemeral_producer_send(struct ephemeral_producer *ephemeral,
                             uint32_t partition, struct span key,
                             struct span frame)
{
	(void)ephemeral;
	(void)partition;
	(void)key;
	(void)frame;
	fail();
}

/* --- the modules under test ---------------------------------------------- */
static struct rooms *rooms;
static struct typing *typing;
static struct conversation_keys *keys;
static struct fanout *fanout;

static void on_query(void *context, uint64_t number, uint64_t first,
                     struct span users)
{
	(void)context;
	(void)number;
	(void)first;
	(void)users;
}

static void on_user(void *context, uint64_t user)
{
	(void)context;
	(void)user;
}

static int start(void **state)
{
	(void)state;
	clock_ms = 5000000;
	memset(got, 0, sizeof(got));
	each = 1;
	delivered = 0;
	rooms = rooms_create(&(struct rooms_options){
		.partitions = PARTITIONS,
		.absent_max = 3,
		.query = on_query,
		.welcome = on_user,
		.welcomed_early = on_user,
		.blockers_known = on_user,
	});
	typing = typing_create(&(struct typing_options){
		.partitions = PARTITIONS, .rosters_max = 3});
	keys = conversation_keys_create(
		&(struct conversation_keys_options){.keys_max = 3});
	fanout = fanout_create(&(struct fanout_options){
		.rooms = rooms, .typing = typing, .keys = keys, .gateway = 1});
	return 0;
}

static int stop(void **state)
{
	(void)state;
	fanout_destroy(&fanout);
	conversation_keys_destroy(&keys);
	typing_destroy(&typing);
	rooms_destroy(&rooms);
	return fanout != NULL;
}

static void hand_over(const struct kafka_message *message)
{
	(void)fanout_event(fanout, message);
	while (fanout_rest(fanout))
		;
}

static void change(const char *key, const char *room, int32_t partition)
{
	hand_over(&(struct kafka_message){
		.key = key,
		.value = "{}",
		.names = {EVENT_ROOM_HEADER},
		.texts = {room},
		.partition = partition,
	});
}

static struct kafka_message to_room(int32_t partition)
{
	return (struct kafka_message){
		.key = "c:17", .value = "{}", .partition = partition};
}

static void all_join(void)
{
	struct buf answer CLEANUP(buf_free) = BUF(1024 * 1024);

	for (uint64_t user = 1; user < USERS; user++) {
		(void)rooms_user_connected(rooms, user);
		event_answer_add(&answer, user, SPAN("17:1"), SPAN_NONE, false);
	}
	rooms_tick(rooms);
	rooms_answered(rooms, UINT64_MAX, buf_span(&answer));
}

/* --- tests --------------------------------------------------------------- */
static void an_event_of_a_large_room_takes_several_steps(void **state)
{
	unsigned steps = 0;

	(void)state;
	all_join();
	for (int32_t partition = 0; partition < PARTITIONS; partition++) {
		struct kafka_message message = to_room(partition);
		unsigned before = delivered;
		size_t cost = fanout_event(fanout, &message);

		assert_true(delivered - before <= FANOUT_STEP);
		assert_true(cost >=
		            (size_t)(delivered - before) * FANOUT_SOCKET_COST);
		do {
			before = delivered;
			steps++;
		} while (fanout_rest(fanout) &&
		         delivered - before <= FANOUT_STEP);
		assert_int_equal(fanout_rest(fanout), 0);
	}
	assert_true(steps >= USERS / FANOUT_STEP);
	for (uint64_t user = 1; user < USERS; user++)
		assert_int_equal(got[user], 1);
}

/* Users with many sockets: a step counts these, not the users. */
static void users_with_many_sockets_take_several_steps(void **state)
{
	static const struct {
		unsigned each, first; /* sockets that the first step serves */
		const char *key;
	} rows[] = {
		{1, 3, "2,3,4"},
		{400, 1200, "2,3,4,1"},
		{FANOUT_STEP, FANOUT_STEP, "2,3"},
		{10000, 10000, "2,3,4,99999"},
		{0, 0, "2,3"}, /* all are gone */
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct kafka_message message = {.key = rows[i].key,
		                                .value = "{}"};
		unsigned before = delivered;

		each = rows[i].each;
		memset(got, 0, sizeof(got));
		(void)fanout_event(fanout, &message);
		assert_int_equal(delivered - before, rows[i].first);
		do {
			assert_true(delivered - before <= FANOUT_STEP + each);
			before = delivered;
		} while (fanout_rest(fanout));
		assert_int_equal(got[2] + got[3], 2);
		assert_int_equal(got[4], strchr(rows[i].key, '4') != NULL);
	}
}

/* Also an answer that delivers nothing: it may name 60,000 rooms or users. */
static void an_answer_costs_what_it_is_long(void **state)
{
	struct buf answer CLEANUP(buf_free) = BUF(1024 * 1024);
	struct kafka_message message = {
		.key = "7",
		.value = "",
		.names = {EVENT_ROOMS_HEADER, EVENT_SETTLES_HEADER},
		.texts = {NULL, "0000000000000001-0000000000000001-"
	                        "0000000000000001"},
	};

	(void)state;
	(void)rooms_user_connected(rooms, 7);
	rooms_tick(rooms);
	buf_append(&answer, SPAN("7=;1"));
	for (unsigned by = 2; by < 60000; by++)
		buf_format(&answer, ",%u", by);
	message.texts[0] = buf_text(&answer);
	assert_int_equal(fanout_event(fanout, &message),
	                 FANOUT_ANSWER_COST * answer.len);
	assert_true(rooms_blocked(rooms, 7, 59999));
	/* The answer to another gateway is not read. */
	message.texts[1] = "0000000000000002-0000000000000001-0000000000000001";
	assert_int_equal(fanout_event(fanout, &message), 0);
}

static void members_who_disconnect_meanwhile_change_nothing(void **state)
{
	struct kafka_message message = to_room(0);

	(void)state;
	all_join();
	(void)fanout_event(fanout, &message);
	for (uint64_t user = 1; user < USERS; user += 2) {
		rooms_user_disconnected(rooms, user);
		(void)rooms_user_connected(rooms, user);
	}
	while (fanout_rest(fanout))
		;
	for (uint64_t user = 1; user < USERS; user++)
		assert_int_equal(got[user],
		                 event_partition(user, PARTITIONS) == 0);
}

static void a_member_who_leaves_gets_that_entry_and_no_later_one(void **state)
{
	int32_t partition = (int32_t)event_partition(7, PARTITIONS);
	struct kafka_message message = to_room(partition);

	(void)state;
	all_join();
	change("c:17", "17:43:-7", partition);
	assert_int_equal(got[7], 1);
	hand_over(&message);
	assert_int_equal(got[7], 1);
}

/*
 * The answer to the query of a gateway may be newer than the records that it
 * still has to read: user 7 has left and joined again meanwhile.
 */
static void a_member_who_is_back_does_not_get_the_older_leaving(void **state)
{
	static const struct {
		const char *room;
		unsigned got; /* by user 7, in all */
		unsigned got_by_8;
	} rows[] = {
		{"17:43:-7", 0, 1},   /* is back since 45 */
		{"17:44:-8", 1, 2},   /* another one leaves */
		{"17:45:+7", 2, 2},   /* the join of the answer */
		{"17:46:-7,8", 3, 2}, /* leaves now */
		{"17:47:=", 3, 2},
	};
	struct kafka_message message = {.key = "c:17", .value = "{}"};
	struct buf answer CLEANUP(buf_free) = BUF(256);

	(void)state;
	for (uint64_t user = 7; user <= 8; user++) {
		(void)rooms_user_connected(rooms, user);
		event_answer_add(&answer, user,
		                 user == 7 ? SPAN("17:45") : SPAN("17:1"),
		                 SPAN_NONE, false);
	}
	rooms_tick(rooms);
	rooms_answered(rooms, UINT64_MAX, buf_span(&answer));
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		for (int32_t p = 0; p < PARTITIONS; p++)
			change("c:17", rows[i].room, p);
		if (got[7] != rows[i].got || got[8] != rows[i].got_by_8)
			fail_msg("row %u: %u, %u", i, got[7], got[8]);
	}
	for (int32_t p = 0; p < PARTITIONS; p++) {
		message.partition = p;
		hand_over(&message);
	}
	assert_int_equal(got[7], 3);
}

/* The copy of a change that comes again, also after later entries. */
static void a_repeated_change_is_ignored(void **state)
{
	static const struct {
		const char *key, *room;
		int32_t partition;
		unsigned got; /* by user 7, in all */
	} rows[] = {
		{"7,8", "17:43:+7", 0, 1}, {"7,8", "17:43:+7", 0, 1},
		{"7,8", "17:43:+7", 1, 2}, /* another partition */
		{"7,8", "18:43:+7", 0, 3}, /* another conversation */
		{"7,8", "17:44:=", 0, 4},  {"7,8", "17:45:-8", 0, 5},
		{"7,8", "17:43:+7", 0, 5}, {"7,8", "17:44:=", 0, 5},
		{"7,8", "17:45:-8", 0, 5}, {"7,8", "17:46:+8", 0, 6},
		{"7,8", "18:43:+7", 0, 6}, {"7,8", "18:44:-7", 0, 7},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		change(rows[i].key, rows[i].room, rows[i].partition);
		if (got[7] != rows[i].got)
			fail_msg("row %u: %u", i, got[7]);
	}
}

static void change_of(unsigned conversation)
{
	char room[32];

	(void)snprintf(room, sizeof(room), "%u:43:+7", conversation);
	change("7", room, 0);
}

/* A copy that comes after the eviction is handed over as if it were new. */
static void the_least_recently_changed_conversation_is_forgotten(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= FANOUT_CHANGES_MAX; i++)
		change_of(i);
	assert_int_equal(got[7], FANOUT_CHANGES_MAX);
	for (unsigned i = 1; i <= FANOUT_CHANGES_MAX; i++)
		change_of(i);
	assert_int_equal(got[7], FANOUT_CHANGES_MAX);
	change_of(FANOUT_CHANGES_MAX + 1);
	assert_int_equal(got[7], FANOUT_CHANGES_MAX + 1);
	change_of(2);
	change_of(FANOUT_CHANGES_MAX + 1);
	assert_int_equal(got[7], FANOUT_CHANGES_MAX + 1);
	change_of(1);
	assert_int_equal(got[7], FANOUT_CHANGES_MAX + 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(an_event_of_a_large_room_takes_several_steps),
		TEST(users_with_many_sockets_take_several_steps),
		TEST(an_answer_costs_what_it_is_long),
		TEST(members_who_disconnect_meanwhile_change_nothing),
		TEST(a_member_who_leaves_gets_that_entry_and_no_later_one),
		TEST(a_member_who_is_back_does_not_get_the_older_leaving),
		TEST(a_repeated_change_is_ignored),
		TEST(the_least_recently_changed_conversation_is_forgotten),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
