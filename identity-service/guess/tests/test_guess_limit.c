/*
 * The limits on guessing, on a real server whose clock the test moves; needs a
 * server: see identity_fixture.h.
 */
#include "identity-service/guess/guess_limit.h"

#include "identity-service/tests/identity_fixture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
	NAME_MAX_FAILURES = 10,
	ADDRESS_MAX_FAILURES = 30,
	ADDRESS_DEFAULT = 1000,
	WINDOW_S = 900,
	WAIT_MAX_S = 900,
	KNOWN_S = 30 * 86400,
	ALICE = 7,
	NOBODY = 0,
	THREADS = 20,
};

#define HERE      "198.51.100.1"
#define ELSEWHERE "203.0.113.9"

static const struct guess_rules rules = {
	.name = {NAME_MAX_FAILURES, WINDOW_S, WAIT_MAX_S},
	.known = {NAME_MAX_FAILURES, WINDOW_S, WAIT_MAX_S},
	.address = {ADDRESS_MAX_FAILURES, WINDOW_S, WAIT_MAX_S},
	.known_s = KNOWN_S,
};

static uint64_t now_s;

static void stop_clock(struct sql *connection)
{
	struct sql_value value = sql_number(now_s);

	if (sql_run(connection, "SET timestamp = ?", &value, 1) != ST_OK)
		fail_msg("%s", sql_error(connection));
}

static void move_clock(uint64_t seconds)
{
	now_s += seconds;
	stop_clock(sql);
}

static void execute(const char *statement)
{
	if (sql_execute(sql, statement) != ST_OK)
		fail_msg("%s: %s", statement, sql_error(sql));
}

static uint64_t number(const char *statement)
{
	struct sql_value row;

	assert_int_equal(sql_run(sql, statement, NULL, 0), ST_OK);
	assert_int_equal(sql_fetch(sql, &row, 1), ST_OK);
	return row.number;
}

static int empty(void **state)
{
	(void)state;
	execute("DELETE FROM guess_limits");
	execute("DELETE FROM known_addresses");
	now_s = 1764432000;
	move_clock(0);
	return 0;
}

static void make_guess(struct guess *guess, const char *name, uint64_t user,
                       const char *address)
{
	CLEANUP(name_keys_free) struct name_keys keys = {0};
	struct ip_address client;

	assert_null(name_keys_read(span_of(name), &keys));
	assert_true(ip_address_parse(span_of(address), &client));
	guess_start(guess, &keys, user, &client);
}

static struct guess last;

/* A wrong guess: 0, or the seconds to wait. */
static uint64_t fail_once(const char *name, uint64_t user, const char *address)
{
	enum status status;

	make_guess(&last, name, user, address);
	status = guess_limit_try(sql, &rules, &last);
	if (status != ST_OK && status != ST_DENIED)
		fail_msg("%s: %s", status_text(status), sql_error(sql));
	return status == ST_OK ? 0 : last.wait_s;
}

static void fail_often(const char *name, uint64_t user, const char *address,
                       unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		assert_int_equal(fail_once(name, user, address), 0);
}

/* True: let through. */
static bool sign_in(const char *name, uint64_t user, const char *address)
{
	if (fail_once(name, user, address))
		return false;
	assert_int_equal(sql_begin(sql), ST_OK);
	assert_int_equal(guess_limit_forgive(sql, &rules, &last), ST_OK);
	assert_int_equal(sql_commit(sql), ST_OK);
	return true;
}

/* --- limits --------------------------------------------------------------- */
static void a_name_has_ten_failures(void **state)
{
	static const struct {
		const char *name;
		uint64_t user;
	} rows[] = {{"alice", ALICE}, {"nobody", NOBODY}, {"\u200b", NOBODY}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		(void)empty(state);
		fail_often(rows[i].name, rows[i].user, HERE, 5);
		fail_often(rows[i].name, rows[i].user, ELSEWHERE, 5);
		assert_int_equal(fail_once(rows[i].name, rows[i].user, HERE),
		                 1);
		assert_int_equal(last.refused_by, GUESS_NAME);
		assert_false(sign_in(rows[i].name, rows[i].user, ELSEWHERE));
		assert_int_equal(last.wait_s, 2);
		assert_int_equal(fail_once("bob", 8, HERE), 0);
	}
}

