/*
 * The answers to queries of gateways, against a real server.
 */
#include "common/wire/event.h"
#include "persistence-service/save/conversation/query_handler.h"
#include "persistence-service/save/tests/batch_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { PAIR = 19 };

static struct query_handler *handler;

static int start(void **state)
{
	(void)state;
	batch_fixture_start();
	handler = query_handler_create(sql);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	query_handler_destroy(&handler);
	batch_fixture_stop();
	return 0;
}

/* The group, the channel, and the pair of 1 and 2. */
static int begin(void **state)
{
	(void)state;
	batch_fixture_empty();
	make_group_and_channel();
	chat_execute("INSERT INTO conversations (id, kind, ckey, last_seq,"
	             " last_message_id, created_by, created_at, member_count)"
	             " VALUES (19,1,'d:1:2',0,0,1,NOW(3),0)");
	chat_execute("INSERT INTO members (user, conversation, role, joined_at)"
	             " VALUES (1,19,1,NOW(3)),(2,19,1,NOW(3))");
	return 0;
}

/* --- questions ----------------------------------------------------------- */
static struct span ask(const struct save_record *record)
{
	struct span answer;

	assert_int_equal(sql_begin(sql), ST_OK);
	assert_int_equal(query_handler_answer(handler, record, &answer), ST_OK);
	sql_rollback(sql);
	return answer;
}

static void assert_answer(const struct save_record *record, const char *wanted)
{
	struct span answer = ask(record);

	if (!span_equal(answer, span_of(wanted)))
		fail_msg("%.*s is not %s", (int)answer.len, answer.data,
		         wanted);
}

static struct span ask_rooms(const char *users)
{
	return ask(&(struct save_record){.kind = SAVE_ROOMS,
	                                 .users = span_of(users)});
}

static void assert_rooms(const char *users, const char *wanted)
{
	assert_answer(&(struct save_record){.kind = SAVE_ROOMS,
	                                    .users = span_of(users)},
	              wanted);
}

static void assert_roster(uint64_t user, uint64_t conversation,
                          const char *wanted)
{
	assert_answer(&(struct save_record){.kind = SAVE_ROSTER,
	                                    .sender = user,
	                                    .conversation = conversation},
	              wanted);
}

static void assert_keys(const char *conversations, const char *wanted)
{
	assert_answer(
		&(struct save_record){.kind = SAVE_KEYS,
	                              .conversations = span_of(conversations)},
		wanted);
}

/* --- answers ------------------------------------------------------------- */
static void a_gateway_gets_rooms_and_rosters(void **state)
{
	(void)state;
	chat_execute("INSERT INTO blocks VALUES (2, 1, NOW(3))");
	assert_rooms("2", "2=18:1");
	assert_rooms("3,2,9,3", "2=18:1/3=/9=");
	assert_rooms("9", "9=");
	assert_roster(1, GROUP, "17:2,3");
	assert_roster(STRANGER, GROUP, "17:");
	assert_roster(1, CHANNEL, "18:");
	assert_roster(1, PAIR, "19:");
	assert_roster(2, PAIR, "19:");
}

/* Those from large conversations, the newest first. */
static void a_gateway_gets_the_rooms_that_users_have_left(void **state)
{
	(void)state;
	chat_execute("INSERT INTO departures (user, conversation, seq)"
	             " VALUES (9, 18, 40), (9, 17, 7), (2, 4000, 1)");
	assert_rooms("9", "9=/-9=18:40");
	assert_rooms("2,9", "2=18:1/9=/-9=18:40");
	assert_rooms("3", "3=");
}

static void a_gateway_gets_the_keys_of_conversations(void **state)
{
	(void)state;
	assert_keys("19,18,17,9,17", "9=,17=c:17,18=c:18,19=d:1:2");
	assert_keys("17", "17=c:17");
	assert_keys("9007199254740991", "9007199254740991=");
}

static void a_gateway_gets_the_users_who_block(void **state)
{
	(void)state;
	chat_execute("INSERT INTO blocks VALUES (2, 1, NOW(3)),(3, 1, "
	             "NOW(3)),(2, 9, NOW(3))");
	assert_rooms("9", "9=;2");
	assert_rooms("1,2", "1=18:1;2,3/2=18:1");
}

