/* Sessions and their refresh tokens; needs a server: see sql_server.h. */
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/io/sql/fault.h"
#include "identity-service/session/revocations.h"
#include "identity-service/session/session.h"
#include "identity-service/session/session_uses.h"
#include "identity-service/tests/identity_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { ACCESS_MS = 3600 * 1000, ERROR_LOST = 2013, ERROR_DEADLOCK = 1213 };

static const struct session_rules rules = {.idle_s = 1000, .max_s = 5000};
static uint64_t user, stranger;

static int start(void **state)
{
	(void)identity_fixture_start(state);
	assert_int_equal(
		sql_execute(sql,
	                    "INSERT INTO users (name, name_key, password_hash)"
	                    " VALUES ('Zoë', 'zoë', '$'), ('bob', 'bob', '$')"),
		ST_OK);
	user = sql_insert_id(sql);
	stranger = user + 1;
	return 0;
}

static struct session sign_in(const char *client_id)
{
	const struct session_device device = {.user_agent = SPAN("phone"),
	                                      .client_id = span_of(client_id)};
	struct session session = {.user = user};

	uuid_make(&session.id);
	refresh_token_make(&session.refresh);
	assert_int_equal(session_insert(sql, &rules, &device,
	                                clock_unix_ms() + ACCESS_MS, &session),
	                 ST_OK);
	assert_int_equal(session.refresh_expires_in_s, rules.idle_s);
	return session;
}

static enum status use_as(const char *client_id,
                          const struct refresh_token *token,
                          struct session *ret_session)
{
	const struct session_device device = {.user_agent = SPAN("phone 2"),
	                                      .client_id = span_of(client_id)};
	const struct session_refresh refresh = {
		.rules = &rules,
		.device = &device,
		.token = *token,
		.expires_at_ms = clock_unix_ms() + ACCESS_MS};

	return session_refresh(sql, &refresh, ret_session);
}

static enum status use(const struct refresh_token *token,
                       struct session *ret_session)
{
	return use_as("", token, ret_session);
}

static void change(const struct session *session, const char *statement)
{
	const struct sql_value id = sql_bytes(uuid_span(&session->id));

	assert_int_equal(sql_run(sql, statement, &id, 1), ST_OK);
}

/*
 * What becomes of uses of the tokens of one session. Token 0 is that of the
 * sign-in; a use gives the token of the next number, or one given before.
 */
static const struct {
	const char *name;
	struct {
		unsigned token;
		enum status want;
		unsigned gives;
	} uses[8];
	unsigned count;
} walks[] = {
	{"one after the other",
         {{0, ST_OK, 1}, {1, ST_OK, 2}, {2, ST_OK, 3}},
         3},
	{"a lost answer",
         {{0, ST_OK, 1}, {0, ST_OK, 1}, {0, ST_OK, 1}, {1, ST_OK, 2}},
         4},
	{"a lost answer, later",
         {{0, ST_OK, 1}, {1, ST_OK, 2}, {1, ST_OK, 2}, {2, ST_OK, 3}},
         4},
	{"the one before, after its successor was used",
         {{0, ST_OK, 1},
          {1, ST_OK, 2},
          {0, ST_CONFLICT, 0},
          {2, ST_DENIED, 0},
          {1, ST_DENIED, 0},
          {0, ST_DENIED, 0}},
         6},
	{"an older one",
         {{0, ST_OK, 1},
          {1, ST_OK, 2},
          {2, ST_OK, 3},
          {3, ST_OK, 4},
          {1, ST_CONFLICT, 0},
          {4, ST_DENIED, 0}},
         6},
};