static void spellings_of_a_name_share_its_failures(void **state)
{
	static const char *const spellings[] = {
		"Zo\u00eb",       "zoe\u0308", "\uff3ao\u00cb", "ZO\u00cb",
		"zo\u00eb",       "Zo\u00eb",  "zoe\u0308",     "ZOE\u0308",
		"z\u00ado\u00eb", "zo\u00cb",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(spellings); i++)
		fail_often(spellings[i], NOBODY, HERE, 1);
	assert_int_equal(fail_once("zo\u00eb", NOBODY, HERE), 1);
	assert_int_equal(fail_once("zoe", NOBODY, HERE), 0);
}

static void an_address_that_signed_in_has_failures_of_its_own(void **state)
{
	(void)state;
	assert_true(sign_in("alice", ALICE, HERE));
	fail_often("alice", ALICE, ELSEWHERE, NAME_MAX_FAILURES);
	assert_int_equal(fail_once("alice", ALICE, ELSEWHERE), 1);
	/* The owner is not locked out, nor does a stranger share the rest. */
	assert_true(sign_in("alice", ALICE, HERE));
	fail_often("alice", ALICE, HERE, NAME_MAX_FAILURES);
	assert_int_equal(fail_once("alice", ALICE, HERE), 1);
	assert_int_equal(last.refused_by, GUESS_KNOWN);
	/* Known to Alice, not to Bob. */
	fail_often("bob", 8, HERE, 1);
	assert_int_equal(last.counted[1], GUESS_NAME);
}

static void an_address_is_known_for_a_time(void **state)
{
	(void)state;
	assert_true(sign_in("alice", ALICE, HERE));
	move_clock(KNOWN_S - 10);
	fail_often("alice", ALICE, HERE, 1);
	assert_int_equal(last.counted[1], GUESS_KNOWN);
	move_clock(20);
	fail_often("alice", ALICE, HERE, 1);
	assert_int_equal(last.counted[1], GUESS_NAME);
	assert_true(sign_in("alice", ALICE, HERE));
	move_clock(KNOWN_S - 10);
	fail_often("alice", ALICE, HERE, 1);
	assert_int_equal(last.counted[1], GUESS_KNOWN);
}

static void an_address_has_failures_over_all_names(void **state)
{
	static const struct {
		const char *one, *same, *other;
	} rows[] = {
		{HERE, "::ffff:" HERE, "198.51.100.2"},
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"},
	};
	char name[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		(void)empty(state);
		for (unsigned j = 0; j < ADDRESS_MAX_FAILURES; j++) {
			(void)snprintf(name, sizeof(name), "name-%u", j);
			fail_often(name, NOBODY,
			           j % 2 ? rows[i].one : rows[i].same, 1);
		}
		assert_int_equal(fail_once("fresh", NOBODY, rows[i].same), 1);
		assert_int_equal(last.refused_by, GUESS_ADDRESS);
		assert_false(sign_in("alice", ALICE, rows[i].one));
		assert_true(sign_in("alice", ALICE, rows[i].other));
	}
}

/* As IDENTITY_GUESS_ADDRESS_MAX is by default. */
static void an_address_has_a_thousand_failures(void **state)
{
	static const struct guess_rules defaults = {
		.name = {NAME_MAX_FAILURES, WINDOW_S, WAIT_MAX_S},
		.known = {NAME_MAX_FAILURES, WINDOW_S, WAIT_MAX_S},
		.address = {ADDRESS_DEFAULT, WINDOW_S, WAIT_MAX_S},
		.known_s = KNOWN_S,
	};
	char name[16];

	(void)state;
	for (unsigned i = 0; i <= ADDRESS_DEFAULT; i++) {
		(void)snprintf(name, sizeof(name), "name-%u", i);
		make_guess(&last, name, NOBODY, HERE);
		assert_int_equal(guess_limit_try(sql, &defaults, &last),
		                 i < ADDRESS_DEFAULT ? ST_OK : ST_DENIED);
	}
	assert_int_equal(last.refused_by, GUESS_ADDRESS);
	assert_int_equal(last.wait_s, 1);
	make_guess(&last, "fresh", NOBODY, ELSEWHERE);
	assert_int_equal(guess_limit_try(sql, &defaults, &last), ST_OK);
}

