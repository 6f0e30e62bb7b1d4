/* The tests create and drop the database test_sql_<pid>: see sql_server.h. */
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/io/sql/bulk.h"
#include "common/io/sql/fault.h"
#include "common/io/sql/migrate.h"
#include "common/io/sql/sql.h"
#include "tests/support/sql_server.h"

#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char database[32];

static int make_database(void **state)
{
	(void)state;
	sql_library_start();
	(void)snprintf(database, sizeof(database), "test_sql_%d", getpid());
	sql_server_create_database(database);
	return 0;
}

static int drop_database(void **state)
{
	(void)state;
	sql_server_drop_database(database);
	return 0;
}

static int fresh_table(void **state)
{
	struct sql *sql = sql_server_connect(database);

	assert_int_equal(sql_execute(sql, "DROP TABLE IF EXISTS thing"), ST_OK);
	assert_int_equal(
		sql_execute(sql,
	                    "CREATE TABLE thing ("
	                    " id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,"
	                    " number BIGINT UNSIGNED UNIQUE,"
	                    " name VARCHAR(20), bytes MEDIUMBLOB,"
	                    " small TINYINT UNSIGNED) ENGINE=InnoDB"),
		ST_OK);
	*state = sql;
	return 0;
}

static int close_sql(void **state)
{
	sql_destroy((struct sql **)state);
	return 0;
}

static enum status insert(struct sql *sql, uint64_t number, const char *name)
{
	struct sql_value values[] = {sql_number(number),
	                             sql_bytes(span_of(name))};

	return sql_run(sql, "INSERT INTO thing (number, name) VALUES (?, ?)",
	               values, 2);
}

static uint64_t count(struct sql *sql)
{
	struct sql_value row;

	assert_int_equal(sql_run(sql, "SELECT COUNT(*) FROM thing", NULL, 0),
	                 ST_OK);
	assert_int_equal(sql_fetch(sql, &row, 1), ST_OK);
	return row.number;
}

static void the_connection_knows_the_largest_packet(void **state)
{
	struct sql *sql = *state;
	struct sql_value row;

	assert_int_equal(sql_run(sql, "SELECT @@max_allowed_packet", NULL, 0),
	                 ST_OK);
	assert_int_equal(sql_fetch(sql, &row, 1), ST_OK);
	assert_int_equal(sql_packet_max(sql), row.number);
}

/* Before: nothing happens. After: it happens, and the answer is lost. */
static void a_fault_fails_one_statement(void **state)
{
	static const struct {
		unsigned error;
		bool after, transaction;
		enum status status;
		bool connected;
		uint64_t rows;
	} cases[] = {
		{1062, false, false, ST_CONFLICT, true, 0},
		{1062, true, false, ST_CONFLICT, true, 1},
		{1213, true, true, ST_UNAVAILABLE, true, 0},
		{1205, true, true, ST_UNAVAILABLE, true, 0},
		{1290, false, true, ST_UNAVAILABLE, true, 0},
		{1036, false, true, ST_UNAVAILABLE, true, 0},
		{1836, false, true, ST_UNAVAILABLE, true, 0},
		{1792, false, true, ST_UNAVAILABLE, true, 0},
		{1047, false, true, ST_UNAVAILABLE, true, 0},
		{1114, false, true, ST_UNAVAILABLE, true, 0},
		{1153, false, true, ST_INVALID, false, 0},
		{2006, true, true, ST_UNAVAILABLE, false, 0},
		{2013, true, true, ST_UNAVAILABLE, false, 0},
		{2013, true, false, ST_UNCERTAIN, false, 1},
	};
	struct sql *sql = *state;

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct sql_fault fault = {.statement = 1,
		                          .error = cases[i].error,
		                          .after = cases[i].after};

		if (!sql_connected(sql))
			assert_int_equal(sql_connect(sql), ST_OK);
		assert_int_equal(sql_execute(sql, "DELETE FROM thing"), ST_OK);
		assert_int_equal(insert(sql, 1, "prepared"), ST_OK);
		assert_int_equal(sql_execute(sql, "DELETE FROM thing"), ST_OK);
		if (cases[i].transaction)
			assert_int_equal(sql_begin(sql), ST_OK);
		sql_fault_set(sql, &fault);
		assert_int_equal(insert(sql, 1, "x"), cases[i].status);
		sql_fault_set(sql, NULL);
		assert_true(fault.happened);
		assert_int_equal(sql_connected(sql), cases[i].connected);
		sql_rollback(sql);
		if (!sql_connected(sql))
			assert_int_equal(sql_connect(sql), ST_OK);
		assert_int_equal(count(sql), cases[i].rows);
	}
}

