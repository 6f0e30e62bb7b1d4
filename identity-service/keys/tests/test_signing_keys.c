/* The table signing_keys; needs a server: see identity_fixture.h. */
#include "identity-service/keys/signing_keys.h"

#include "identity-service/tests/identity_fixture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { LEAD_S = 600, TTL_S = 1000 };

static struct key_rules rules;
static struct keyring *ring, *other; /* of two instances */
static struct buf why = {.max = 300};

static struct key_rules rules_with(const char *secret, const char *before)
{
	struct key_rules made = {
		.rotate_days = 90, .lead_s = LEAD_S, .token_ttl_s = TTL_S};

	key_secret_make(span_of(secret), span_of(before), &made.secret);
	return made;
}

static void run(const char *statement)
{
	if (sql_execute(sql, statement) != ST_OK)
		fail_msg("%s: %s", statement, sql_error(sql));
}

static int start(void **state)
{
	(void)state;
	run("DELETE FROM signing_keys");
	buf_clear(&why);
	rules = rules_with("the secret", "");
	ring = keyring_create();
	other = keyring_create();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	keyring_destroy(&ring);
	keyring_destroy(&other);
	buf_free(&why);
	return 0;
}

static enum status read_into(struct keyring *keyring,
                             const struct key_rules *with)
{
	buf_clear(&why);
	return signing_keys_read(keyring, sql, with, &why);
}

static void read_all(void)
{
	assert_int_equal(read_into(ring, &rules), ST_OK);
	assert_int_equal(read_into(other, &rules), ST_OK);
}

static uint64_t number(const char *statement)
{
	struct sql_value row;

	assert_int_equal(sql_run(sql, statement, NULL, 0), ST_OK);
	assert_int_equal(sql_fetch(sql, &row, 1), ST_OK);
	assert_int_equal(row.kind, SQL_NUMBER);
	return row.number;
}

static uint64_t rows(void)
{
	return number("SELECT COUNT(*) FROM signing_keys");
}

/* A copy of the signer's id. */
static const char *signer_of(struct keyring *keyring)
{
	static char texts[64][UUID_TEXT_LEN + 1];
	static unsigned turn;
	const struct jwt_key *key = keyring_signer(keyring);
	char *text = texts[turn++ % 64];

	assert_non_null(key);
	assert_int_equal(jwt_key_id(key).len, UUID_TEXT_LEN);
	memcpy(text, jwt_key_id(key).data, UUID_TEXT_LEN);
	return text;
}

static bool has(struct keyring *keyring, const char *kid)
{
	return keyring_find(keyring, span_of(kid));
}

static struct new_key rotate(void)
{
	struct new_key made;

	assert_int_equal(signing_keys_rotate(ring, sql, &rules, &made, &why),
	                 ST_OK);
	return made;
}

/* The lead of the newest key is over. */
static void pass_lead(void)
{
	run("UPDATE signing_keys SET signs_from = NOW(3)"
	    " WHERE signs_from > NOW(3)");
}

static void the_first_key_signs_at_once_and_is_encrypted(void **state)
{
	(void)state;
	read_all();
	assert_string_equal(signer_of(ring), signer_of(other));
	assert_int_equal(rows(), 1);
	assert_int_equal(
		number("SELECT COUNT(*) FROM signing_keys WHERE"
	               " private_pem IS NULL AND LENGTH(private_sealed) > 1000"
	               " AND private_sealed NOT LIKE '%PRIVATE%'"),
		1);
}

static void insert_clear(const char *kid, struct span pem)
{
	const struct sql_value values[] = {sql_bytes(span_of(kid)),
	                                   sql_bytes(pem)};

	assert_int_equal(sql_run(sql,
	                         "INSERT INTO signing_keys (kid, private_pem)"
	                         " VALUES (?, ?)",
	                         values, 2),
	                 ST_OK);
}

