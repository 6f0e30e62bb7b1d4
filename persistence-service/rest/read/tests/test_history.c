/* The reads of the REST API, against the real server of chat_fixture. */
#include "persistence-service/rest/read/tests/history_fixture.h"
#include "tests/support/text_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ME = 1, YOU = 2, THEM = 3, PAIR = 10, GROUP = 20, CHANNEL = 30 };

/* --- rows ---------------------------------------------------------------- */
static void conversation(unsigned id, unsigned kind, const char *key,
                         const char *name)
{
	chat_execute(
		"INSERT INTO conversations (id, kind, ckey, name, created_by,"
		" created_at, member_count) VALUES (%u, %u, '%s', %s%s%s, 1,"
		" '2026-11-21 10:00:00.000', 3)",
		id, kind, key, name ? "'" : "", name ? name : "NULL",
		name ? "'" : "");
}

static void member(unsigned in, unsigned user, unsigned role, unsigned read_seq,
                   unsigned from_seq)
{
	chat_execute("INSERT INTO members (user, conversation, role, joined_at,"
	             " read_seq, delivered_seq, from_seq) VALUES (%u, %u, %u,"
	             " '2026-11-21 10:00:00.%03u', %u, 0, %u)",
	             user, in, role, user % 1000, read_seq, from_seq);
}

static void entry(unsigned in, unsigned seq, unsigned sender, unsigned kind,
                  const char *body)
{
	chat_execute("INSERT INTO messages (conversation, seq, sender, uuid,"
	             " created_at, body, kind) VALUES (%u, %u, %u, "
	             "UNHEX(MD5('%u/%u')),"
	             " '2026-11-21 10:00:00.000', '%s', %u)",
	             in, seq, sender, in, seq, body, kind);
	chat_execute(
		"UPDATE conversations SET last_seq = %u, last_message_id ="
		" (SELECT id FROM messages WHERE conversation = %u AND seq = "
		"%u)"
		" WHERE id = %u",
		seq, in, seq, in);
}

static void change(unsigned in, unsigned revision, unsigned seq, unsigned kind,
                   const char *set)
{
	chat_execute("INSERT INTO revisions (conversation, revision, seq, kind,"
	             " sender, uuid, created_at) VALUES (%u, %u, %u, %u, 1,"
	             " UNHEX(MD5('%u.%u')), '2026-11-21 11:00:00.000')",
	             in, revision, seq, kind, in, revision);
	chat_execute(
		"UPDATE messages SET revision = %u%s%s WHERE conversation = %u"
		" AND seq = %u",
		revision, *set ? ", " : "", set, in, seq);
	chat_execute("UPDATE conversations SET revision = %u WHERE id = %u",
	             revision, in);
}

static int fill(void **state)
{
	(void)state;
	chat_empty();
	conversation(PAIR, 1, "d:1:2", NULL);
	member(PAIR, ME, 1, 1, 0);
	member(PAIR, YOU, 1, 2, 0);
	entry(PAIR, 1, ME, 1, "hi");
	entry(PAIR, 2, YOU, 1, "hello");
	conversation(GROUP, 2, "c:20", "Tea \\\"club\\\"");
	member(GROUP, ME, 3, 2, 0);
	member(GROUP, YOU, 1, 3, 2);
	entry(GROUP, 1, ME, 2,
	      "{\"what\":\"created\",\"users\":[1],\"name\":\"Tea\"}");
	entry(GROUP, 2, ME, 1, "one");
	entry(GROUP, 3, ME, 2, "{\"what\":\"invited\",\"users\":[2]}");
	entry(GROUP, 4, YOU, 1, "two");
	conversation(CHANNEL, 3, "c:30", "news");
	member(CHANNEL, YOU, 3, 0, 0);
	entry(CHANNEL, 1, YOU, 1, "hear");
	return 0;
}

/* --- reads --------------------------------------------------------------- */
static const char *list_of(uint64_t user, uint64_t before, unsigned limit)
{
	buf_clear(&json);
	assert_int_equal(
		history_conversations(history, user, before, limit, &json),
		ST_OK);
	return answer_text(json.max);
}