static void walk(unsigned number)
{
	struct refresh_token tokens[8];
	struct session session = sign_in(""), got;

	tokens[0] = session.refresh;
	for (unsigned i = 0, known = 1; i < walks[number].count; i++) {
		unsigned gives = walks[number].uses[i].gives;
		enum status status =
			use(&tokens[walks[number].uses[i].token], &got);

		if (status != walks[number].uses[i].want)
			fail_msg("%s, use %u: %s", walks[number].name, i,
			         status_text(status));
		if (status != ST_OK)
			continue;
		assert_memory_equal(&got.id, &session.id, sizeof(got.id));
		assert_int_equal(got.user, user);
		assert_string_equal(got.name, "Zoë");
		assert_int_equal(got.refresh_expires_in_s, rules.idle_s);
		if (gives == known)
			tokens[known++] = got.refresh;
		else
			assert_memory_equal(&got.refresh, &tokens[gives],
			                    sizeof(got.refresh));
	}
}

static void a_token_rotates_and_an_older_one_ends_the_session(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(walks); i++)
		walk(i);
}

static void an_unknown_token_ends_no_session(void **state)
{
	struct session session = sign_in(""), got;
	struct refresh_token unknown;

	(void)state;
	refresh_token_make(&unknown);
	assert_int_equal(use(&unknown, &got), ST_DENIED);
	/* The id of a session is in its access tokens. */
	memcpy(unknown.family, session.id.byte, sizeof(unknown.family));
	assert_int_equal(use(&unknown, &got), ST_DENIED);
	assert_int_equal(use(&session.refresh, &got), ST_OK);
}

static void a_guessed_secret_of_a_stolen_family_ends_the_session(void **state)
{
	struct session session = sign_in(""), got;
	struct refresh_token guessed = session.refresh;

	(void)state;
	guessed.secret[31] ^= 1;
	assert_int_equal(use(&guessed, &got), ST_CONFLICT);
	assert_int_equal(use(&session.refresh, &got), ST_DENIED);
}

static const struct {
	const char *signed_in;
	const char *refreshes;
	enum status want;
} clients[] = {
	{"", "", ST_OK},           {"", "app", ST_OK},
	{"app", "", ST_OK},        {"app", "app", ST_OK},
	{"app", "App", ST_DENIED}, {"app", "other", ST_DENIED},
};

static void a_token_is_good_for_its_client_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
		struct session session = sign_in(clients[i].signed_in), got;

		assert_int_equal(
			use_as(clients[i].refreshes, &session.refresh, &got),
			clients[i].want);
		/* A refused one is not used. */
		assert_int_equal(
			use_as(clients[i].signed_in, &session.refresh, &got),
			ST_OK);
	}
}

#define SET(what) "UPDATE sessions SET " what " WHERE id = ?"

static void time_ends_tokens_and_sessions(void **state)
{
	struct session idle = sign_in(""), old = sign_in(""), got;

	(void)state;
	change(&idle, SET("refresh_expires_at = NOW(3) - INTERVAL 1 SECOND"));
	assert_int_equal(use(&idle.refresh, &got), ST_DENIED);
	change(&idle, SET("refresh_expires_at = NOW(3) + INTERVAL 9 SECOND"));
	assert_int_equal(use(&idle.refresh, &got), ST_OK);
	change(&old, SET("ends_at = NOW(3) + INTERVAL 100 SECOND"));
	assert_int_equal(use(&old.refresh, &got), ST_OK);
	assert_in_range(got.refresh_expires_in_s, 90, 100);
	change(&old, SET("ends_at = NOW(3)"));
	assert_int_equal(use(&got.refresh, &got), ST_OK);
	assert_int_equal(got.refresh_expires_in_s, 0);
	assert_int_equal(use(&got.refresh, &got), ST_DENIED);
}

static unsigned count_sessions(uint64_t of, struct session_row *rows)
{
	unsigned count;

	assert_int_equal(session_list(sql, of, rows, &count), ST_OK);
	return count;
}

static void note(struct session_uses *uses, const struct uuid *session,
                 uint64_t now_ms)
{
	char id[UUID_TEXT_LEN + 1];

	uuid_format(session, id);
	session_uses_note(uses, span_of(id), now_ms);
}