static void a_key_in_the_clear_is_encrypted_in_place(void **state)
{
	CLEANUP(buf_wipe) struct buf pem = BUF(JWT_KEY_PEM_MAX);
	CLEANUP(buf_free) struct buf signature = BUF(1000);
	CLEANUP(jwt_key_destroy) struct jwt_key *key = NULL;
	static const char kid[] = "0197b1d0-0000-7000-8000-000000000001";
	struct keyring *later = keyring_create();

	(void)state;
	assert_int_equal(jwt_key_generate(&pem), ST_OK);
	insert_clear(kid, buf_span(&pem));
	read_all();
	assert_int_equal(rows(), 1);
	assert_string_equal(signer_of(ring), kid);
	assert_int_equal(number("SELECT COUNT(*) FROM signing_keys"
	                        " WHERE private_pem IS NOT NULL"),
	                 0);
	assert_int_equal(read_into(later, &rules), ST_OK);
	assert_int_equal(jwt_key_create(SPAN("x"), buf_span(&pem), &key),
	                 ST_OK);
	assert_int_equal(jwt_key_sign(key, SPAN("text"), &signature), ST_OK);
	assert_true(jwt_key_verifies(keyring_signer(later), SPAN("text"),
	                             buf_span(&signature)));
	keyring_destroy(&later);
}

/* Every instance has a new key before it signs, also with another's clock. */
static void a_new_key_is_known_before_it_signs(void **state)
{
	struct new_key new;
	const char *old;

	(void)state;
	read_all();
	old = signer_of(ring);
	new = rotate();
	assert_false(new.was_there);
	assert_int_equal(number("SELECT ABS(TIMESTAMPDIFF(SECOND, NOW(3),"
	                        " MAX(signs_from)) - 600) < 60"
	                        " FROM signing_keys"),
	                 1);
	read_all();
	assert_true(has(ring, new.kid) && has(other, new.kid));
	assert_string_equal(signer_of(ring), old);
	assert_string_equal(signer_of(other), old);
	pass_lead();
	read_all();
	assert_string_equal(signer_of(ring), new.kid);
	assert_string_equal(signer_of(other), new.kid);
	assert_true(has(ring, old) && has(other, old));
}

static void a_second_rotation_makes_no_second_key(void **state)
{
	struct new_key new, again;

	(void)state;
	read_all();
	new = rotate();
	again = rotate();
	assert_true(again.was_there);
	assert_string_equal(again.kid, new.kid);
	assert_string_equal(again.signs_from, new.signs_from);
	assert_int_equal(strlen(new.signs_from),
	                 strlen("2026-11-29T12:00:00Z"));
	assert_int_equal(rows(), 2);
}

static void keys_rotate_after_their_days_and_only_then(void **state)
{
	struct key_rules never = rules;
	const char *old;

	(void)state;
	never.rotate_days = 0;
	read_all();
	old = signer_of(ring);
	run("UPDATE signing_keys SET"
	    " signs_from = NOW(3) - INTERVAL 89 DAY - INTERVAL 23 HOUR");
	read_all();
	assert_int_equal(rows(), 1);
	run("UPDATE signing_keys SET signs_from = NOW(3) - INTERVAL 90 DAY");
	assert_int_equal(read_into(ring, &never), ST_OK);
	assert_int_equal(rows(), 1);
	for (unsigned turn = 0; turn < 3; turn++) {
		read_all();
		assert_int_equal(rows(), 2);
		assert_string_equal(signer_of(ring), old);
	}
	pass_lead();
	read_all();
	assert_int_equal(rows(), 2);
	assert_string_not_equal(signer_of(ring), old);
}

/* Set back: a new key is still the newest. */
static void a_clock_that_was_set_back_makes_no_more_keys(void **state)
{
	(void)state;
	read_all();
	run("UPDATE signing_keys SET signs_from = NOW(3) - INTERVAL 100 DAY,"
	    " created_at = NOW(3) + INTERVAL 5 DAY");
	read_all();
	assert_int_equal(rows(), 2);
	pass_lead();
	for (unsigned turn = 0; turn < 3; turn++)
		read_all();
	assert_int_equal(rows(), 2);
	assert_int_equal(number("SELECT signs_from > NOW(3) - INTERVAL 1 DAY"
	                        " FROM signing_keys"
	                        " ORDER BY signs_from DESC LIMIT 1"),
	                 1);
}

