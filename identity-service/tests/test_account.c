/* Accounts, sessions, keys and tokens; needs a server: see
 * identity_fixture.h. */
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/io/jwt/jwt.h"
#include "common/service/log.h"
#include "identity-service/account/account.h"
#include "identity-service/keys/token.h"
#include "identity-service/session/session.h"
#include "identity-service/tests/identity_fixture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { TTL_S = 1000 };

static struct key_rules rules = {.lead_s = 600, .token_ttl_s = TTL_S};
static struct database_source *source;
static struct database *database;
static struct keyring *keyring;
static struct revocations *revocations;
static struct tokens *tokens;

static struct tokens *tokens_of(struct keyring *keys, const char *audience)
{
	const struct token_rules token_rules = {
		.keyring = keys,
		.keys = &rules,
		.revocations = revocations,
		.issuer = "http://parley.example",
		.issuer_before = "parley",
		.audience = audience,
		.ttl_s = TTL_S,
		.cache_entries = 100,
	};

	return tokens_create(&token_rules);
}

static int start(void **state)
{
	struct sql_options options;

	(void)identity_fixture_start(state);
	options = identity_fixture_options();
	source = database_source_create(&options);
	database_source_open(source);
	database = database_create(source);
	key_secret_make(SPAN("a secret"), SPAN(""), &rules.secret);
	keyring = keyring_create();
	revocations = revocations_create(100, 3600);
	tokens = tokens_of(keyring, "parley");
	return 0;
}

static int stop(void **state)
{
	database_destroy(&database);
	database_source_destroy(&source);
	tokens_destroy(&tokens);
	revocations_destroy(&revocations);
	keyring_destroy(&keyring);
	return identity_fixture_stop(state);
}

static enum status read_keys(void)
{
	CLEANUP(buf_free) struct buf why = BUF(300);
	enum status status = signing_keys_read(keyring, sql, &rules, &why);

	assert_int_equal(why.len, 0);
	return status;
}

static uint64_t make_account(const char *name, const char *key)
{
	uint64_t id = 0;

	assert_int_equal(
		account_insert(sql, span_of(name), span_of(key), "$hash", &id),
		ST_OK);
	return id;
}

/* The result of a look-up of the name. */
static enum status find(const char *name, struct account *ret_account)
{
	CLEANUP(name_keys_free) struct name_keys keys = {0};

	assert_null(name_keys_read(span_of(name), &keys));
	return account_by_name(sql, &keys, ret_account);
}

static void an_account_is_found_by_name_and_id(void **state)
{
	uint64_t id = make_account("Zoë", "zoë");
	struct account account;

	(void)state;
	assert_int_equal(find("ZOE\u0308", &account), ST_OK);
	assert_int_equal(account.id, id);
	assert_string_equal(account.name, "Zoë");
	assert_string_equal(account.password_hash, "$hash");
	assert_true(clock_unix_ms() - account.created_at_ms < 60000);
	assert_int_equal(account_by_id(sql, id, &account), ST_OK);
	assert_string_equal(account.name, "Zoë");
	assert_int_equal(account_by_id(sql, id + 1000, &account), ST_NOT_FOUND);
	assert_int_equal(find("zoe", &account), ST_NOT_FOUND);
}

static void keys_are_compared_byte_by_byte(void **state)
{
	static const char *const keys[] = {"a", "A", "ä", "a ", "á", "a\u0301"};
	uint64_t id;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		(void)make_account("x", keys[i]);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		assert_int_equal(account_insert(sql, SPAN("y"),
		                                span_of(keys[i]), "$", &id),
		                 ST_CONFLICT);
}

static void without_keys_nothing_is_issued_or_denied(void **state)
{
	CLEANUP(buf_free) struct buf text = BUF(JWT_MAX);
	struct token_owner owner;
	struct uuid session;
	const char *why;

	(void)state;
	uuid_make(&session);
	assert_int_equal(token_issue(tokens, 7, SPAN("x"), &session,
	                             clock_unix_ms(), &text),
	                 ST_UNAVAILABLE);
	assert_int_equal(token_owner(tokens, NULL, SPAN("a.b.c"),
	                             clock_unix_ms(), &owner, &why),
	                 ST_UNAVAILABLE);
	assert_int_equal(token_owner(tokens, NULL, SPAN(""), clock_unix_ms(),
	                             &owner, &why),
	                 ST_DENIED);
}