/* At the database, before and after what was noted is written. */
static bool moves(struct session_uses *uses, const struct session *session)
{
	static struct session_row rows[SESSIONS_MAX];
	uint64_t now_ms, old_ms;

	change(session, SET("last_used_at = NOW(3) - INTERVAL 1 HOUR"));
	assert_int_equal(session_uses_write(uses, sql), ST_OK);
	assert_int_equal(session_now(sql, &now_ms), ST_OK);
	old_ms = now_ms - 1800 * 1000;
	for (unsigned i = count_sessions(user, rows); i-- > 0;)
		if (!memcmp(&rows[i].id, &session->id, sizeof(session->id)))
			return rows[i].last_used_at_ms > old_ms;
	return false;
}

static void a_look_up_is_a_use(void **state)
{
	struct session_uses *uses;
	struct session one, two;
	uint64_t now_ms = clock_unix_ms();
	struct uuid absent;

	(void)state;
	one = sign_in("");
	two = sign_in("");
	uuid_make(&absent);
	assert_int_equal(session_uses_create(&uses), ST_OK);
	assert_false(moves(uses, &one));
	note(uses, &absent, now_ms);
	note(uses, &one.id, now_ms);
	assert_true(moves(uses, &one));
	assert_false(moves(uses, &two));
	/* Once in a while only. */
	note(uses, &one.id, now_ms + 1);
	assert_false(moves(uses, &one));
	now_ms += SESSION_USE_EVERY_S * 1000;
	note(uses, &one.id, now_ms);
	assert_true(moves(uses, &one));
	assert_int_equal(session_end(sql, user, &two.id), ST_OK);
	note(uses, &two.id, now_ms);
	assert_false(moves(uses, &two));
	session_uses_destroy(&uses);
}

/* Notes that find no room are noted with the next use. */
static void very_many_uses_are_bounded(void **state)
{
	enum { MANY = 10000 };
	struct session_uses *uses;
	struct session one = sign_in("");
	uint64_t now_ms = clock_unix_ms();
	struct uuid other;

	(void)state;
	assert_int_equal(session_uses_create(&uses), ST_OK);
	for (unsigned i = 0; i < MANY; i++) {
		uuid_make(&other);
		note(uses, &other, now_ms);
	}
	note(uses, &one.id, now_ms);
	assert_false(moves(uses, &one));
	note(uses, &one.id, now_ms);
	assert_true(moves(uses, &one));
	session_uses_destroy(&uses);
}

static void a_user_sees_and_ends_own_sessions_only(void **state)
{
	static struct session_row rows[SESSIONS_MAX];
	struct session one, two, got;

	(void)state;
	assert_int_equal(sql_execute(sql, "DELETE FROM sessions"), ST_OK);
	one = sign_in("");
	two = sign_in("");
	change(&one, SET("last_used_at = NOW(3) - INTERVAL 1 HOUR"));
	assert_int_equal(count_sessions(user, rows), 2);
	assert_memory_equal(&rows[0].id, &two.id, sizeof(two.id));
	assert_string_equal(rows[0].user_agent, "phone");
	assert_int_equal(use(&one.refresh, &got), ST_OK);
	assert_int_equal(count_sessions(user, rows), 2);
	assert_memory_equal(&rows[0].id, &one.id, sizeof(one.id));
	assert_string_equal(rows[0].user_agent, "phone 2");
	assert_int_equal(session_end(sql, stranger, &one.id), ST_NOT_FOUND);
	assert_int_equal(session_end(sql, user, &one.id), ST_OK);
	assert_int_equal(session_end(sql, user, &one.id), ST_NOT_FOUND);
	assert_int_equal(use(&got.refresh, &got), ST_DENIED);
	assert_int_equal(count_sessions(user, rows), 1);
	one = sign_in("");
	assert_int_equal(session_end_others(sql, user, &one.id), ST_OK);
	assert_int_equal(count_sessions(user, rows), 1);
	assert_memory_equal(&rows[0].id, &one.id, sizeof(one.id));
	assert_int_equal(use(&two.refresh, &got), ST_DENIED);
}