/* As a server that has no connection left, and one that dies meanwhile. */
static void a_connect_may_fail_at_any_statement(void **state)
{
	static const unsigned errors[] = {1040, 1203, 2006, 2013, 1213};
	struct sql *sql = *state;

	for (unsigned i = 0; i < ARRAY_LEN(errors); i++) {
		struct sql_fault fault = {.error = errors[i]};

		do {
			fault.happened = false;
			fault.seen = 0;
			fault.statement++;
			sql_fault_set(sql, &fault);
			if (sql_connect(sql) != ST_OK) {
				assert_true(fault.happened);
				assert_false(sql_connected(sql));
				assert_int_equal(sql_begin(sql),
				                 ST_UNAVAILABLE);
			}
			sql_fault_set(sql, NULL);
		} while (fault.happened);
		assert_true(fault.statement > 3);
		assert_int_equal(count(sql), 0);
	}
}

static void stored_values_are_read_unchanged(void **state)
{
	struct sql *sql = *state;
	static const char raw[] = "\0\xff\xfe'\\\n\x80";
	struct sql_value in[] = {sql_number(UINT64_MAX),
	                         sql_bytes(SPAN("Zoë 🙂")),
	                         sql_bytes(span_make(raw, sizeof(raw))),
	                         {.kind = SQL_NULL}};
	struct sql_value row[4];

	assert_int_equal(sql_run(sql,
	                         "INSERT INTO thing (number, name, bytes,"
	                         " small) VALUES (?, ?, ?, ?)",
	                         in, 4),
	                 ST_OK);
	assert_int_equal(sql_affected(sql), 1);
	assert_int_equal(sql_insert_id(sql), 1);
	assert_int_equal(sql_run(sql,
	                         "SELECT number, name, bytes, small FROM thing",
	                         NULL, 0),
	                 ST_OK);
	assert_int_equal(sql_fetch(sql, row, 4), ST_OK);
	assert_true(row[0].kind == SQL_NUMBER && row[0].number == UINT64_MAX);
	assert_true(span_equal(row[1].bytes, in[1].bytes));
	assert_true(span_equal(row[2].bytes, in[2].bytes));
	assert_true(row[3].kind == SQL_NULL);
	assert_int_equal(sql_fetch(sql, row, 4), ST_NOT_FOUND);
	assert_int_equal(sql_fetch(sql, row, 4), ST_NOT_FOUND);
}

static void long_columns_are_read_whole_between_short_ones(void **state)
{
	struct sql *sql = *state;
	char *text = mem_new(300000);
	struct sql_value row[2];

	memset(text, 'x', 300000);
	for (uint64_t i = 0; i < 6; i++) {
		size_t len = i % 2 ? 300000 - i : i;
		struct sql_value in[] = {sql_number(i),
		                         sql_bytes(span_make(text, len))};

		assert_int_equal(sql_run(sql,
		                         "INSERT INTO thing (number, bytes)"
		                         " VALUES (?, ?)",
		                         in, 2),
		                 ST_OK);
	}
	assert_int_equal(sql_run(sql,
	                         "SELECT number, bytes FROM thing"
	                         " ORDER BY number",
	                         NULL, 0),
	                 ST_OK);
	for (uint64_t i = 0; i < 6; i++) {
		assert_int_equal(sql_fetch(sql, row, 2), ST_OK);
		assert_int_equal(row[0].number, i);
		assert_int_equal(row[1].bytes.len, i % 2 ? 300000 - i : i);
		assert_memory_equal(row[1].bytes.data, text, row[1].bytes.len);
	}
	assert_int_equal(sql_fetch(sql, row, 2), ST_NOT_FOUND);
	mem_free(&text);
}