static void an_old_key_verifies_until_its_last_token_is_dead(void **state)
{
	const char *old;

	(void)state;
	read_all();
	old = signer_of(ring);
	/* Longer than any token that it signs now. */
	assert_int_equal(
		number("SELECT TIMESTAMPDIFF(SECOND, NOW(3), verifies_until) >="
	               " 1000 + 600 FROM signing_keys"),
		1);
	/* One that an instance with a longer IDENTITY_TOKEN_TTL has signed. */
	run("UPDATE signing_keys SET verifies_until = NOW(3) + INTERVAL 9 DAY");
	(void)rotate();
	pass_lead();
	read_all();
	read_all();
	assert_true(has(ring, old) && has(other, old));
	assert_int_equal(number("SELECT COUNT(*) FROM signing_keys WHERE"
	                        " verifies_until > NOW(3) + INTERVAL 8 DAY"),
	                 1);
	run("UPDATE signing_keys SET verifies_until = NOW(3) - INTERVAL 1"
	    " SECOND WHERE verifies_until > NOW(3) + INTERVAL 8 DAY");
	read_all();
	read_all();
	assert_false(has(ring, old) || has(other, old));
	assert_int_equal(rows(), 1);
}

static void the_key_that_signs_is_never_deleted(void **state)
{
	const char *old;

	(void)state;
	read_all();
	old = signer_of(ring);
	(void)rotate();
	run("UPDATE signing_keys SET verifies_until = NOW(3) - INTERVAL 1 DAY");
	read_all();
	assert_string_equal(signer_of(ring), old);
	assert_int_equal(rows(), 2);
	assert_int_equal(number("SELECT COUNT(*) FROM signing_keys WHERE"
	                        " verifies_until > NOW(3)"),
	                 1);
}

static void a_retired_signer_is_replaced_at_once(void **state)
{
	struct new_key new;
	const char *old;

	(void)state;
	read_all();
	old = signer_of(ring);
	new = rotate();
	run("UPDATE signing_keys SET retired_at = NOW(3)"
	    " WHERE signs_from <= NOW(3)");
	read_all();
	assert_string_equal(signer_of(ring), new.kid);
	assert_string_equal(signer_of(other), new.kid);
	assert_false(has(ring, old));
	run("UPDATE signing_keys SET retired_at = NOW(3)");
	read_all();
	assert_string_equal(signer_of(ring), signer_of(other));
	assert_false(has(ring, new.kid));
	assert_int_equal(rows(), 3);
}

static void a_full_table_keeps_its_signer(void **state)
{
	CLEANUP(buf_wipe) struct buf pem = BUF(JWT_KEY_PEM_MAX);
	struct new_key new;
	const char *old;

	(void)state;
	assert_int_equal(jwt_key_generate(&pem), ST_OK);
	for (unsigned i = 0; i < SIGNING_KEYS_MAX; i++) {
		char kid[UUID_TEXT_LEN + 1];

		(void)snprintf(kid, sizeof(kid),
		               "0197b1d0-0000-7000-8000-%012u", i);
		insert_clear(kid, buf_span(&pem));
	}
	run("UPDATE signing_keys SET signs_from = NOW(3) - INTERVAL 91 DAY,"
	    " verifies_until = NOW(3) + INTERVAL 1 DAY");
	read_all();
	old = signer_of(ring);
	assert_string_equal(signer_of(other), old);
	assert_int_equal(signing_keys_rotate(ring, sql, &rules, &new, &why),
	                 ST_TOO_LARGE);
	assert_non_null(
		strstr(buf_text(&why), "as many signing keys as there"));
	assert_int_equal(rows(), SIGNING_KEYS_MAX);
	run("UPDATE signing_keys SET verifies_until = NOW(3) - INTERVAL 1 DAY"
	    " ORDER BY kid LIMIT 1");
	read_all();
	read_all();
	assert_string_equal(signer_of(ring), old);
	assert_int_equal(rows(), SIGNING_KEYS_MAX);
	assert_int_equal(number("SELECT COUNT(*) FROM signing_keys"
	                        " WHERE signs_from > NOW(3)"),
	                 1);
}