static void the_longest_unused_session_makes_room(void **state)
{
	static struct session_row rows[SESSIONS_MAX];
	struct session first, last, got;

	(void)state;
	assert_int_equal(sql_execute(sql, "DELETE FROM sessions"), ST_OK);
	first = sign_in("");
	for (unsigned i = 1; i < SESSIONS_MAX; i++)
		last = sign_in("");
	change(&last, SET("last_used_at = NOW(3) - INTERVAL 1 HOUR"));
	assert_int_equal(count_sessions(user, rows), SESSIONS_MAX);
	(void)sign_in("");
	assert_int_equal(count_sessions(user, rows), SESSIONS_MAX);
	assert_int_equal(use(&first.refresh, &got), ST_OK);
	assert_int_equal(use(&last.refresh, &got), ST_DENIED);
}

/* A session from before refresh tokens. */
static void an_older_session_is_listed_and_ends(void **state)
{
	static struct session_row rows[SESSIONS_MAX];
	struct session old;

	(void)state;
	assert_int_equal(sql_execute(sql, "DELETE FROM sessions"), ST_OK);
	old = sign_in("");
	change(&old, SET("refresh_family = NULL, refresh_current = NULL,"
	                 " refresh_expires_at = NULL, ends_at = NULL,"
	                 " last_used_at = NULL, user_agent = NULL,"
	                 " address = NULL"));
	assert_int_equal(count_sessions(user, rows), 1);
	assert_int_equal(rows[0].last_used_at_ms, rows[0].created_at_ms);
	assert_string_equal(rows[0].user_agent, "");
	assert_false(rows[0].has_address);
	assert_int_equal(session_end(sql, user, &old.id), ST_OK);
	assert_int_equal(count_sessions(user, rows), 0);
}

/*
 * Each statement of a refresh fails, before or after it took effect: the client
 * repeats its request, and goes on with what it got.
 */
static void a_failing_statement_signs_nobody_out(void **state)
{
	static const unsigned errors[] = {ERROR_LOST, ERROR_DEADLOCK};

	(void)state;
	for (unsigned i = 0; i < 2 * ARRAY_LEN(errors); i++) {
		bool happened = true;

		for (unsigned n = 1; happened; n++) {
			struct sql_fault fault = {.statement = n,
			                          .error = errors[i / 2],
			                          .after = i % 2};
			struct session session = sign_in(""), got = {0};
			enum status status;

			sql_fault_set(sql, &fault);
			status = use(&session.refresh, &got);
			sql_fault_set(sql, NULL);
			happened = fault.happened;
			if (happened)
				assert_int_not_equal(status, ST_CONFLICT);
			if (!sql_connected(sql))
				assert_int_equal(sql_connect(sql), ST_OK);
			assert_int_equal(use(&session.refresh, &got), ST_OK);
			assert_int_equal(use(&got.refresh, &got), ST_OK);
		}
	}
}

static void a_revoked_session_is_read_until_its_tokens_expire(void **state)
{
	struct revocations *revocations =
		revocations_create(100, ACCESS_MS / 1000);
	struct session session = sign_in(""), got;
	uint64_t now_ms = clock_unix_ms();

	(void)state;
	assert_int_equal(use(&session.refresh, &got), ST_OK);
	assert_int_equal(revocations_load_user(revocations, sql, user), ST_OK);
	assert_false(revocations_have(revocations, &session.id, now_ms));
	assert_int_equal(session_end(sql, user, &session.id), ST_OK);
	assert_int_equal(revocations_load_user(revocations, sql, user), ST_OK);
	assert_true(revocations_have(revocations, &session.id,
	                             now_ms + ACCESS_MS - 1000));
	assert_false(revocations_have(revocations, &session.id,
	                              now_ms + ACCESS_MS + 60000));
	revocations_destroy(&revocations);
}