static void a_taken_key_is_a_conflict(void **state)
{
	assert_int_equal(insert(*state, 1, "a"), ST_OK);
	assert_int_equal(insert(*state, 1, "b"), ST_CONFLICT);
	assert_non_null(strstr(sql_error(*state), "1062"));
	assert_int_equal(count(*state), 1);
}

static void unfit_data_is_invalid_and_never_cut(void **state)
{
	struct sql *sql = *state;
	struct sql_value too_big = sql_number(256);

	assert_int_equal(insert(sql, 1, "more than twenty letters"),
	                 ST_INVALID);
	assert_int_equal(insert(sql, 1, "bad \xff text"), ST_INVALID);
	assert_int_equal(sql_run(sql, "INSERT INTO thing (small) VALUES (?)",
	                         &too_big, 1),
	                 ST_INVALID);
	assert_int_equal(count(sql), 0);
}

static void a_statement_with_a_fault_is_broken(void **state)
{
	assert_int_equal(sql_execute(*state, "SELEKT 1"), ST_BROKEN);
	assert_int_equal(sql_run(*state, "SELECT nothing FROM thing", NULL, 0),
	                 ST_BROKEN);
	assert_true(sql_connected(*state));
}

static void two_statements_in_one_text_are_refused(void **state)
{
	assert_int_equal(sql_execute(*state, "DO 1; DROP TABLE thing"),
	                 ST_BROKEN);
	assert_int_equal(count(*state), 0);
}

static void files_of_the_client_are_not_sent(void **state)
{
	assert_int_not_equal(
		sql_execute(*state, "LOAD DATA LOCAL INFILE '/etc/hostname'"
	                            " INTO TABLE thing (name)"),
		ST_OK);
	assert_int_equal(count(*state), 0);
}

static void a_rolled_back_row_is_absent(void **state)
{
	struct sql *sql = *state;

	assert_int_equal(sql_begin(sql), ST_OK);
	assert_int_equal(insert(sql, 1, "a"), ST_OK);
	sql_rollback(sql);
	sql_rollback(sql);
	assert_int_equal(count(sql), 0);
	assert_int_equal(sql_begin(sql), ST_OK);
	assert_int_equal(insert(sql, 2, "b"), ST_OK);
	assert_int_equal(sql_commit(sql), ST_OK);
	assert_int_equal(count(sql), 1);
}

static void chained_transactions_end_where_they_are_ended(void **state)
{
	struct sql *sql = sql_server_connect(database);
	struct sql *other = *state;

	sql_chain_transactions(sql);
	assert_int_equal(insert(sql, 1, "before the first"), ST_OK);
	assert_int_equal(count(other), 1);
	for (unsigned connection = 0; connection < 2; connection++) {
		assert_int_equal(sql_begin(sql), ST_OK);
		assert_int_equal(insert(sql, 2, "a"), ST_OK);
		assert_int_equal(count(other), 1);
		sql_rollback(sql);
		assert_int_equal(sql_begin(sql), ST_OK);
		assert_int_equal(insert(sql, 10 + connection, "b"), ST_OK);
		assert_int_equal(insert(sql, 20 + connection, "c"), ST_OK);
		assert_int_equal(count(other), 1);
		assert_int_equal(sql_commit(sql), ST_OK);
		assert_int_equal(count(other), 3);
		assert_int_equal(
			sql_execute(other,
		                    "DELETE FROM thing WHERE number > 1"),
			ST_OK);
		assert_int_equal(sql_connects(sql), connection + 1);
		assert_int_equal(sql_connect(sql), ST_OK);
	}
	sql_destroy(&sql);
}