/* --- together ---------------------------------------------------------------
 */
static void *read_alone(void *keyring)
{
	CLEANUP(buf_free) struct buf fault = BUF(300);
	struct sql *own;
	enum status status;

	sql_thread_start();
	own = identity_fixture_connect();
	do
		status = signing_keys_read(keyring, own, &rules, &fault);
	while (status == ST_BUSY);
	assert_int_equal(status, ST_OK);
	sql_destroy(&own);
	sql_thread_stop();
	return NULL;
}

static void instances_that_rotate_together_make_one_key(void **state)
{
	enum { INSTANCES = 4 };
	struct keyring *rings[INSTANCES];
	pthread_t threads[INSTANCES];

	(void)state;
	read_all();
	run("UPDATE signing_keys SET signs_from = NOW(3) - INTERVAL 91 DAY");
	for (unsigned i = 0; i < INSTANCES; i++) {
		rings[i] = keyring_create();
		assert_int_equal(
			pthread_create(&threads[i], NULL, read_alone, rings[i]),
			0);
	}
	for (unsigned i = 0; i < INSTANCES; i++) {
		(void)pthread_join(threads[i], NULL);
		keyring_destroy(&rings[i]);
	}
	assert_int_equal(rows(), 2);
}

static void a_key_of_another_instance_is_learnt(void **state)
{
	static const char *const foreign[] = {
		"", "x", "0197b1d0-0000-7000-8000-000000000009", "' OR 1=1 -- ",
		"a kid that is far longer than the column of the table has"};
	struct key_rules wrong = rules_with("another secret", "");
	struct new_key new;
	const char *old;

	(void)state;
	assert_int_equal(read_into(ring, &rules), ST_OK);
	old = signer_of(ring);
	new = rotate();
	assert_int_equal(
		signing_keys_learn(other, sql, &wrong, span_of(new.kid)),
		ST_BUSY);
	assert_int_equal(
		signing_keys_learn(other, sql, &rules, span_of(new.kid)),
		ST_OK);
	assert_true(has(other, new.kid));
	for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
		assert_int_equal(signing_keys_learn(other, sql, &rules,
		                                    span_of(foreign[i])),
		                 ST_NOT_FOUND);
	run("UPDATE signing_keys SET retired_at = NOW(3)"
	    " WHERE signs_from <= NOW(3)");
	assert_int_equal(signing_keys_learn(other, sql, &rules, span_of(old)),
	                 ST_NOT_FOUND);
	assert_false(has(other, old));
}

/* --- secrets ----------------------------------------------------------------
 */
/* Statements that damage the newest of two keys, and their results. */
static void a_key_that_cannot_be_used_is_named_and_none_is_made(void **state)
{
#define NEWEST " ORDER BY signs_from DESC LIMIT 1"
	static const struct {
		const char *damage;
		enum status status;
	} table[] = {
		{"private_sealed = CONCAT(LEFT(private_sealed, 100), 'x',"
	         " SUBSTR(private_sealed, 102))",
	         ST_DENIED},
		{"private_sealed = LEFT(private_sealed,"
	         " LENGTH(private_sealed) - 1)",
	         ST_DENIED},
		{"private_sealed = CONCAT(private_sealed, 'x')", ST_DENIED},
		{"kid = '0197b1d0-0000-7000-8000-000000000002'", ST_DENIED},
		{"private_sealed = LEFT(private_sealed, 20)", ST_BROKEN},
		{"private_sealed = ''", ST_BROKEN},
		{"private_sealed = NULL", ST_BROKEN},
		{"private_sealed = CONCAT(CHAR(2), SUBSTR(private_sealed, 2))",
	         ST_BROKEN},
		{"private_pem = 'x'", ST_BROKEN},
		{"private_pem = ''", ST_BROKEN},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		char text[300];
		struct new_key new;
		const char *old;

		(void)start(state);
		assert_int_equal(read_into(ring, &rules), ST_OK);
		old = signer_of(ring);
		(void)rotate();
		(void)snprintf(text, sizeof(text),
		               "UPDATE signing_keys SET %s" NEWEST,
		               table[i].damage);
		run(text);
		run("UPDATE signing_keys SET"
		    " signs_from = signs_from - INTERVAL 91 DAY");
		/* Of an instance that starts. */
		if (read_into(other, &rules) != table[i].status)
			fail_msg("%s", table[i].damage);
		assert_null(keyring_signer(other));
		assert_non_null(strstr(buf_text(&why), "kid "));
		assert_int_not_equal(
			signing_keys_rotate(other, sql, &rules, &new, &why),
			ST_OK);
		assert_int_equal(rows(), 2);
		/* It has the key in memory, and goes on. */
		(void)read_into(ring, &rules);
		assert_non_null(keyring_signer(ring));
		assert_true(has(ring, old));
		(void)stop(state);
	}
}

