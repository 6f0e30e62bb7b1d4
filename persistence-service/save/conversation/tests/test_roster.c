/* How many rosters are cached, against a real server. */
#include "persistence-service/save/conversation/pending_events.h"
#include "persistence-service/save/conversation/roster.h"
#include "persistence-service/save/tests/batch_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum {
	CACHED_MAX = 20000, /* roster.c */
	FIRST = 1000,       /* conversation */
	PARTITIONS = 12,
};

static struct pending_events *events;
static struct rosters *rosters;

static int start(void **state)
{
	(void)state;
	batch_fixture_start();
	events = pending_events_create(sql);
	rosters = rosters_create(sql, PARTITIONS, events);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	rosters_destroy(&rosters);
	pending_events_destroy(&events);
	batch_fixture_stop();
	return 0;
}

/* The rosters of the conversations from `from` on, in batches. */
static void load(uint64_t from, unsigned count)
{
	while (count) {
		batch_clear(batch);
		assert_int_equal(sql_begin(sql), ST_OK);
		rosters_begin(rosters);
		for (unsigned i = 0; count && i < BATCH_RECORDS_MAX; i++) {
			rosters_request(rosters, from++, 1, false);
			count--;
		}
		assert_int_equal(rosters_load(rosters, batch), ST_OK);
		assert_int_equal(sql_commit(sql), ST_OK);
	}
}

static void the_longest_unused_rosters_are_evicted(void **state)
{
	const struct roster *roster;

	(void)state;
	chat_execute("INSERT INTO conversations (id, kind, ckey, name,"
	             " last_seq, created_by, created_at, member_count)"
	             " SELECT %u + seq, 2, CONCAT('c:', %u + seq), 'g', 1, 1,"
	             " NOW(3), 1 FROM numbers WHERE seq <= %u",
	             FIRST - 1, FIRST - 1, CACHED_MAX + 2);
	chat_execute("INSERT INTO members (user, conversation, joined_at)"
	             " SELECT 7, id, NOW(3) FROM conversations");
	load(FIRST, CACHED_MAX);
	load(FIRST, 1); /* used again */
	load(FIRST + CACHED_MAX, 2);
	/* The next batch begins with as many as there may be. */
	rosters_begin(rosters);
	assert_null(rosters_find(rosters, FIRST + 1));
	assert_null(rosters_find(rosters, FIRST + 2));
	assert_non_null(rosters_find(rosters, FIRST + 3));
	roster = rosters_find(rosters, FIRST);
	assert_non_null(roster);
	assert_int_equal(roster->user_count, 1);
	/* One that was evicted is read again. */
	load(FIRST + 1, 1);
	roster = rosters_get(rosters, FIRST + 1);
	assert_int_equal(roster->user_count, 1);
	assert_int_equal(roster->users[0].user, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_unused_rosters_are_evicted),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
