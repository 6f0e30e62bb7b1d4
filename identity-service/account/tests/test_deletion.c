/* Accounts that are deleted; needs a server: see identity_fixture.h. */
#include "identity-service/account/account.h"
#include "identity-service/account/deletion.h"
#include "identity-service/account/profile.h"
#include "identity-service/session/session.h"
#include "identity-service/tests/identity_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { LIST_MAX = 100, RESERVED_S = 1000 };

static const struct session_rules rules = {.idle_s = 1000, .max_s = 1000};
static const struct session_device device;

static uint64_t make_account(const char *name)
{
	uint64_t id = 0;

	assert_int_equal(
		account_insert(sql, span_of(name), span_of(name), "$hash", &id),
		ST_OK);
	return id;
}

static enum status run(uint64_t user, const char *hash, uint64_t reserved_s)
{
	return deletion_run(sql,
	                    &(struct deletion){.user = user,
	                                       .password_hash = hash,
	                                       .name_reserved_s = reserved_s});
}

static void start_session(uint64_t user, struct session *session)
{
	uint64_t now_ms = 0;

	*session = (struct session){.user = user};
	uuid_make(&session->id);
	refresh_token_make(&session->refresh);
	assert_int_equal(session_now(sql, &now_ms), ST_OK);
	assert_int_equal(
		session_insert(sql, &rules, &device, now_ms + 100000, session),
		ST_OK);
}

static unsigned count_sessions(uint64_t user)
{
	static struct session_row rows[SESSIONS_MAX];
	unsigned count = 0;

	assert_int_equal(session_list(sql, user, rows, &count), ST_OK);
	return count;
}

static enum status find(const char *name)
{
	CLEANUP(name_keys_free) struct name_keys keys = {0};
	struct account account;

	assert_null(name_keys_read(span_of(name), &keys));
	return account_by_name(sql, &keys, &account);
}

static enum status refresh(const struct session *session)
{
	struct session next;

	return session_refresh(
		sql,
		&(struct session_refresh){.rules = &rules,
	                                  .device = &device,
	                                  .token = session->refresh,
	                                  .expires_at_ms = 1},
		&next);
}

static void nothing_of_the_user_is_left_but_the_name(void **state)
{
	uint64_t id = make_account("ann"), other = make_account("bob");
	struct session sessions[2], others;
	struct profile_change change = {0};
	struct profile profile;
	struct account account;

	(void)state;
	for (unsigned i = 0; i < PROFILE_TEXTS; i++) {
		change.changes[i] = true;
		change.text[i] = sql_bytes(SPAN("x"));
	}
	assert_int_equal(profile_apply(sql, id, &change), ST_OK);
	start_session(id, &sessions[0]);
	start_session(id, &sessions[1]);
	start_session(other, &others);
	assert_int_equal(run(id, "$hash", RESERVED_S), ST_OK);

	assert_int_equal(count_sessions(id), 0);
	assert_int_equal(refresh(&sessions[0]), ST_DENIED);
	assert_int_equal(refresh(&sessions[1]), ST_DENIED);
	assert_int_equal(count_sessions(other), 1);
	assert_int_equal(find("ann"), ST_NOT_FOUND);
	assert_int_equal(account_by_id(sql, id, &account), ST_NOT_FOUND);
	assert_int_equal(profile_by_id(sql, id, &profile), ST_OK);
	assert_true(profile.deleted);
	assert_true(span_equal(profile.name, SPAN("ann")));
	for (unsigned i = 0; i < PROFILE_TEXTS; i++)
		assert_int_equal(profile.text[i].kind, SQL_NULL);
	assert_int_equal(profile_apply(sql, id, &change), ST_OK);
	assert_int_equal(profile_by_id(sql, id, &profile), ST_OK);
	assert_int_equal(profile.text[PROFILE_ABOUT].kind, SQL_NULL);
	assert_int_equal(profile_select_many(sql, (uint64_t[]){id, other}, 2),
	                 ST_OK);
	assert_int_equal(profile_next(sql, &profile), ST_OK);
	assert_int_equal(profile.id, other);
	assert_int_equal(profile_next(sql, &profile), ST_NOT_FOUND);
}

static void a_deletion_may_be_repeated(void **state)
{
	uint64_t id = make_account("twice");

	(void)state;
	assert_int_equal(run(id, "$hash", RESERVED_S), ST_OK);
	assert_int_equal(run(id, "$hash", RESERVED_S), ST_OK);
	assert_int_equal(find("twice"), ST_NOT_FOUND);
}

static void another_password_is_a_conflict(void **state)
{
	uint64_t id = make_account("carla");
	struct session session;

	(void)state;
	start_session(id, &session);
	assert_int_equal(run(id, "$other", RESERVED_S), ST_CONFLICT);
	assert_int_equal(find("carla"), ST_OK);
	assert_int_equal(count_sessions(id), 1);
	assert_int_equal(account_change_hash(sql, id, "$hash", "$new"), ST_OK);
	assert_int_equal(run(id, "$hash", RESERVED_S), ST_CONFLICT);
	assert_int_equal(run(id, "$new", RESERVED_S), ST_OK);
	assert_int_equal(account_change_hash(sql, id, "$new", "$newer"),
	                 ST_CONFLICT);
}