static const char *one(uint64_t user, uint64_t id)
{
	buf_clear(&json);
	assert_int_equal(history_conversation(history, user, id, &json), ST_OK);
	return answer_text(json.max);
}

static const char *page(uint64_t user, uint64_t in, enum history_part part,
                        uint64_t from, unsigned limit)
{
	struct history_page page = {in, part, from, limit};

	buf_clear(&json);
	assert_int_equal(history_messages(history, user, &page, &json), ST_OK);
	return answer_text(json.max);
}

static const char *members_of(uint64_t user, uint64_t in, uint64_t after,
                              uint64_t seen, unsigned limit)
{
	struct history_members page = {in, after, seen, limit};

	buf_clear(&json);
	assert_int_equal(history_members(history, user, &page, &json), ST_OK);
	return answer_text(json.max);
}

/* --- conversations ------------------------------------------------------- */
static void a_direct_conversation_has_all_its_fields(void **state)
{
	const char *got = list_of(ME, INT64_MAX, 50);

	(void)state;
	assert_has(got, "{\"id\":10,\"kind\":\"direct\",\"name\":null,"
	                "\"with\":{\"id\":2},\"role\":\"member\",\"members\":2,"
	                "\"history\":\"all\",\"last_seq\":2,\"read_seq\":1,"
	                "\"delivered_seq\":1,\"unread\":1,\"revision\":0,"
	                "\"last_message\":{\"type\":\"message\",\"id\":");
	assert_has(got, "\"user_from\":2,\"user_to\":1,");
	assert_has(got, "\"message\":\"hello\"");
	assert_has(got, "\"next\":null}");
}

static void groups_and_channels_are_in_the_list(void **state)
{
	const char *got = list_of(ME, INT64_MAX, 50);

	(void)state;
	assert_has(got, "{\"conversations\":[{\"id\":20,\"kind\":\"group\","
	                "\"name\":\"Tea \\\"club\\\"\",\"with\":null,"
	                "\"role\":\"owner\",\"members\":3,");
	assert_not(got, "\"id\":30");
	got = list_of(YOU, INT64_MAX, 50);
	assert_has(got, "{\"id\":30,\"kind\":\"channel\",\"name\":\"news\"");
	assert_int_equal(occurrences(got, "\"kind\""), 3);
	assert_string_equal(list_of(99, INT64_MAX, 50),
	                    "{\"conversations\":[],\"next\":null}");
}

static void the_list_has_pages(void **state)
{
	const char *got = list_of(YOU, INT64_MAX, 2);
	uint64_t next;

	(void)state;
	assert_int_equal(occurrences(got, "\"kind\""), 2);
	assert_has(got, "\"id\":30,");
	next = strtoull(strstr(got, "\"next\":") + 7, NULL, 10);
	assert_int_not_equal(next, 0);
	got = list_of(YOU, next, 2);
	assert_int_equal(occurrences(got, "\"kind\""), 1);
	assert_has(got, "\"id\":10,");
	assert_has(got, "\"next\":null");
}

static void a_member_entry_may_be_the_last_message(void **state)
{
	(void)state;
	entry(GROUP, 5, ME, 2, "{\"what\":\"renamed\",\"name\":\"Chai\"}");
	assert_has(one(ME, GROUP),
	           "\"last_message\":{\"type\":\"member\",\"id\":");
	assert_has(answer_text(json.max),
	           "\"change\":{\"what\":\"renamed\",\"name\":\"Chai\"}");
	assert_not(answer_text(json.max), "user_to");
}

static void delivered_is_never_below_read(void **state)
{
	(void)state;
	assert_has(one(YOU, GROUP), "\"read_seq\":3,\"delivered_seq\":3,"
	                            "\"unread\":1");
	chat_execute("UPDATE members SET delivered_seq = 4 WHERE user = 2");
	assert_has(one(YOU, GROUP), "\"read_seq\":3,\"delivered_seq\":4,");
	chat_execute("UPDATE members SET read_seq = 9 WHERE user = 2");
	assert_has(one(YOU, GROUP), "\"unread\":0");
}

static void one_conversation_is_the_same_as_in_the_list(void **state)
{
	char *object;

	(void)state;
	object = strdup(one(ME, PAIR));
	assert_has(list_of(ME, INT64_MAX, 50), object);
	free(object);
}