static void a_lock_wait_undoes_the_whole_transaction(void **state)
{
	struct sql *sql = *state;
	struct sql *other = sql_server_connect(database);

	assert_int_equal(insert(other, 1, "a"), ST_OK);
	assert_int_equal(sql_begin(other), ST_OK);
	assert_int_equal(sql_execute(other, "UPDATE thing SET name = 'x'"
	                                    " WHERE number = 1"),
	                 ST_OK);
	assert_int_equal(sql_begin(sql), ST_OK);
	assert_int_equal(insert(sql, 2, "b"), ST_OK);
	assert_int_equal(sql_execute(sql, "UPDATE thing SET name = 'y'"
	                                  " WHERE number = 1"),
	                 ST_UNAVAILABLE);
	assert_true(sql_connected(sql));
	assert_int_equal(sql_commit(other), ST_OK);
	assert_int_equal(count(other), 1);
	sql_destroy(&other);
}

static void a_wait_for_a_table_ends_like_that_for_a_row(void **state)
{
	struct sql *sql = *state;
	struct sql *other = sql_server_connect(database);

	assert_int_equal(sql_begin(other), ST_OK);
	assert_int_equal(count(other), 0);
	assert_int_equal(sql_execute(sql, "ALTER TABLE thing COMMENT = 'x'"),
	                 ST_UNAVAILABLE);
	assert_true(sql_connected(sql));
	assert_int_equal(sql_commit(other), ST_OK);
	assert_int_equal(sql_execute(sql, "ALTER TABLE thing COMMENT = 'x'"),
	                 ST_OK);
	sql_destroy(&other);
}

/* As after a loss of the network: the client says nothing any more. */
static void a_silent_client_leaves_no_lock(void **state)
{
	enum { TRIES = 300 }; /* of a second each: a bound on hanging */
	struct sql *sql = *state;
	struct sql *silent = sql_server_connect(database);
	struct sql *chained = sql_server_connect(database);
	struct sql *idle = sql_server_connect(database);
	enum status status = ST_UNAVAILABLE;

	sql_chain_transactions(chained);
	assert_int_equal(insert(sql, 1, "a"), ST_OK);
	for (unsigned i = 0; i < 2; i++) {
		struct sql *one = i ? chained : silent;

		assert_int_equal(sql_begin(one), ST_OK);
		assert_int_equal(insert(one, 2 + i, "b"), ST_OK);
	}
	assert_int_equal(sql_commit(chained), ST_OK);
	assert_int_equal(sql_execute(silent, "UPDATE thing SET name = 'x'"
	                                     " WHERE number = 1"),
	                 ST_OK);
	for (unsigned i = 0; i < TRIES && status == ST_UNAVAILABLE; i++)
		status = sql_execute(sql, "UPDATE thing SET name = 'y'"
		                          " WHERE number = 1");
	assert_int_equal(status, ST_OK);
	assert_int_equal(sql_commit(silent), ST_UNCERTAIN);
	assert_int_equal(count(sql), 2);

	/* Connections between two transactions are good, or known as lost. */
	for (unsigned i = 0; i < 2; i++) {
		struct sql *one = i ? chained : idle;

		if (!sql_connected(one))
			assert_int_equal(sql_connect(one), ST_OK);
		assert_int_equal(sql_begin(one), ST_OK);
		assert_int_equal(insert(one, 4 + i, "c"), ST_OK);
		assert_int_equal(sql_commit(one), ST_OK);
	}
	assert_int_equal(count(sql), 4);
	sql_destroy(&silent);
	sql_destroy(&chained);
	sql_destroy(&idle);
}

