#include "persistence-service/rest/read/summary.h"
#include "tests/support/text_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct summaries all;
static struct buf json = {.max = 1 << 20};

static int start(void **state)
{
	(void)state;
	summaries_clear(&all);
	buf_clear(&json);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	summaries_free(&all);
	summaries_free(&all); /* also a free one */
	buf_free(&json);
	return 0;
}

/* id, kind, ckey, name, history, members, last_seq, last_message_id, revision,
   role, read_seq, delivered_seq, from_seq */
static struct sql_value row[SUMMARY_COLUMN_COUNT];

static void fill(uint64_t kind, const char *key, const char *name)
{
	const uint64_t numbers[SUMMARY_COLUMN_COUNT] = {
		7, kind, 0, 0, 2, 5, 40, 9, 3, 1, 30, 20, 0};

	for (unsigned i = 0; i < SUMMARY_COLUMN_COUNT; i++)
		row[i] = sql_number(numbers[i]);
	row[2] = sql_bytes(span_of(key));
	row[3] = name ? sql_bytes(span_of(name))
	              : (struct sql_value){.kind = SQL_NULL};
}

static const char *written(unsigned index)
{
	struct json_writer w = json_writer(&json);

	buf_clear(&json);
	summary_write(&all, &all.item[index], SPAN_NONE, &w);
	return buf_text(&json);
}

static void a_group_has_a_name_and_no_other_user(void **state)
{
	(void)state;
	fill(KIND_GROUP, "c:7", "Te\"a");
	assert_int_equal(summaries_add(&all, 1, row), ST_OK);
	assert_string_equal(
		written(0),
		"{\"id\":7,\"kind\":\"group\",\"name\":\"Te\\\"a\","
		"\"with\":null,\"role\":\"member\",\"members\":5,"
		"\"history\":\"joined\",\"last_seq\":40,\"read_seq\":30,"
		"\"delivered_seq\":30,\"unread\":10,\"revision\":3,"
		"\"last_message\":null}");
}

static void
a_direct_conversation_is_with_the_other_user_of_its_key(void **state)
{
	(void)state;
	fill(KIND_DIRECT, "d:1:2", NULL);
	assert_int_equal(summaries_add(&all, 1, row), ST_OK);
	assert_int_equal(summaries_add(&all, 2, row), ST_OK);
	assert_has(written(0), "\"name\":null,\"with\":{\"id\":2}");
	assert_has(written(0), "\"members\":2,");
	assert_has(written(1), "\"with\":{\"id\":1}");
	fill(KIND_DIRECT, "d:3:3", NULL);
	assert_int_equal(summaries_add(&all, 3, row), ST_OK);
	assert_has(written(2), "\"with\":{\"id\":3}");
	assert_has(written(2), "\"members\":1,");
}

static void a_malformed_key_is_a_broken_row(void **state)
{
	(void)state;
	fill(KIND_DIRECT, "c:7", NULL);
	assert_int_equal(summaries_add(&all, 1, row), ST_BROKEN);
	assert_int_equal(all.count, 0);
}

static void unread_is_never_negative(void **state)
{
	(void)state;
	fill(KIND_CHANNEL, "c:7", "x");
	row[10].number = 41;
	row[11].number = 50;
	assert_int_equal(summaries_add(&all, 1, row), ST_OK);
	assert_has(written(0), "\"kind\":\"channel\"");
	assert_has(written(0), "\"read_seq\":41,\"delivered_seq\":50,"
	                       "\"unread\":0,");
}

static void roles_and_histories_have_words(void **state)
{
	(void)state;
	assert_true(span_equal(span_of(member_role_word(ROLE_OWNER)),
	                       SPAN("owner")));
	assert_true(span_equal(span_of(member_role_word(ROLE_ADMIN)),
	                       SPAN("admin")));
	assert_true(span_equal(span_of(member_role_word(ROLE_MEMBER)),
	                       SPAN("member")));
	fill(KIND_GROUP, "c:7", "x");
	row[4].number = HISTORY_ALL;
	assert_int_equal(summaries_add(&all, 1, row), ST_OK);
	assert_has(written(0), "\"history\":\"all\"");
}

static void names_stay_with_their_conversations(void **state)
{
	char name[64], want[64];

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "group %u", i);
		fill(KIND_GROUP, "c:7", name);
		assert_int_equal(summaries_add(&all, 1, row), ST_OK);
		summaries_add_gone(&all, i);
	}
	assert_int_equal(all.count, 2000);
	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(want, sizeof(want), "\"group %u\"", i);
		assert_has(written(2 * i), want);
		assert_true(all.item[2 * i + 1].gone);
	}
	summaries_clear(&all);
	assert_int_equal(all.count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, start)
	const struct CMUnitTest tests[] = {
		TEST(a_group_has_a_name_and_no_other_user),
		TEST(a_direct_conversation_is_with_the_other_user_of_its_key),
		TEST(a_malformed_key_is_a_broken_row),
		TEST(unread_is_never_negative),
		TEST(roles_and_histories_have_words),
		TEST(names_stay_with_their_conversations),
	};

	return cmocka_run_group_tests(tests, NULL, stop);
}