static void a_non_member_finds_nothing(void **state)
{
	struct history_page messages = {CHANNEL, PART_AFTER, 0, 50};
	struct history_members members = {CHANNEL, 0, 0, 50};

	(void)state;
	chat_execute(
		"UPDATE conversations SET deleted_at = '2026-11-21 10:00:00'"
		" WHERE id = %u",
		GROUP);
	for (unsigned i = 0; i < 3; i++) {
		uint64_t id = (uint64_t[]){CHANNEL, GROUP, 12345}[i];

		buf_clear(&json);
		messages.conversation = members.conversation = id;
		assert_int_equal(history_conversation(history, ME, id, &json),
		                 ST_NOT_FOUND);
		assert_int_equal(
			history_messages(history, ME, &messages, &json),
			ST_NOT_FOUND);
		assert_int_equal(history_members(history, ME, &members, &json),
		                 ST_NOT_FOUND);
		assert_int_equal(json.len, 0);
	}
	assert_not(list_of(ME, INT64_MAX, 50), "group");
}

/* --- messages ------------------------------------------------------------ */
static void messages_and_member_entries_are_in_one_list(void **state)
{
	const char *got = page(ME, GROUP, PART_AFTER, 0, 50);

	(void)state;
	assert_int_equal(occurrences(got, "\"type\":\"member\""), 2);
	assert_int_equal(occurrences(got, "\"type\":\"message\""), 2);
	assert_has(got, "\"change\":{\"what\":\"invited\",\"users\":[2]},"
	                "\"created_at\":\"2026-11-21T10:00:00.000Z\"}");
	assert_true(strstr(got, "created\"") < strstr(got, "\"one\""));
	assert_has(got, "\"next\":null}");
}

static void a_later_member_sees_later_entries_only(void **state)
{
	const char *got = page(YOU, GROUP, PART_AFTER, 0, 50);

	(void)state;
	assert_int_equal(occurrences(got, "\"seq\""), 2);
	assert_has(got, "\"seq\":3,");
	got = page(YOU, GROUP, PART_BEFORE, 4, 50);
	assert_int_equal(occurrences(got, "\"seq\""), 1);
	assert_has(got, "\"seq\":3,");
	assert_has(got, "\"next\":null");
	assert_int_equal(
		occurrences(page(YOU, GROUP, PART_BEFORE, 3, 50), "seq"), 0);
}

static void pages_ascend_in_both_directions(void **state)
{
	const char *got = page(ME, GROUP, PART_AFTER, 1, 2);

	(void)state;
	assert_true(strstr(got, "\"seq\":2") < strstr(got, "\"seq\":3"));
	assert_has(got, "\"next\":3}");
	got = page(ME, GROUP, PART_BEFORE, 4, 2);
	assert_true(strstr(got, "\"seq\":2") < strstr(got, "\"seq\":3"));
	assert_has(got, "\"next\":2}");
	assert_has(page(ME, GROUP, PART_BEFORE, 2, 2), "\"next\":null}");
}

static void a_changed_message_shows_its_last_state(void **state)
{
	const char *got;

	(void)state;
	change(GROUP, 1, 2, 1,
	       "body = 'won', edited_at = '2026-11-21 11:00:00.123'");
	change(GROUP, 2, 4, 2,
	       "body = '', deleted_at = '2026-11-21 12:00:00.000'");
	got = page(ME, GROUP, PART_AFTER, 0, 50);
	assert_has(got,
	           "\"message\":\"won\",\"created_at\":\"2026-11-21T10:00:"
	           "00.000Z\",\"revision\":1,\"edited_at\":\"2026-11-21T11:"
	           "00:00.123Z\"}");
	assert_has(got,
	           "\"message\":\"\",\"created_at\":\"2026-11-21T10:00:"
	           "00.000Z\",\"revision\":2,\"deleted_at\":\"2026-11-21T12:"
	           "00:00.000Z\"}");
	assert_int_equal(occurrences(got, "revision"), 2);
}

static void a_deleted_message_has_no_text_even_if_its_row_has(void **state)
{
	(void)state;
	change(GROUP, 1, 4, 2, "deleted_at = '2026-11-21 12:00:00.000'");
	assert_not(page(ME, GROUP, PART_AFTER, 0, 50), "two");
	assert_not(list_of(ME, INT64_MAX, 50), "two");
}