/* Kills `sql`'s connection from another one. */
static void kill_connection(struct sql *sql)
{
	struct sql *other = sql_server_connect(database);
	struct sql_value row;
	char text[64];

	assert_int_equal(sql_run(sql, "SELECT CONNECTION_ID()", NULL, 0),
	                 ST_OK);
	assert_int_equal(sql_fetch(sql, &row, 1), ST_OK);
	(void)snprintf(text, sizeof(text), "KILL %" PRIu64, row.number);
	assert_int_equal(sql_execute(other, text), ST_OK);
	sql_destroy(&other);
}

static void a_lost_connection_stays_lost_until_connected_again(void **state)
{
	struct sql *sql = *state;

	assert_int_equal(insert(sql, 1, "a"), ST_OK);
	kill_connection(sql);
	assert_true(status_retryable(insert(sql, 2, "b")));
	assert_false(sql_connected(sql));
	assert_int_equal(insert(sql, 3, "c"), ST_UNAVAILABLE);
	assert_int_equal(sql_begin(sql), ST_UNAVAILABLE);
	assert_int_equal(sql_connect(sql), ST_OK);
	assert_int_equal(insert(sql, 4, "d"), ST_OK);
	assert_int_equal(count(sql), 2);
}

static void a_commit_that_loses_the_connection_is_uncertain(void **state)
{
	struct sql *sql = *state;

	assert_int_equal(sql_begin(sql), ST_OK);
	assert_int_equal(insert(sql, 1, "a"), ST_OK);
	kill_connection(sql);
	assert_int_equal(sql_commit(sql), ST_UNCERTAIN);
	assert_int_equal(sql_commit(sql), ST_UNAVAILABLE);
	assert_int_equal(sql_connect(sql), ST_OK);
	assert_int_equal(count(sql), 0);
}

static void no_server_is_unavailable(void **state)
{
	struct sql_options options = {.host = "127.0.0.1",
	                              .port = 1,
	                              .user = "nobody",
	                              .password = "",
	                              .timeout_s = 1};
	CLEANUP(sql_destroy) struct sql *sql = sql_create(&options);

	(void)state;
	assert_int_equal(sql_connect(sql), ST_UNAVAILABLE);
	assert_true(strlen(sql_error(sql)) > 0);
	assert_int_equal(sql_execute(sql, "DO 1"), ST_UNAVAILABLE);
}

static void many_statements_share_the_places(void **state)
{
	struct sql *sql = *state;
	char text[64];
	struct sql_value row;

	for (unsigned turn = 0; turn < 2; turn++) {
		for (uint64_t i = 0; i < 100; i++) {
			(void)snprintf(text, sizeof(text),
			               "SELECT CAST(? AS UNSIGNED) + %" PRIu64,
			               i);
			row = sql_number(1);
			assert_int_equal(sql_run(sql, text, &row, 1), ST_OK);
			assert_int_equal(sql_fetch(sql, &row, 1), ST_OK);
			assert_int_equal(row.number, i + 1);
		}
	}
}

enum { ROWS = 500 };

static void five_hundred_rows_go_in_one_statement(void **state)
{
	struct sql *sql = *state;
	CLEANUP(buf_free) struct buf text = BUF(65536);
	static struct sql_value values[ROWS * 8];
	uint64_t began = clock_mono_us();

	buf_append(&text, SPAN("INSERT INTO wide VALUES "));
	for (unsigned i = 0; i < ROWS; i++)
		buf_append(&text, i ? SPAN(",(?,?,?,?,?,?,?,?)")
		                    : SPAN("(?,?,?,?,?,?,?,?)"));
	assert_int_equal(
		sql_execute(sql, "CREATE TABLE wide (a BIGINT UNSIGNED PRIMARY"
	                         " KEY, b BIGINT, c BIGINT, d BIGINT, e BIGINT,"
	                         " f VARBINARY(16), g TEXT, h BIGINT)"),
		ST_OK);
	for (unsigned batch = 0; batch < 20; batch++) {
		for (unsigned i = 0; i < ROWS * 8; i++)
			values[i] = i % 8 == 5   ? sql_bytes(SPAN("\xff\xfe"))
			            : i % 8 == 6 ? sql_bytes(SPAN("some text"))
			                         : sql_number(batch * 4000 + i);
		assert_int_equal(
			sql_run(sql, buf_text(&text), values, ROWS * 8), ST_OK);
		assert_int_equal(sql_affected(sql), ROWS);
	}
	print_message("%u rows/s\n",
	              (unsigned)(20 * ROWS * 1000000.0 /
	                         (double)(clock_mono_us() - began)));
}