/* As with a service whose clock is late, or a database whose clock is early. */
static void a_session_ends_whatever_the_clock_of_its_expiry(void **state)
{
	struct revocations *revocations =
		revocations_create(100, ACCESS_MS / 1000);
	struct session recent = sign_in(""), old = sign_in("");
	uint64_t late_ms = clock_unix_ms() - 3 * ACCESS_MS, since_ms;
	struct session_ended rows[100];
	struct uuid first = {0};
	unsigned count, found = 0;

	(void)state;
	assert_int_equal(session_end(sql, user, &recent.id), ST_OK);
	assert_int_equal(session_end(sql, user, &old.id), ST_OK);
	change(&recent, SET("expires_at = NOW(3) - INTERVAL 2 HOUR,"
	                    " revoked_at = NOW(3) - INTERVAL 10 MINUTE"));
	change(&old, SET("expires_at = NOW(3) - INTERVAL 2 HOUR,"
	                 " revoked_at = NOW(3) - INTERVAL 61 MINUTE"));
	assert_int_equal(revocations_load(revocations, sql, false), ST_OK);
	assert_false(revocations_have(revocations, &recent.id, late_ms));
	assert_int_equal(revocations_load(revocations, sql, true), ST_OK);
	assert_true(revocations_have(revocations, &recent.id, late_ms));
	assert_false(revocations_have(revocations, &old.id, late_ms));
	change(&recent, SET("revoked_at = NOW(3)"));
	assert_int_equal(session_now(sql, &since_ms), ST_OK);
	assert_int_equal(session_list_ended(sql, since_ms - 15000, &first, rows,
	                                    ARRAY_LEN(rows), &count),
	                 ST_OK);
	for (unsigned i = 0; i < count; i++)
		found += !memcmp(&rows[i].id, &recent.id, sizeof(recent.id));
	assert_int_equal(found, 1);
	revocations_destroy(&revocations);
}

static void old_rows_are_deleted(void **state)
{
	struct session ended, access_lives, refresh_lives, before, got;
	struct sql_value row;
	bool more;

	(void)state;
	assert_int_equal(sql_execute(sql, "DELETE FROM sessions"), ST_OK);
	ended = sign_in("");
	access_lives = sign_in("");
	refresh_lives = sign_in("");
	before = sign_in("");
	change(&ended, SET("refresh_expires_at = NOW(3) - INTERVAL 2 DAY,"
	                   " expires_at = NOW(3) - INTERVAL 2 DAY"));
	change(&access_lives, SET("refresh_expires_at = NOW(3) -"
	                          " INTERVAL 2 DAY"));
	change(&refresh_lives, SET("expires_at = NOW(3) - INTERVAL 2 DAY"));
	change(&before, SET("refresh_expires_at = NULL,"
	                    " expires_at = NOW(3) - INTERVAL 2 DAY"));
	assert_int_equal(session_purge(sql, &more), ST_OK);
	assert_false(more);
	assert_int_equal(sql_run(sql, "SELECT COUNT(*) FROM sessions", NULL, 0),
	                 ST_OK);
	assert_int_equal(sql_fetch(sql, &row, 1), ST_OK);
	assert_int_equal(row.number, 2);
	assert_int_equal(use(&refresh_lives.refresh, &got), ST_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_token_rotates_and_an_older_one_ends_the_session),
		cmocka_unit_test(an_unknown_token_ends_no_session),
		cmocka_unit_test(
			a_guessed_secret_of_a_stolen_family_ends_the_session),
		cmocka_unit_test(a_token_is_good_for_its_client_only),
		cmocka_unit_test(time_ends_tokens_and_sessions),
		cmocka_unit_test(a_look_up_is_a_use),
		cmocka_unit_test(very_many_uses_are_bounded),
		cmocka_unit_test(a_user_sees_and_ends_own_sessions_only),
		cmocka_unit_test(the_longest_unused_session_makes_room),
		cmocka_unit_test(an_older_session_is_listed_and_ends),
		cmocka_unit_test(a_failing_statement_signs_nobody_out),
		cmocka_unit_test(
			a_revoked_session_is_read_until_its_tokens_expire),
		cmocka_unit_test(
			a_session_ends_whatever_the_clock_of_its_expiry),
		cmocka_unit_test(old_rows_are_deleted),
	};

	return cmocka_run_group_tests(tests, start, identity_fixture_stop);
}