static void the_phone_must_still_be_the_users(void **state)
{
	const struct span phone = SPAN("+4915112345678");
	struct deletion deletion = {.phone = phone,
	                            .name_reserved_s = RESERVED_S};
	struct account account;

	(void)state;
	assert_int_equal(account_insert_by_phone(sql, SPAN("phone"),
	                                         SPAN("phone"), phone,
	                                         &deletion.user),
	                 ST_OK);
	deletion.phone = SPAN("+4915112345679");
	assert_int_equal(deletion_run(sql, &deletion), ST_CONFLICT);
	assert_int_equal(find("phone"), ST_OK);
	deletion.phone = phone;
	assert_int_equal(deletion_run(sql, &deletion), ST_OK);
	assert_int_equal(deletion_run(sql, &deletion), ST_OK);
	/* Free at once. */
	assert_int_equal(account_by_phone(sql, phone, &account), ST_NOT_FOUND);
	assert_int_equal(account_insert_by_phone(sql, SPAN("next"),
	                                         SPAN("next"), phone,
	                                         &deletion.user),
	                 ST_OK);
}

static void a_name_is_free_when_its_time_is_over(void **state)
{
	uint64_t kept = make_account("kept"), freed = make_account("freed");
	struct profile profile;
	uint64_t id;
	bool more;

	(void)state;
	assert_int_equal(run(kept, "$hash", RESERVED_S), ST_OK);
	assert_int_equal(run(freed, "$hash", 0), ST_OK);
	assert_int_equal(
		account_insert(sql, SPAN("freed"), SPAN("freed"), "$", &id),
		ST_CONFLICT);
	assert_int_equal(deletion_free_names(sql, &more), ST_OK);
	assert_false(more);
	assert_int_equal(
		account_insert(sql, SPAN("kept"), SPAN("kept"), "$", &id),
		ST_CONFLICT);
	assert_int_equal(
		account_insert(sql, SPAN("freed"), SPAN("freed"), "$", &id),
		ST_OK);
	assert_int_equal(profile_by_id(sql, freed, &profile), ST_OK);
	assert_true(profile.deleted && profile.name.len == 0);
	/* A second deleted account without a name. */
	assert_int_equal(run(id, "$", 0), ST_OK);
	assert_int_equal(deletion_free_names(sql, &more), ST_OK);
	assert_int_equal(find("freed"), ST_NOT_FOUND);
}

/* The sign-in has its session before the deletion, which waits and ends it. */
static void a_sign_in_holds_a_deletion_up(void **state)
{
	struct sql *signs_in = identity_fixture_connect();
	uint64_t id = make_account("race");
	struct session session;

	(void)state;
	assert_int_equal(sql_begin(signs_in), ST_OK);
	assert_int_equal(account_lock(signs_in, id), ST_OK);
	assert_int_equal(
		sql_execute(sql, "SET SESSION innodb_lock_wait_timeout = 1"),
		ST_OK);
	assert_int_equal(run(id, "$hash", RESERVED_S), ST_UNAVAILABLE);
	assert_int_equal(sql_commit(signs_in), ST_OK);
	start_session(id, &session);
	assert_int_equal(run(id, "$hash", RESERVED_S), ST_OK);
	assert_int_equal(count_sessions(id), 0);
	assert_int_equal(sql_begin(signs_in), ST_OK);
	assert_int_equal(account_lock(signs_in, id), ST_NOT_FOUND);
	sql_rollback(signs_in);
	sql_destroy(&signs_in);
}

static enum status list(uint64_t since_ms, uint64_t after,
                        struct deleted_user *rows, unsigned max,
                        unsigned *ret_count)
{
	return deletion_list(
		sql,
		&(struct deletion_range){.since_ms = since_ms, .after = after},
		rows, max, ret_count);
}

static void deleted_users_are_listed_in_pages(void **state)
{
	uint64_t users[7], since_ms = 0, after = 0, seen = 0;
	struct deleted_user rows[LIST_MAX];
	unsigned count = 0;
	char name[32];

	(void)state;
	assert_int_equal(list(0, 0, rows, LIST_MAX, &count), ST_OK);
	if (count) {
		since_ms = rows[count - 1].deleted_at_ms;
		after = rows[count - 1].user;
	}
	for (unsigned i = 0; i < ARRAY_LEN(users); i++) {
		(void)snprintf(name, sizeof(name), "listed-%u", i);
		users[i] = make_account(name);
		assert_int_equal(run(users[i], "$hash", RESERVED_S), ST_OK);
	}
	do {
		assert_int_equal(list(since_ms, after, rows, 3, &count), ST_OK);
		for (unsigned i = 0; i < count; i++) {
			assert_true(seen < ARRAY_LEN(users));
			assert_int_equal(rows[i].user, users[seen++]);
			assert_true(rows[i].deleted_at_ms >= since_ms);
			since_ms = rows[i].deleted_at_ms;
			after = rows[i].user;
		}
	} while (count == 3);
	assert_int_equal(seen, ARRAY_LEN(users));
	assert_int_equal(list(since_ms + 1, 0, rows, LIST_MAX, &count), ST_OK);
	assert_int_equal(count, 0);
	/* Until the end of the last user but one. */
	assert_int_equal(sql_execute(sql, "UPDATE users SET deleted_at ="
	                                  " deleted_at + INTERVAL 1 SECOND"
	                                  " WHERE name = 'listed-6'"),
	                 ST_OK);
	assert_int_equal(deletion_list(sql,
	                               &(struct deletion_range){
					       .until_ms = since_ms + 999},
	                               rows, LIST_MAX, &count),
	                 ST_OK);
	assert_true(count >= 6 && rows[count - 1].user == users[5]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_of_the_user_is_left_but_the_name),
		cmocka_unit_test(a_deletion_may_be_repeated),
		cmocka_unit_test(another_password_is_a_conflict),
		cmocka_unit_test(the_phone_must_still_be_the_users),
		cmocka_unit_test(a_name_is_free_when_its_time_is_over),
		cmocka_unit_test(a_sign_in_holds_a_deletion_up),
		cmocka_unit_test(deleted_users_are_listed_in_pages),
	};

	return cmocka_run_group_tests(tests, identity_fixture_start,
	                              identity_fixture_stop);
}