static void a_query_may_name_the_highest_number_of_users(void **state)
{
	struct buf users CLEANUP(buf_free) = BUF(SAVE_RECORD_MAX);
	struct span answer, rooms, blockers;
	uint64_t user, last = 0;
	unsigned count = 0;

	(void)state;
	for (unsigned i = SAVE_USERS_MAX; i > 0; i--)
		event_key_add(&users, i);
	answer = ask_rooms(buf_text(&users));
	while (event_answer_next(&answer, &user, &rooms, &blockers)) {
		assert_int_equal(user, last + 1);
		assert_int_equal(rooms.len, user <= 2 ? 4 : 0);
		assert_int_equal(blockers.len, 0);
		last = user;
		count++;
	}
	assert_int_equal(count, SAVE_USERS_MAX);
	assert_int_equal(answer.len, 0);
}

/* The lowest ids come first, so the gateway knows from where on it is cut. */
static void the_list_of_blockers_is_cut_to_fit(void **state)
{
	enum { BLOCKERS = 40000 };
	struct span answer, rooms, blockers;
	uint64_t user, by, count = 0;

	(void)state;
	chat_execute(
		"INSERT INTO blocks SELECT 900719925400000 + seq, 2, NOW(3)"
		" FROM " CHAT_NUMBERS_TO(40000));
	answer = ask_rooms("2,3");
	assert_true(event_answer_next(&answer, &user, &rooms, &blockers));
	assert_int_equal(user, 2);
	assert_true(span_equal(rooms, SPAN("18:1")));
	while (event_key_next(&blockers, &by))
		assert_int_equal(by, 900719925400000 + ++count);
	assert_true(event_blockers_cut(blockers));
	assert_in_range(count, BLOCKERS / 2, BLOCKERS - 1);
	assert_true(event_answer_next(&answer, &user, &rooms, &blockers));
	assert_int_equal(user, 3);
	assert_int_equal(rooms.len + blockers.len + answer.len, 0);
}

/* Doubles the blockers of 2 up to 2^17, and gives users 3 to 5 some each. */
static void block_much(void)
{
	chat_execute("INSERT INTO blocks VALUES (1000000, 2, NOW(3)),"
	             " (7, 3, NOW(3)), (8, 4, NOW(3)), (9, 5, NOW(3))");
	for (unsigned i = 0; i < 17; i++)
		chat_execute("INSERT INTO blocks SELECT user + %u, 2,"
		             " created_at FROM blocks WHERE blocked = 2",
		             1u << i);
}

static unsigned count_answered(struct span answer, uint64_t *ret_users,
                               unsigned max)
{
	struct span rooms, blockers;
	unsigned count = 0;

	while (event_answer_next(&answer, &ret_users[count], &rooms,
	                         &blockers)) {
		assert_true(rooms.len + blockers.len <= 512 * 1024);
		assert_true(++count < max);
	}
	return count;
}

/* Users that a query has no answer for are in the next one. */
static void very_many_blockers_do_not_hold_up_the_others(void **state)
{
	uint64_t answered[5];

	(void)state;
	block_much();
	/* 2 is cut; the statement ends before it reaches 3. */
	assert_int_equal(count_answered(ask_rooms("1,2,3,4"), answered, 5), 2);
	assert_int_equal(answered[0], 1);
	assert_int_equal(answered[1], 2);
	assert_int_equal(count_answered(ask_rooms("3,4"), answered, 5), 2);
	/* After others with blockers 2 waits for a query of its own. */
	chat_execute("INSERT INTO blocks VALUES (9, 1, NOW(3))");
	assert_int_equal(count_answered(ask_rooms("1,2"), answered, 5), 1);
	assert_int_equal(answered[0], 1);
	assert_int_equal(count_answered(ask_rooms("2,3"), answered, 5), 1);
	assert_int_equal(answered[0], 2);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_gateway_gets_rooms_and_rosters),
		TEST(a_gateway_gets_the_rooms_that_users_have_left),
		TEST(a_gateway_gets_the_keys_of_conversations),
		TEST(a_gateway_gets_the_users_who_block),
		TEST(a_query_may_name_the_highest_number_of_users),
		TEST(the_list_of_blockers_is_cut_to_fit),
		TEST(very_many_blockers_do_not_hold_up_the_others),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