static void *refresh(void *ret_keyring)
{
	CLEANUP(buf_free) struct buf why = BUF(300);
	struct keyring *keys = ret_keyring;
	struct sql *own;
	enum status status;

	sql_thread_start();
	own = identity_fixture_connect();
	do
		status = signing_keys_read(keys, own, &rules, &why);
	while (status == ST_BUSY);
	assert_int_equal(status, ST_OK);
	sql_destroy(&own);
	sql_thread_stop();
	return NULL;
}

static void instances_that_start_together_share_one_key(void **state)
{
	struct keyring *rings[4];
	pthread_t threads[4];
	const struct jwt_key *signer;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		rings[i] = keyring_create();
		assert_int_equal(
			pthread_create(&threads[i], NULL, refresh, rings[i]),
			0);
	}
	for (unsigned i = 0; i < 4; i++)
		(void)pthread_join(threads[i], NULL);
	assert_int_equal(read_keys(), ST_OK);
	signer = keyring_signer(keyring);
	assert_non_null(signer);
	for (unsigned i = 0; i < 4; i++) {
		assert_true(span_equal(jwt_key_id(keyring_signer(rings[i])),
		                       jwt_key_id(signer)));
		keyring_destroy(&rings[i]);
	}
	assert_null(keyring_find(keyring, SPAN("another")));
}

static void issue(struct tokens *with, uint64_t now_ms, struct uuid *session,
                  struct buf *ret_text)
{
	uuid_make(session);
	assert_int_equal(
		token_issue(with, 7, SPAN("Zoë"), session, now_ms, ret_text),
		ST_OK);
}

static void insert_session(const struct uuid *id, uint64_t user,
                           uint64_t expires_at_ms)
{
	const struct session_rules ends = {.idle_s = 10, .max_s = 10};
	const struct session_device device = {0};
	struct session session = {.id = *id, .user = user};

	refresh_token_make(&session.refresh);
	assert_int_equal(
		session_insert(sql, &ends, &device, expires_at_ms, &session),
		ST_OK);
}

static void a_token_says_whose_it_is_until_it_expires(void **state)
{
	CLEANUP(buf_free) struct buf text = BUF(JWT_MAX);
	uint64_t now_ms = clock_unix_ms();
	uint64_t end_ms = token_expiry_ms(tokens, now_ms);
	struct token_owner owner;
	struct uuid session;
	char sid[UUID_TEXT_LEN + 1];
	const char *why;

	(void)state;
	issue(tokens, now_ms, &session, &text);
	uuid_format(&session, sid);
	for (unsigned turn = 0; turn < 2; turn++) { /* checked, remembered */
		assert_int_equal(token_owner(tokens, NULL, buf_span(&text),
		                             now_ms, &owner, &why),
		                 ST_OK);
		assert_int_equal(owner.user, 7);
		assert_string_equal(owner.name, "Zoë");
		assert_string_equal(owner.session, sid);
		assert_int_equal(owner.expires_at_ms, end_ms);
	}
	assert_int_equal(token_owner(tokens, NULL, buf_span(&text), end_ms - 1,
	                             &owner, &why),
	                 ST_OK);
	assert_int_equal(token_owner(tokens, NULL, buf_span(&text), end_ms,
	                             &owner, &why),
	                 ST_DENIED);
	assert_string_equal(why, "expired");
	/* From a clock that is a minute ahead, not two. */
	assert_int_equal(token_owner(tokens, NULL, buf_span(&text),
	                             now_ms - 59000, &owner, &why),
	                 ST_OK);
}

