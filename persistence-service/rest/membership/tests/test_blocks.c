/* Block lists, against the real server of chat_fixture. */
#include "common/service/log.h"
#include "persistence-service/rest/membership/blocks.h"
#include "persistence-service/tests/chat_fixture.h"
#include "tests/support/text_check.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { ME = 1 };

static struct sql_session *session;
static struct buf json = {.max = 64 * 1024};

/* The log of blocks.c. */
static char why[256];

void __real_log_write(enum log_level level, const char *event,
                      const struct log_field *fields);
void __wrap_log_write(enum log_level level, const char *event,
                      const struct log_field *fields);
void __wrap_log_write(enum log_level level, const char *event,
                      const struct log_field *fields)
{
	for (const struct log_field *f = fields; f->name; f++)
		if (strcmp(f->name, "why") == 0)
			(void)snprintf(why, sizeof(why), "%.*s",
			               (int)f->text.len, f->text.data);
	__real_log_write(level, event, fields);
}

static int start(void **state)
{
	(void)state;
	chat_start();
	session = sql_session_create(&chat_settings);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	sql_session_destroy(&session);
	chat_stop();
	buf_free(&json);
	return 0;
}

static int empty(void **state)
{
	(void)state;
	chat_empty();
	return 0;
}

/* Stands for the outbox publisher: removes the record, as when Kafka has it. */
static void *publish(void *context)
{
	struct sql *by = settings_sql(&chat_settings);
	enum status status = ST_UNAVAILABLE;

	sql_thread_start();
	for (unsigned i = 0; i < 100; i++) {
		(void)usleep(10000);
		if (status != ST_OK)
			status = sql_connect(by);
		if (status == ST_OK)
			status = sql_execute(by, "DELETE FROM outbox");
		if (status == ST_OK && sql_affected(by))
			break;
	}
	sql_destroy(&by);
	sql_thread_stop();
	return context;
}

static enum status change_block(bool put, uint64_t blocked, unsigned max)
{
	struct block block = {.user = ME, .blocked = blocked};
	enum status status;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, publish, NULL), 0);
	status = put ? blocks_put(session, &block, max)
	             : blocks_remove(session, &block);
	(void)pthread_join(thread, NULL);
	return status;
}

static const char *text(void)
{
	assert_false(buf_overflowed(&json));
	return buf_text(&json);
}

static const char *blocked_by_me(uint64_t after, unsigned limit)
{
	buf_clear(&json);
	assert_int_equal(blocks_list(session, ME, after, limit, &json), ST_OK);
	return text();
}

static void a_block_is_listed_until_it_is_removed(void **state)
{
	(void)state;
	assert_int_equal(change_block(true, 5, 10), ST_OK);
	assert_int_equal(change_block(true, 5, 10), ST_OK);
	assert_int_equal(change_block(true, 4, 10), ST_OK);
	assert_has(blocked_by_me(0, 50), "{\"blocks\":[{\"user\":4,"
	                                 "\"created_at\":\"20");
	assert_has(text(), "Z\"}],\"next\":null}");
	assert_int_equal(occurrences(text(), "user"), 2);
	assert_has(blocked_by_me(0, 1), "\"next\":4}");
	assert_has(blocked_by_me(4, 1), "\"next\":null}");
	assert_int_equal(change_block(false, 5, 10), ST_OK);
	assert_int_equal(change_block(false, 5, 10), ST_OK);
	assert_int_equal(occurrences(blocked_by_me(0, 50), "user"), 1);
}

static void the_number_of_blocks_is_limited(void **state)
{
	(void)state;
	assert_int_equal(change_block(true, 5, 2), ST_OK);
	assert_int_equal(change_block(true, 6, 2), ST_OK);
	assert_int_equal(change_block(true, 7, 2), ST_TOO_LARGE);
	assert_int_equal(change_block(true, 6, 2), ST_OK);
	assert_int_equal(occurrences(blocked_by_me(0, 50), "user"), 2);
}