static void a_refused_name_costs_its_address_nothing(void **state)
{
	(void)state;
	fail_often("alice", ALICE, HERE, NAME_MAX_FAILURES);
	for (unsigned i = 0; i < 3 * ADDRESS_MAX_FAILURES; i++)
		assert_true(fail_once("alice", ALICE, HERE) > 0);
	fail_often("bob", 8, HERE, NAME_MAX_FAILURES);
	fail_often("carol", 9, HERE, NAME_MAX_FAILURES);
	assert_int_equal(fail_once("dave", 10, HERE), 1);
	assert_int_equal(last.refused_by, GUESS_ADDRESS);
}

static void successes_are_not_counted(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3 * ADDRESS_MAX_FAILURES; i++)
		assert_true(sign_in("alice", ALICE, HERE));
	assert_int_equal(number("SELECT COUNT(*) FROM guess_limits"), 0);
	assert_int_equal(number("SELECT COUNT(*) FROM known_addresses"), 1);
}

static void a_wait_ends_and_failures_are_forgotten(void **state)
{
	(void)state;
	fail_often("alice", ALICE, HERE, NAME_MAX_FAILURES);
	assert_int_equal(fail_once("alice", ALICE, HERE), 1);
	move_clock(1);
	assert_true(sign_in("alice", ALICE, HERE));
	(void)empty(state);
	fail_often("alice", ALICE, HERE, NAME_MAX_FAILURES);
	move_clock(WINDOW_S + 60);
	fail_often("alice", ALICE, HERE, NAME_MAX_FAILURES);
	assert_int_equal(fail_once("alice", ALICE, HERE), 1);
}

/* --- many at once --------------------------------------------------------- */
static atomic_uint let_through;

static void *guess_in_parallel(void *argument)
{
	struct sql *own;
	struct guess guess;
	enum status status = ST_UNAVAILABLE;

	(void)argument;
	sql_thread_start();
	own = identity_fixture_connect();
	stop_clock(own);
	make_guess(&guess, "alice", ALICE, HERE);
	/* The server may roll back one of two transactions: it runs again. */
	while (status == ST_UNAVAILABLE)
		status = guess_limit_try(own, &rules, &guess);
	if (status == ST_OK)
		atomic_fetch_add(&let_through, 1);
	sql_destroy(&own);
	sql_thread_stop();
	return NULL;
}

static void parallel_guesses_do_not_pass_the_limit(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		(void)empty(state);
		atomic_store(&let_through, 0);
		for (unsigned i = 0; i < THREADS; i++)
			assert_int_equal(pthread_create(&threads[i], NULL,
			                                guess_in_parallel,
			                                NULL),
			                 0);
		for (unsigned i = 0; i < THREADS; i++)
			assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(atomic_load(&let_through), NAME_MAX_FAILURES);
	}
}

/* --- bounds --------------------------------------------------------------- */
static void an_account_knows_its_latest_addresses(void **state)
{
	char address[32];

	(void)state;
	for (unsigned i = 0; i < KNOWN_ADDRESSES_MAX + 20; i++) {
		(void)snprintf(address, sizeof(address), "10.0.0.%u", i);
		move_clock(1);
		assert_true(sign_in("alice", ALICE, address));
	}
	assert_int_equal(number("SELECT COUNT(*) FROM known_addresses"),
	                 KNOWN_ADDRESSES_MAX);
	assert_int_equal(fail_once("alice", ALICE, "10.0.0.19"), 0);
	assert_int_equal(last.counted[1], GUESS_NAME);
	assert_int_equal(fail_once("alice", ALICE, "10.0.0.20"), 0);
	assert_int_equal(last.counted[1], GUESS_KNOWN);
	/* Sign-ins at the same time left more. */
	assert_int_equal(
		sql_execute(sql, "INSERT INTO known_addresses SELECT user,"
	                         " UNHEX(MD5(address)), seen_at FROM (SELECT *"
	                         " FROM known_addresses LIMIT 7) some"),
		ST_OK);
	assert_true(sign_in("alice", ALICE, "10.0.1.1"));
	assert_int_equal(number("SELECT COUNT(*) FROM known_addresses"),
	                 KNOWN_ADDRESSES_MAX);
}