static void tokens_of_another_audience_or_the_future_are_denied(void **state)
{
	CLEANUP(buf_free) struct buf text = BUF(JWT_MAX);
	struct tokens *others = tokens_of(keyring, "other");
	uint64_t now_ms = clock_unix_ms();
	struct token_owner owner;
	struct uuid session;
	const char *why;

	(void)state;
	issue(others, now_ms, &session, &text);
	assert_int_equal(token_owner(tokens, NULL, buf_span(&text), now_ms,
	                             &owner, &why),
	                 ST_DENIED);
	assert_string_equal(why, "wrong aud");
	buf_clear(&text);
	issue(tokens, now_ms + 62000, &session, &text);
	assert_int_equal(token_owner(tokens, NULL, buf_span(&text), now_ms,
	                             &owner, &why),
	                 ST_DENIED);
	assert_string_equal(why, "not valid yet");
	tokens_destroy(&others);
}

static void a_revoked_session_kills_its_tokens_only(void **state)
{
	CLEANUP(buf_free) struct buf dead = BUF(JWT_MAX), alive = BUF(JWT_MAX);
	uint64_t now_ms = clock_unix_ms();
	uint64_t user = make_account("r", "r");
	struct uuid session, other;
	struct token_owner owner;
	struct sql_value id;
	const char *why;

	(void)state;
	issue(tokens, now_ms, &session, &dead);
	issue(tokens, now_ms, &other, &alive);
	insert_session(&session, user, now_ms + 99000);
	insert_session(&session, user, now_ms + 99000);
	insert_session(&other, user, now_ms + 99000);
	assert_int_equal(token_owner(tokens, NULL, buf_span(&dead), now_ms,
	                             &owner, &why),
	                 ST_OK);
	id = sql_bytes(span_make(session.byte, sizeof(session.byte)));
	assert_int_equal(sql_run(sql,
	                         "UPDATE sessions SET revoked_at = NOW(3)"
	                         " WHERE id = ?",
	                         &id, 1),
	                 ST_OK);
	assert_int_equal(revocations_load(revocations, sql, false), ST_OK);
	assert_int_equal(token_owner(tokens, NULL, buf_span(&dead), now_ms,
	                             &owner, &why),
	                 ST_DENIED);
	assert_string_equal(why, "revoked");
	assert_int_equal(token_owner(tokens, NULL, buf_span(&alive), now_ms,
	                             &owner, &why),
	                 ST_OK);
}

static void an_old_revocation_is_found_by_reading_all(void **state)
{
	uint64_t now_ms = clock_unix_ms();
	uint64_t user = make_account("s", "s");
	struct uuid session;
	struct sql_value id =
		sql_bytes(span_make(session.byte, sizeof(session.byte)));

	(void)state;
	uuid_make(&session);
	insert_session(&session, user, now_ms + 99000);
	assert_int_equal(sql_run(sql,
	                         "UPDATE sessions SET revoked_at ="
	                         " NOW(3) - INTERVAL 3 HOUR WHERE id = ?",
	                         &id, 1),
	                 ST_OK);
	assert_int_equal(revocations_load(revocations, sql, false), ST_OK);
	assert_false(revocations_have(revocations, &session, now_ms));
	assert_int_equal(revocations_load(revocations, sql, true), ST_OK);
	assert_true(revocations_have(revocations, &session, now_ms));
	assert_false(revocations_have(revocations, &session, now_ms + 99001));
}