static void any_number_of_rows_is_one_statement(void **state)
{
	static struct sql_bulk put = {
		.head = "INSERT INTO thing (number, name) VALUES ",
		.row = "(?,?)",
		.between = ",",
		.tail = " ON DUPLICATE KEY UPDATE name = VALUES(name)",
		.row_values = 2,
	};
	static const unsigned sizes[] = {1,  2,   3,   5,   7,   50,
	                                 64, 100, 384, 385, 499, SQL_BULK_MAX};
	static struct sql_value values[SQL_BULK_ROOM(SQL_BULK_MAX, 2)];
	struct sql *sql = *state;

	for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
		for (unsigned row = 0; row < sizes[i]; row++) {
			values[2 * row] = sql_number(row);
			values[2 * row + 1] = sql_bytes(SPAN("name"));
		}
		assert_int_equal(sql_bulk_run(sql, &put, values, sizes[i]),
		                 ST_OK);
		assert_int_equal(count(sql), sizes[i]);
	}
}

static void values_of_the_tail_follow_the_repeated_rows(void **state)
{
	static struct sql_bulk find = {
		.head = "SELECT number FROM thing WHERE number IN (",
		.row = "?",
		.between = ",",
		.tail = ") AND name = ? ORDER BY number",
		.row_values = 1,
		.tail_values = 1,
	};
	struct sql_value values[SQL_BULK_ROOM(5, 1) + 1];
	struct sql *sql = *state;
	struct sql_value row;

	for (uint64_t i = 0; i < 8; i++)
		assert_int_equal(insert(sql, i, i % 2 ? "odd" : "even"), ST_OK);
	for (unsigned i = 0; i < 5; i++)
		values[i] = sql_number(i);
	values[5] = sql_bytes(SPAN("odd"));
	assert_int_equal(sql_bulk_run(sql, &find, values, 5), ST_OK);
	assert_int_equal(sql_fetch(sql, &row, 1), ST_OK);
	assert_int_equal(row.number, 1);
	assert_int_equal(sql_fetch(sql, &row, 1), ST_OK);
	assert_int_equal(row.number, 3);
	assert_int_equal(sql_fetch(sql, &row, 1), ST_NOT_FOUND);
}

static void exact_pieces_insert_each_row_once(void **state)
{
	static struct sql_bulk put = {
		.head = "INSERT INTO thing (number) VALUES ",
		.row = "(?)",
		.between = ",",
		.tail = "",
		.row_values = 1,
	};
	static const unsigned pieces[] = {384, 96, 16, 3};
	struct sql_value values[499];
	struct sql *sql = *state;
	unsigned done = 0, ran;

	for (unsigned i = 0; i < ARRAY_LEN(values); i++)
		values[i] = sql_number(i);
	for (unsigned i = 0; done < ARRAY_LEN(values); i++) {
		assert_int_equal(sql_bulk_run_exact(sql, &put, &values[done],
		                                    ARRAY_LEN(values) - done,
		                                    &ran),
		                 ST_OK);
		assert_int_equal(ran, pieces[i]);
		assert_int_equal(sql_affected(sql), ran);
		assert_true(sql_insert_id(sql) >= done + 1);
		done += ran;
	}
	assert_int_equal(count(sql), 499);
}