static void a_refused_address_leaves_no_rows_of_names(void **state)
{
	char name[24];
	uint64_t rows;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		fail_often(i == 0 ? "a" : i == 1 ? "b" : "c", NOBODY, HERE, 10);
	rows = number("SELECT COUNT(*) FROM guess_limits");
	for (unsigned i = 0; i < 50; i++) {
		(void)snprintf(name, sizeof(name), "random-%u", i);
		assert_true(fail_once(name, NOBODY, HERE) > 0);
	}
	assert_int_equal(number("SELECT COUNT(*) FROM guess_limits"), rows);
}

static void rows_that_no_longer_count_are_purged(void **state)
{
	bool more = true;

	(void)state;
	fail_often("alice", ALICE, HERE, 1);
	assert_true(sign_in("bob", 8, ELSEWHERE));
	assert_int_equal(guess_limit_purge(sql, &rules, &more), ST_OK);
	assert_false(more);
	assert_int_equal(number("SELECT COUNT(*) FROM guess_limits"), 2);
	move_clock(WINDOW_S + 60);
	fail_often("carol", 9, ELSEWHERE, 1);
	assert_int_equal(guess_limit_purge(sql, &rules, &more), ST_OK);
	assert_int_equal(number("SELECT COUNT(*) FROM guess_limits"), 2);
	assert_int_equal(number("SELECT COUNT(*) FROM known_addresses"), 1);
	move_clock(KNOWN_S);
	assert_int_equal(guess_limit_purge(sql, &rules, &more), ST_OK);
	assert_int_equal(number("SELECT COUNT(*) FROM guess_limits"), 0);
	assert_int_equal(number("SELECT COUNT(*) FROM known_addresses"), 0);
}

static void a_purge_is_bounded(void **state)
{
	bool more = false;

	(void)state;
	execute("INSERT INTO guess_limits (subject, state, expires_at)"
	        " WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1"
	        " FROM n WHERE i < 1000) SELECT UNHEX(MD5(i)), '',"
	        " '2020-01-01' FROM n");
	execute("INSERT INTO guess_limits (subject, state, expires_at)"
	        " VALUES ('last', '', '2020-01-01')");
	assert_int_equal(guess_limit_purge(sql, &rules, &more), ST_OK);
	assert_true(more);
	assert_int_equal(number("SELECT COUNT(*) FROM guess_limits"), 1);
	assert_int_equal(guess_limit_purge(sql, &rules, &more), ST_OK);
	assert_false(more);
	assert_int_equal(number("SELECT COUNT(*) FROM guess_limits"), 0);
}

static void the_tables_hold_no_typed_name(void **state)
{
	(void)state;
	fail_often("my-password", NOBODY, HERE, 1);
	assert_int_equal(number("SELECT COUNT(*) FROM guess_limits WHERE"
	                        " subject LIKE '%my%' OR state LIKE '%my%'"),
	                 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, empty)
	const struct CMUnitTest tests[] = {
		TEST(a_name_has_ten_failures),
		TEST(spellings_of_a_name_share_its_failures),
		TEST(an_address_that_signed_in_has_failures_of_its_own),
		TEST(an_address_is_known_for_a_time),
		TEST(an_address_has_failures_over_all_names),
		TEST(an_address_has_a_thousand_failures),
		TEST(a_refused_name_costs_its_address_nothing),
		TEST(successes_are_not_counted),
		TEST(a_wait_ends_and_failures_are_forgotten),
		TEST(parallel_guesses_do_not_pass_the_limit),
		TEST(an_account_knows_its_latest_addresses),
		TEST(a_refused_address_leaves_no_rows_of_names),
		TEST(rows_that_no_longer_count_are_purged),
		TEST(a_purge_is_bounded),
		TEST(the_tables_hold_no_typed_name),
	};

	return cmocka_run_group_tests(tests, identity_fixture_start,
	                              identity_fixture_stop);
}