static void a_retired_key_is_not_believed_and_a_new_one_signs(void **state)
{
	CLEANUP(buf_free) struct buf old = BUF(JWT_MAX), new = BUF(JWT_MAX);
	struct tokens *fresh = tokens_of(keyring, "parley");
	uint64_t now_ms = clock_unix_ms();
	struct token_owner owner;
	struct uuid session;
	const char *why;

	(void)state;
	issue(tokens, now_ms, &session, &old);
	assert_int_equal(
		token_owner(tokens, NULL, buf_span(&old), now_ms, &owner, &why),
		ST_OK);
	assert_int_equal(
		sql_execute(sql, "UPDATE signing_keys SET retired_at = NOW(3)"),
		ST_OK);
	assert_int_equal(read_keys(), ST_OK);
	issue(fresh, now_ms, &session, &new);
	assert_int_equal(
		token_owner(fresh, NULL, buf_span(&new), now_ms, &owner, &why),
		ST_OK);
	/* Only the database can say whether another instance has made it. */
	assert_int_equal(
		token_owner(fresh, NULL, buf_span(&old), now_ms, &owner, &why),
		ST_NOT_FOUND);
	assert_int_equal(token_owner(fresh, database, buf_span(&old), now_ms,
	                             &owner, &why),
	                 ST_DENIED);
	assert_string_equal(why, "unknown kid");
	/* Also by instances that have cached it. */
	assert_int_equal(token_owner(tokens, database, buf_span(&old), now_ms,
	                             &owner, &why),
	                 ST_DENIED);
	tokens_destroy(&fresh);
}

static void run(const char *statement)
{
	if (sql_execute(sql, statement) != ST_OK)
		fail_msg("%s: %s", statement, sql_error(sql));
}

static uint64_t count_sessions(const char *which)
{
	struct sql_value row;
	char text[200];

	(void)snprintf(text, sizeof(text), "SELECT COUNT(*) FROM sessions%s",
	               which);
	assert_int_equal(sql_run(sql, text, NULL, 0), ST_OK);
	assert_int_equal(sql_fetch(sql, &row, 1), ST_OK);
	return row.number;
}

static void sessions_that_have_ended_are_purged(void **state)
{
	static const struct {
		const char *ends; /* from now */
		unsigned sessions;
		bool left;
	} rows[] = {
		{"INTERVAL 1 HOUR", 3, true},
		{"INTERVAL -1 HOUR", 3, true}, /* clocks may differ */
		{"INTERVAL -23 HOUR", 3, true},
		{"INTERVAL -25 HOUR", 3, false},
		{"INTERVAL -1 YEAR", 2 * SESSION_PURGE_MAX, false},
	};
	uint64_t user = make_account("Old", "old");
	unsigned left = 0, purges = 0;
	bool more = true;

	(void)state;
	run("DELETE FROM sessions");
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		char text[512];

		(void)snprintf(text, sizeof(text),
		               "INSERT INTO sessions (id, user, expires_at,"
		               " revoked_at) WITH RECURSIVE n (i) AS (SELECT 1"
		               " UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
		               " SELECT UNHEX(MD5(CONCAT(%u, a.i, ' ', b.i))),"
		               " %llu, NOW(3) + %s, IF(a.i = 1, NOW(3), NULL)"
		               " FROM n a JOIN n b ON b.i <= 3"
		               " WHERE (b.i - 1) * 1000 + a.i <= %u",
		               i, (unsigned long long)user, rows[i].ends,
		               rows[i].sessions);
		run(text);
		left += rows[i].left ? rows[i].sessions : 0;
	}
	for (; more; purges++)
		assert_int_equal(session_purge(sql, &more), ST_OK);
	assert_int_equal(purges, 3);
	assert_int_equal(count_sessions(""), left);
	assert_int_equal(
		count_sessions(" WHERE expires_at < NOW(3) - INTERVAL 1 DAY"),
		0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_account_is_found_by_name_and_id),
		cmocka_unit_test(keys_are_compared_byte_by_byte),
		cmocka_unit_test(without_keys_nothing_is_issued_or_denied),
		cmocka_unit_test(instances_that_start_together_share_one_key),
		cmocka_unit_test(a_token_says_whose_it_is_until_it_expires),
		cmocka_unit_test(
			tokens_of_another_audience_or_the_future_are_denied),
		cmocka_unit_test(a_revoked_session_kills_its_tokens_only),
		cmocka_unit_test(an_old_revocation_is_found_by_reading_all),
		cmocka_unit_test(sessions_that_have_ended_are_purged),
		cmocka_unit_test(
			a_retired_key_is_not_believed_and_a_new_one_signs),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