static void react(unsigned in, unsigned seq, unsigned user,
                  const char *reaction)
{
	chat_execute("INSERT INTO reactions VALUES (%u, %u, '%s', %u)", in, seq,
	             reaction, user);
}

static void reactions_are_grouped(void **state)
{
	const char *got;

	(void)state;
	react(GROUP, 4, YOU, "👍");
	react(GROUP, 4, ME, "👍");
	react(GROUP, 4, ME, "\\\"");
	react(GROUP, 2, YOU, "x");
	react(CHANNEL, 4, YOU, "y");
	change(GROUP, 1, 2, 3, "");
	change(GROUP, 2, 4, 3, "");
	got = page(ME, GROUP, PART_AFTER, 0, 50);
	assert_has(got, "\"revision\":2,\"reactions\":[{\"reaction\":\"\\\"\","
	                "\"users\":[1],\"count\":1},{\"reaction\":\"👍\","
	                "\"users\":[1,2],\"count\":2}]}");
	assert_has(got, "\"revision\":1,\"reactions\":[{\"reaction\":\"x\","
	                "\"users\":[2],\"count\":1}]}");
	assert_not(got, "\"y\"");
	got = page(ME, GROUP, PART_BEFORE, 100, 50);
	assert_int_equal(occurrences(got, "reactions"), 2);
	assert_has(list_of(ME, INT64_MAX, 50), "\"users\":[1,2],\"count\":2}]");
	assert_int_equal(occurrences(answer_text(json.max), "reactions"), 1);
}

static void reactions_list_some_users_and_count_all(void **state)
{
	const char *got;

	(void)state;
	chat_execute(
		"INSERT INTO reactions SELECT %u, 2, 'x', 9007199254000000 +"
		" seq FROM " CHAT_NUMBERS_TO(3000),
		GROUP);
	change(GROUP, 1, 2, 3, "");
	got = page(ME, GROUP, PART_AFTER, 0, 50);
	assert_has(got, ",9007199254000100],\"count\":3000}");
	assert_not(got, "9007199254000101");
}

static void a_changed_message_is_listed_once_at_its_last_change(void **state)
{
	const char *got;

	(void)state;
	change(GROUP, 1, 2, 1, "body = 'a'");
	change(GROUP, 2, 4, 1, "body = 'b'");
	change(GROUP, 3, 2, 1, "body = 'c'");
	got = page(ME, GROUP, PART_REVISED, 0, 50);
	assert_int_equal(occurrences(got, "\"type\""), 2);
	assert_true(strstr(got, "\"b\"") < strstr(got, "\"c\""));
	assert_has(got, "\"next\":null");
	got = page(ME, GROUP, PART_REVISED, 0, 1);
	assert_has(got, "\"b\"");
	assert_has(got, "\"next\":2}");
	got = page(ME, GROUP, PART_REVISED, 2, 1);
	assert_has(got, "\"c\"");
	assert_has(got, "\"next\":null");
	got = page(YOU, GROUP, PART_REVISED, 0, 50);
	assert_int_equal(occurrences(got, "\"type\""), 1);
	assert_has(got, "\"b\"");
	assert_string_equal(page(ME, GROUP, PART_REVISED, 3, 50),
	                    "{\"messages\":[],\"next\":null}");
}

static void very_many_changes_of_one_message_do_not_block_the_list(void **state)
{
	uint64_t from = 0;
	unsigned found = 0, pages = 0;

	(void)state;
	chat_execute(
		"INSERT INTO revisions (conversation, revision, seq, kind,"
		" sender, uuid, created_at) SELECT %u, seq, 2, 3, 1,"
		" UNHEX(MD5(CONCAT('many', seq))), NOW() FROM " CHAT_NUMBERS_TO(
			9000),
		GROUP);
	change(GROUP, 9001, 4, 1, "");
	change(GROUP, 9002, 2, 1, "");
	do {
		const char *got = page(ME, GROUP, PART_REVISED, from, 1);

		found += occurrences(got, "\"type\"");
		got = strstr(got, "\"next\":") + 7;
		from = strtoull(got, NULL, 10);
		assert_true(++pages < 10);
	} while (from);
	assert_int_equal(found, 2);
}

