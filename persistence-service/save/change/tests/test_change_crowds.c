/*
 * A message to which a whole room has reacted: the work of one more reaction,
 * counted by the database server in rows that it reads.
 */
#include "persistence-service/save/change/tests/changes_fixture.h"

#include "common/io/sql/sql.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum {
	CROWD = 40000,  /* reactions of each kind */
	ROWS_MAX = 200, /* that one reaction may read */
};

/* By the connection of the pass. */
static uint64_t rows_read(void)
{
	struct sql_value row[2];
	uint64_t sum = 0, one;
	enum status status = sql_begin(sql);

	if (status == ST_OK)
		status =
			sql_run(sql, "SHOW SESSION STATUS LIKE 'Handler_read%'",
		                NULL, 0);
	while (status == ST_OK &&
	       (status = sql_fetch(sql, row, ARRAY_LEN(row))) == ST_OK) {
		assert_true(span_to_u64(row[1].bytes, UINT64_MAX, &one));
		sum += one;
	}
	assert_int_equal(status, ST_NOT_FOUND);
	sql_rollback(sql);
	return sum;
}

static void assert_reaction(const char *reaction, enum outcome outcome)
{
	const struct batch_entry *entry;
	uint64_t before = rows_read();

	batch_clear(batch);
	entry = react(1, 2, reaction, false);
	pass_save();
	assert_in_range(rows_read() - before, 1, ROWS_MAX);
	assert_int_equal(entry->outcome, outcome);
}

static void a_crowd_reacts_with(const char *reaction)
{
	chat_execute("INSERT INTO reactions SELECT 17, 2, '%s', 1000 + seq"
	             " FROM " CHAT_NUMBERS_TO(40000),
	             reaction);
}

static void one_more_reaction_does_not_read_those_of_the_crowd(void **state)
{
	(void)state;
	a_crowd_reacts_with("a");
	a_crowd_reacts_with("c");
	assert_reaction("a", OUTCOME_SAVED);
	assert_reaction("b", OUTCOME_SAVED);
	assert_reaction("d", OUTCOME_REFUSED); /* a fourth: three may be */
	assert_refused(&batch->entries[0], FRAME_TOO_MANY);
	assert_reaction("c", OUTCOME_SAVED);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM reactions"),
	                 2 * CROWD + 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			one_more_reaction_does_not_read_those_of_the_crowd,
			changes_fixture_begin),
	};

	return cmocka_run_group_tests(tests, changes_fixture_start,
	                              changes_fixture_stop);
}