static const struct sql_migration schema[] = {
	{1, "CREATE TABLE IF NOT EXISTS first (id INT PRIMARY KEY);\n"
            "INSERT INTO first VALUES (1);\n"},
	{2, "ALTER TABLE first ADD COLUMN name VARCHAR(10);\n\n"
            "-- words with a ; inside\nINSERT INTO first VALUES (2, 'x')"},
};

static void every_schema_file_is_applied_once(void **state)
{
	struct sql *sql = *state;
	struct sql_value row[1];
	unsigned applied = 99;

	assert_int_equal(sql_migrate(sql, schema, 1, &applied), ST_OK);
	assert_int_equal(applied, 1);
	assert_int_equal(sql_migrate(sql, schema, 2, &applied), ST_OK);
	assert_int_equal(applied, 1);
	assert_int_equal(sql_migrate(sql, schema, 2, &applied), ST_OK);
	assert_int_equal(applied, 0);
	assert_int_equal(sql_run(sql, "SELECT COUNT(*) FROM first", NULL, 0),
	                 ST_OK);
	assert_int_equal(sql_fetch(sql, row, 1), ST_OK);
	assert_int_equal(row[0].number, 2);
	assert_int_equal(sql_migrate(sql, schema, 1, &applied), ST_BROKEN);
	assert_non_null(strstr(sql_error(sql), "too old"));
}

static void *migrate(void *ret_status)
{
	struct sql *sql;
	enum status *status = ret_status;
	unsigned applied;

	sql_thread_start();
	sql = sql_server_connect(database);
	do
		*status = sql_migrate(sql, schema, 2, &applied);
	while (*status == ST_UNAVAILABLE);
	sql_destroy(&sql);
	sql_thread_stop();
	return NULL;
}

static void many_may_migrate_at_once(void **state)
{
	pthread_t threads[4];
	enum status outcomes[4];
	struct sql *sql = *state;

	assert_int_equal(sql_execute(sql, "DROP TABLE IF EXISTS first"), ST_OK);
	assert_int_equal(
		sql_execute(sql, "DROP TABLE IF EXISTS schema_version"), ST_OK);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, migrate,
		                                &outcomes[i]),
		                 0);
	for (unsigned i = 0; i < 4; i++) {
		(void)pthread_join(threads[i], NULL);
		assert_int_equal(outcomes[i], ST_OK);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh_table, close_sql)
	const struct CMUnitTest tests[] = {
		TEST(the_connection_knows_the_largest_packet),
		TEST(a_fault_fails_one_statement),
		TEST(a_connect_may_fail_at_any_statement),
		TEST(stored_values_are_read_unchanged),
		TEST(long_columns_are_read_whole_between_short_ones),
		TEST(a_taken_key_is_a_conflict),
		TEST(unfit_data_is_invalid_and_never_cut),
		TEST(a_statement_with_a_fault_is_broken),
		TEST(two_statements_in_one_text_are_refused),
		TEST(files_of_the_client_are_not_sent),
		TEST(a_rolled_back_row_is_absent),
		TEST(chained_transactions_end_where_they_are_ended),
		TEST(a_lock_wait_undoes_the_whole_transaction),
		TEST(a_wait_for_a_table_ends_like_that_for_a_row),
		TEST(a_silent_client_leaves_no_lock),
		TEST(a_lost_connection_stays_lost_until_connected_again),
		TEST(a_commit_that_loses_the_connection_is_uncertain),
		TEST(no_server_is_unavailable),
		TEST(many_statements_share_the_places),
		TEST(five_hundred_rows_go_in_one_statement),
		TEST(any_number_of_rows_is_one_statement),
		TEST(values_of_the_tail_follow_the_repeated_rows),
		TEST(exact_pieces_insert_each_row_once),
		TEST(every_schema_file_is_applied_once),
		TEST(many_may_migrate_at_once),
	};

	return cmocka_run_group_tests(tests, make_database, drop_database);
}