static void an_unpublished_block_is_uncertain(void **state)
{
	struct block block = {.user = ME, .blocked = 5};
	struct sql *sql = chat_connect();
	struct sql_value row[3];

	(void)state;
	assert_int_equal(blocks_put(session, &block, 9), ST_UNCERTAIN);
	assert_string_equal(why, "Kafka has not confirmed the record");
	assert_int_equal(occurrences(blocked_by_me(0, 50), "user"), 1);
	assert_int_equal(
		sql_run(sql, "SELECT target, body, kind FROM outbox", NULL, 0),
		ST_OK);
	assert_int_equal(sql_fetch(sql, row, 3), ST_OK);
	assert_true(span_equal(row[0].bytes, SPAN("d:1:5")));
	assert_true(span_starts(row[1].bytes,
	                        SPAN("{\"kind\":\"blocked\",\"sender\":1,"
	                             "\"user_to\":5,\"sent_at\":\"20")));
	assert_int_equal(row[2].number, 2);
	assert_int_equal(sql_fetch(sql, row, 3), ST_NOT_FOUND);
	sql_destroy(&sql);
}

/* Pairs of ME with 2, 3 …; one with itself, and a group of ME and 2. */
static void make_pairs(unsigned pairs)
{
	chat_execute("INSERT INTO conversations (id, kind, ckey, created_by,"
	             " created_at) VALUES (5000, 1, 'd:1:1', 1, NOW(3)),"
	             " (5001, 2, 'c:5001', 1, NOW(3))");
	chat_execute("INSERT INTO members (user, conversation, joined_at)"
	             " VALUES (1, 5000, NOW(3)), (1, 5001, NOW(3)),"
	             " (9000, 5001, NOW(3))");
	for (unsigned i = 2; i < pairs + 2; i++) {
		chat_execute("INSERT INTO conversations (id, kind, ckey,"
		             " created_by, created_at)"
		             " VALUES (%u, 1, 'd:1:%u', 1, NOW(3))",
		             i, i);
		chat_execute("INSERT INTO members (user, conversation,"
		             " joined_at) VALUES (1, %u, NOW(3)),"
		             " (%u, %u, NOW(3))",
		             i, i, i);
	}
}

static void a_deleted_user_blocks_the_others_of_its_pairs(void **state)
{
	unsigned count = 0;

	(void)state;
	make_pairs(BLOCKS_PAIRS_MAX + 3);
	chat_execute("INSERT INTO blocks (user, blocked, created_at) VALUES"
	             " (1, 2, NOW(3)), (3, 1, NOW(3))");
	assert_int_equal(blocks_put_pairs(session, ME, &count), ST_OK);
	assert_int_equal(count, BLOCKS_PAIRS_MAX);
	assert_int_equal(blocks_put_pairs(session, ME, &count), ST_OK);
	assert_int_equal(count, 2);
	assert_int_equal(blocks_put_pairs(session, ME, &count), ST_OK);
	assert_int_equal(count, 0);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM blocks"
	                             " WHERE user = 1 AND blocked BETWEEN 2"
	                             " AND 104"),
	                 BLOCKS_PAIRS_MAX + 3);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM blocks"),
	                 BLOCKS_PAIRS_MAX + 4);
	/* A record for each that is new, with the key of its pair. */
	assert_int_equal(chat_number("SELECT COUNT(DISTINCT target) FROM outbox"
	                             " WHERE kind = 2 AND conversation = 0"
	                             " AND target LIKE 'd:1:%%'"),
	                 BLOCKS_PAIRS_MAX + 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, empty)
	const struct CMUnitTest tests[] = {
		TEST(a_block_is_listed_until_it_is_removed),
		TEST(the_number_of_blocks_is_limited),
		TEST(an_unpublished_block_is_uncertain),
		TEST(a_deleted_user_blocks_the_others_of_its_pairs),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