static void a_wrong_secret_makes_no_key(void **state)
{
	static const char *const secrets[][2] = {
		{"another secret", ""},
		{"the secret ", ""},
		{"another secret", "a third"},
	};
	struct new_key new;

	(void)state;
	assert_int_equal(read_into(ring, &rules), ST_OK);
	run("UPDATE signing_keys SET signs_from = NOW(3) - INTERVAL 91 DAY");
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
		struct key_rules wrong =
			rules_with(secrets[i][0], secrets[i][1]);

		assert_int_equal(read_into(other, &wrong), ST_DENIED);
		assert_non_null(
			strstr(buf_text(&why), "IDENTITY_KEY_SECRET_FILE"));
		assert_null(keyring_signer(other));
		assert_int_equal(
			signing_keys_rotate(other, sql, &wrong, &new, &why),
			ST_DENIED);
		/* Also when this instance has read the key before. */
		assert_int_equal(read_into(ring, &wrong), ST_DENIED);
		assert_non_null(keyring_signer(ring));
		assert_int_equal(rows(), 1);
	}
	assert_int_equal(read_into(other, &rules), ST_OK);
}

static void the_secret_can_be_changed(void **state)
{
	struct key_rules both = rules_with("a new secret", "the secret");
	struct key_rules new = rules_with("a new secret", "");
	struct keyring *changed = keyring_create();
	struct keyring *fresh = keyring_create();
	const char *old;

	(void)state;
	read_all();
	(void)rotate();
	read_all();
	old = signer_of(ring);
	assert_int_equal(read_into(changed, &both), ST_OK);
	assert_string_equal(signer_of(changed), old);
	/* Instances with the secret before go on; a later one needs the new. */
	read_all();
	assert_int_equal(read_into(fresh, &rules), ST_DENIED);
	assert_int_equal(read_into(fresh, &new), ST_OK);
	assert_string_equal(signer_of(fresh), old);
	assert_int_equal(rows(), 2);
	keyring_destroy(&changed);
	keyring_destroy(&fresh);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(the_first_key_signs_at_once_and_is_encrypted),
		TEST(a_key_in_the_clear_is_encrypted_in_place),
		TEST(a_new_key_is_known_before_it_signs),
		TEST(a_second_rotation_makes_no_second_key),
		TEST(keys_rotate_after_their_days_and_only_then),
		TEST(a_clock_that_was_set_back_makes_no_more_keys),
		TEST(an_old_key_verifies_until_its_last_token_is_dead),
		TEST(the_key_that_signs_is_never_deleted),
		TEST(a_retired_signer_is_replaced_at_once),
		TEST(a_full_table_keeps_its_signer),
		TEST(instances_that_rotate_together_make_one_key),
		TEST(a_key_of_another_instance_is_learnt),
		cmocka_unit_test(
			a_key_that_cannot_be_used_is_named_and_none_is_made),
		TEST(a_wrong_secret_makes_no_key),
		TEST(the_secret_can_be_changed),
	};

	return cmocka_run_group_tests(tests, identity_fixture_start,
	                              identity_fixture_stop);
}