/* --- members ------------------------------------------------------------- */
static void members_are_listed_by_user(void **state)
{
	const char *got = members_of(ME, GROUP, 0, 0, 50);

	(void)state;
	assert_string_equal(
		got,
		"{\"members\":[{\"user\":1,\"role\":\"owner\",\"joined_at\":"
		"\"2026-11-21T10:00:00.001Z\",\"delivered_seq\":2,"
		"\"read_seq\":2},{\"user\":2,\"role\":\"member\","
		"\"joined_at\":\"2026-11-21T10:00:00.002Z\","
		"\"delivered_seq\":3,\"read_seq\":3}],\"next\":null}");
	assert_int_equal(occurrences(members_of(ME, PAIR, 0, 0, 50), "role"),
	                 2);
	got = members_of(ME, GROUP, 0, 0, 1);
	assert_has(got, "\"next\":1}");
	got = members_of(ME, GROUP, 1, 0, 1);
	assert_has(got, "[{\"user\":2,");
	assert_has(got, "\"next\":null");
}

static void members_who_have_seen_an_entry_are_listed(void **state)
{
	const char *got = members_of(ME, GROUP, 0, 3, 50);

	(void)state;
	assert_has(got, "{\"members\":[{\"user\":2,");
	assert_int_equal(occurrences(got, "role"), 1);
	assert_string_equal(members_of(ME, GROUP, 0, 4, 50),
	                    "{\"members\":[],\"next\":null}");
}

static void the_few_members_who_have_seen_an_entry_are_found(void **state)
{
	unsigned found = 0, pages = 0;
	uint64_t after = 0;

	(void)state;
	chat_execute(
		"INSERT INTO members (user, conversation, joined_at, read_seq)"
		" SELECT 100 + seq, %u, NOW(3), IF(seq %% 4000 = 0, 4, 1)"
		" FROM " CHAT_NUMBERS_TO(10000),
		GROUP);
	do {
		const char *got = members_of(ME, GROUP, after, 4, 200);

		found += occurrences(got, "role");
		after = strtoull(strstr(got, "\"next\":") + 7, NULL, 10);
		pages++;
	} while (after);
	assert_int_equal(found, 2);
	assert_int_equal(pages, 6);
}

/* --- sync ---------------------------------------------------------------- */
static struct sync_cursor cursor;

static const char *sync_page(uint64_t user, unsigned limit)
{
	buf_clear(&json);
	assert_int_equal(history_sync(history, user, &cursor, limit, &json),
	                 ST_OK);
	return answer_text(json.max);
}

static void sync_reports_differences(void **state)
{
	const char *got;

	(void)state;
	cursor.buckets = 0;
	got = sync_page(ME, 500);
	assert_int_equal(occurrences(got, "\"kind\""), 2);
	assert_has(got, "\"gone\":[],\"cursor\":\"AQ");
	assert_has(got, "\"more\":false}");
	assert_has(got, "\"message\":\"hello\"");
	got = sync_page(ME, 500);
	assert_has(got, "{\"conversations\":[],\"gone\":[],");
	entry(GROUP, 5, YOU, 1, "three");
	got = sync_page(ME, 500);
	assert_has(got, "\"message\":\"three\"");
	assert_has(got, "\"unread\":3");
	assert_has(sync_page(ME, 500), "{\"conversations\":[],\"gone\":[],");
}

static void sync_reports_receipts_and_changes(void **state)
{
	static const char *const changes[] = {
		"UPDATE members SET read_seq = 4 WHERE user = 1 AND"
		" conversation = 20",
		"UPDATE members SET delivered_seq = 4 WHERE user = 1 AND"
		" conversation = 20",
		"UPDATE members SET role = 2 WHERE user = 1 AND"
		" conversation = 20",
		"UPDATE conversations SET revision = 7 WHERE id = 20"};

	(void)state;
	cursor.buckets = 0;
	(void)sync_page(ME, 500);
	for (unsigned i = 0; i < ARRAY_LEN(changes); i++) {
		chat_execute("%s", changes[i]);
		assert_has(sync_page(ME, 500), "{\"id\":20,");
		assert_not(sync_page(ME, 500), "{\"id\":");
	}
}

