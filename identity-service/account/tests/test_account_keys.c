/*
 * Accounts that an older version made, whose keys only fold case; needs a
 * server: see identity_fixture.h.
 */
#include "identity-service/account/account_keys.h"

#include "common/io/unicode.h"
#include "identity-service/account/account.h"
#include "identity-service/tests/identity_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int empty(void **state)
{
	(void)state;
	assert_int_equal(sql_execute(sql, "DELETE FROM users"), ST_OK);
	assert_int_equal(sql_execute(sql, "DELETE FROM backfills"), ST_OK);
	return 0;
}

/* As the older version did. */
static uint64_t old_account(const char *name)
{
	CLEANUP(buf_free) struct buf key = BUF(1000);
	uint64_t id;

	assert_int_equal(unicode_casefold(span_of(name), &key), ST_OK);
	assert_int_equal(account_insert(sql, span_of(name), buf_span(&key),
	                                "$hash", &id),
	                 ST_OK);
	return id;
}

/* 0: not found. */
static uint64_t find(const char *name)
{
	CLEANUP(name_keys_free) struct name_keys keys = {0};
	struct account account;
	enum status status;

	assert_null(name_keys_read(span_of(name), &keys));
	status = account_by_name(sql, &keys, &account);
	assert_true(status == ST_OK || status == ST_NOT_FOUND);
	return status == ST_OK ? account.id : 0;
}

static void assert_renewed(uint64_t changed, uint64_t kept)
{
	struct account_keys_counts counts;

	assert_int_equal(account_keys_renew(sql, &counts), ST_OK);
	assert_int_equal(counts.changed, changed);
	assert_int_equal(counts.kept, kept);
}

static void an_old_account_is_found_by_every_spelling(void **state)
{
	uint64_t zoe = old_account("Zoe\u0308");
	uint64_t wide = old_account("\uff22ob");
	uint64_t alice = old_account("Alice");
	uint64_t soft = old_account("so\u00adft");

	(void)state;
	/* Also before the renewal, as it is written. */
	assert_int_equal(find("zoe\u0308"), zoe);
	assert_int_equal(find("\uff42ob"), wide);
	assert_renewed(3, 0);
	assert_int_equal(find("Zo\u00eb"), zoe);
	assert_int_equal(find("zoe\u0308"), zoe);
	assert_int_equal(find("BOB"), wide);
	assert_int_equal(find("\uff22ob"), wide);
	assert_int_equal(find("soft"), soft);
	assert_int_equal(find("so\u00adft"), soft);
	assert_int_equal(find("alice"), alice);
	assert_int_equal(find("zoe"), 0);
	assert_renewed(0, 0);
}

/* All of them sign in, each with the name as it was written. */
static void accounts_with_one_key_stay_apart(void **state)
{
	uint64_t decomposed = old_account("Zoe\u0308");
	uint64_t wide = old_account("\uff3aoe\u0308");
	uint64_t composed = old_account("Zo\u00eb");
	uint64_t later = old_account("zo\u00ad\u00eb");

	(void)state;
	assert_renewed(0, 3);
	assert_int_equal(find("ZO\u00cb"), composed);
	assert_int_equal(find("zoe\u0308"), decomposed);
	assert_int_equal(find("\uff5aoe\u0308"), wide);
	assert_int_equal(find("ZO\u00ad\u00eb"), later);
	/* A spelling that none of them has. */
	assert_int_equal(find("z\u00ado\u00eb"), composed);
}

static void the_older_account_gets_the_key(void **state)
{
	uint64_t first = old_account("\uff21");
	uint64_t second = old_account("\u24b6");

	(void)state;
	assert_renewed(1, 1);
	assert_int_equal(find("a"), first);
	assert_int_equal(find("\uff21"), first);
	assert_int_equal(find("\u24d0"), second);
}

static void a_name_without_a_key_stays_as_it_is(void **state)
{
	uint64_t hidden = old_account("\u200b");

	(void)state;
	assert_renewed(0, 1);
	assert_int_equal(find("\u200b"), hidden);
	assert_int_equal(find("\u2060"), 0);
}

/* An older version may have run beside the first start of this one. */
static void accounts_that_came_later_are_renewed(void **state)
{
	uint64_t id;

	(void)state;
	(void)old_account("\u00c4rger");
	assert_renewed(0, 0);
	id = old_account("\uff21lice");
	assert_renewed(1, 0);
	assert_int_equal(find("alice"), id);
}

static void many_accounts_take_several_steps(void **state)
{
	(void)state;
	assert_int_equal(
		sql_execute(sql,
	                    "INSERT INTO users (name, name_key, password_hash)"
	                    " WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL"
	                    " SELECT i + 1 FROM n WHERE i < 999)"
	                    " SELECT CONCAT('name-', a.i + 1000 * b.i),"
	                    " CONCAT('name-', a.i + 1000 * b.i), '$' FROM n a,"
	                    " n b WHERE b.i < 11"),
		ST_OK);
	(void)old_account("\uff21lice");
	assert_renewed(1, 0);
	assert_true(find("alice") > 0);
	assert_true(find("name-10999") > 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, empty)
	const struct CMUnitTest tests[] = {
		TEST(an_old_account_is_found_by_every_spelling),
		TEST(accounts_with_one_key_stay_apart),
		TEST(the_older_account_gets_the_key),
		TEST(a_name_without_a_key_stays_as_it_is),
		TEST(accounts_that_came_later_are_renewed),
		TEST(many_accounts_take_several_steps),
	};

	return cmocka_run_group_tests(tests, identity_fixture_start,
	                              identity_fixture_stop);
}