static void sync_reports_departures(void **state)
{
	(void)state;
	cursor.buckets = 0;
	(void)sync_page(ME, 500);
	chat_execute(
		"DELETE FROM members WHERE user = 1 AND conversation = 20");
	chat_execute("INSERT INTO departures VALUES (1, 20, 5)");
	assert_has(sync_page(ME, 500), "\"gone\":[20],");
	assert_not(answer_text(json.max), "{\"id\":20");
	assert_has(sync_page(ME, 500), "\"gone\":[],");
	/* The user returns; then the conversation is deleted with its members.
	 */
	member(GROUP, ME, 1, 0, 0);
	assert_has(sync_page(ME, 500), "{\"id\":20,");
	assert_has(answer_text(json.max), "\"gone\":[],");
	chat_execute(
		"UPDATE conversations SET deleted_at = NOW() WHERE id = 20");
	assert_has(sync_page(ME, 500), "\"gone\":[20],");
	chat_execute("DELETE FROM members WHERE conversation = 20");
	assert_has(sync_page(ME, 500), "\"gone\":[],");
	assert_has(answer_text(json.max), "\"conversations\":[],");
}

static void sync_continues_after_a_page(void **state)
{
	unsigned reported = 0, pages = 0;
	const char *got;

	(void)state;
	cursor.buckets = 0;
	chat_execute(
		"INSERT INTO conversations (id, kind, ckey, name, created_by,"
		" created_at, last_seq, last_message_id) SELECT 1000 + seq, 2,"
		" CONCAT('c:', 1000 + seq), 'n', 1, NOW(), 1, 1000000 + seq"
		" FROM " CHAT_NUMBERS_TO(1000));
	chat_execute(
		"INSERT INTO messages (conversation, seq, id, sender, uuid,"
		" created_at, body) SELECT 1000 + seq, 1, 1000000 + seq, 5,"
		" UNHEX(MD5(seq)), NOW(), 'text' FROM " CHAT_NUMBERS_TO(1000));
	chat_execute(
		"INSERT INTO members (user, conversation, joined_at)"
		" SELECT 1, 1000 + seq, NOW() FROM " CHAT_NUMBERS_TO(1000));
	do {
		got = sync_page(ME, 300);
		reported += occurrences(got, "\"kind\"");
		assert_int_equal(occurrences(got, "\"kind\""),
		                 occurrences(got, "\"last_message\":{"));
		assert_true(++pages < 10);
	} while (strstr(got, "\"more\":true"));
	assert_int_equal(reported, 1002);
	assert_int_equal(pages, 4);
	assert_has(sync_page(ME, 300), "{\"conversations\":[],\"gone\":[],");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, fill)
	const struct CMUnitTest tests[] = {
		TEST(a_direct_conversation_has_all_its_fields),
		TEST(groups_and_channels_are_in_the_list),
		TEST(the_list_has_pages),
		TEST(a_member_entry_may_be_the_last_message),
		TEST(delivered_is_never_below_read),
		TEST(one_conversation_is_the_same_as_in_the_list),
		TEST(a_non_member_finds_nothing),
		TEST(messages_and_member_entries_are_in_one_list),
		TEST(a_later_member_sees_later_entries_only),
		TEST(pages_ascend_in_both_directions),
		TEST(a_changed_message_shows_its_last_state),
		TEST(a_deleted_message_has_no_text_even_if_its_row_has),
		TEST(reactions_are_grouped),
		TEST(reactions_list_some_users_and_count_all),
		TEST(a_changed_message_is_listed_once_at_its_last_change),
		TEST(very_many_changes_of_one_message_do_not_block_the_list),
		TEST(members_are_listed_by_user),
		TEST(members_who_have_seen_an_entry_are_listed),
		TEST(the_few_members_who_have_seen_an_entry_are_found),
		TEST(sync_reports_differences),
		TEST(sync_reports_receipts_and_changes),
		TEST(sync_reports_departures),
		TEST(sync_continues_after_a_page),
	};

	return cmocka_run_group_tests(tests, history_fixture_start,
	                              history_fixture_stop);
}
