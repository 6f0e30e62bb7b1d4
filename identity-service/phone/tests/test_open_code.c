/* Open codes, limits on sending, phones of accounts; needs a server: see
 * identity_fixture.h. */
#include "identity-service/account/account.h"
#include "identity-service/phone/open_code.h"
#include "identity-service/phone/send_limit.h"
#include "identity-service/tests/identity_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { TTL_S = 600, TRIES = 5 };

static struct phone new_phone(void)
{
	static unsigned count;
	struct phone phone = {0};

	(void)snprintf(phone.text, sizeof(phone.text), "+4915%09u", ++count);
	return phone;
}

static struct open_code put(const struct phone *phone)
{
	struct open_code code = {.has_digest = true};

	uuid_make(&code.id);
	digest_make(uuid_span(&code.id), &code.digest);
	assert_int_equal(open_code_put(sql, phone, &code, TTL_S), ST_OK);
	return code;
}

static enum status try_once(const struct phone *phone,
                            struct open_code *ret_code)
{
	return open_code_try(sql, phone, TRIES, ret_code);
}

static void change(const char *statement, const struct phone *phone)
{
	const struct sql_value value = sql_bytes(phone_span(phone));

	assert_int_equal(sql_run(sql, statement, &value, 1), ST_OK);
}

static void a_phone_has_one_code(void **state)
{
	struct phone phone = new_phone(), other = new_phone();
	struct open_code found, first, second;

	(void)state;
	assert_int_equal(try_once(&phone, &found), ST_DENIED);
	first = put(&phone);
	assert_int_equal(try_once(&phone, &found), ST_OK);
	assert_memory_equal(&found, &first, sizeof(found));
	second = put(&phone);
	assert_int_equal(try_once(&phone, &found), ST_OK);
	assert_memory_equal(&found.id, &second.id, sizeof(found.id));
	assert_int_equal(try_once(&other, &found), ST_DENIED);
}

static void tries_are_counted_and_given_back(void **state)
{
	struct phone phone = new_phone();
	struct open_code found, code = put(&phone);

	(void)state;
	for (unsigned i = 0; i < TRIES; i++)
		assert_int_equal(try_once(&phone, &found), ST_OK);
	assert_int_equal(try_once(&phone, &found), ST_DENIED);
	assert_int_equal(open_code_untry(sql, &phone, &code), ST_OK);
	assert_int_equal(try_once(&phone, &found), ST_OK);
	assert_int_equal(try_once(&phone, &found), ST_DENIED);
	/* Of a code that was replaced none is given back. */
	(void)put(&phone);
	assert_int_equal(open_code_untry(sql, &phone, &code), ST_OK);
	for (unsigned i = 0; i < TRIES; i++)
		assert_int_equal(try_once(&phone, &found), ST_OK);
	assert_int_equal(try_once(&phone, &found), ST_DENIED);
}

static void a_code_ends(void **state)
{
	struct phone phone = new_phone();
	struct open_code found;

	(void)state;
	(void)put(&phone);
	change("UPDATE phone_codes SET expires_at = NOW(3) WHERE phone = ?",
	       &phone);
	assert_int_equal(try_once(&phone, &found), ST_DENIED);
}

static void a_code_is_used_once_and_its_user_may_ask_again(void **state)
{
	struct phone phone = new_phone();
	struct open_code found, code = put(&phone);
	struct uuid user, other;
	bool again = true;

	(void)state;
	uuid_make(&user);
	uuid_make(&other);
	assert_int_equal(open_code_use(sql, &phone, &code, &user, &again),
	                 ST_OK);
	assert_false(again);
	assert_int_equal(open_code_use(sql, &phone, &code, &user, &again),
	                 ST_OK);
	assert_true(again);
	assert_int_equal(open_code_use(sql, &phone, &code, &other, &again),
	                 ST_DENIED);
	assert_int_equal(try_once(&phone, &found), ST_DENIED);
	(void)put(&phone);
	assert_int_equal(open_code_use(sql, &phone, &code, &user, &again),
	                 ST_DENIED);
}

static void a_code_of_the_provider_gets_its_digest_later(void **state)
{
	struct phone phone = new_phone();
	struct open_code found, code = {.has_digest = false};

	(void)state;
	uuid_make(&code.id);
	assert_int_equal(open_code_put(sql, &phone, &code, TTL_S), ST_OK);
	assert_int_equal(try_once(&phone, &found), ST_OK);
	assert_false(found.has_digest);
	digest_make(SPAN("code"), &code.digest);
	assert_int_equal(open_code_set_digest(sql, &phone, &code), ST_OK);
	assert_int_equal(try_once(&phone, &found), ST_OK);
	assert_true(found.has_digest);
	assert_memory_equal(&found.digest, &code.digest, DIGEST_LEN);
}

static void the_next_code_has_to_wait(void **state)
{
	struct phone phone = new_phone();
	struct open_code code;
	struct uuid other;
	uint64_t wait_s = 1;
	bool same = true;

	(void)state;
	uuid_make(&other);
	assert_int_equal(
		open_code_wait(sql, &phone, &other, 1000, &wait_s, &same),
		ST_OK);
	assert_int_equal(wait_s, 0);
	assert_false(same);
	code = put(&phone);
	assert_int_equal(
		open_code_wait(sql, &phone, &code.id, 1000, &wait_s, &same),
		ST_OK);
	assert_in_range(wait_s, 1, 1000);
	assert_true(same);
	change("UPDATE phone_codes SET sent_at = NOW(3) - INTERVAL 1000 SECOND"
	       " WHERE phone = ?",
	       &phone);
	assert_int_equal(
		open_code_wait(sql, &phone, &other, 1000, &wait_s, &same),
		ST_OK);
	assert_int_equal(wait_s, 0);
	assert_false(same);
	assert_int_equal(
		open_code_wait(sql, &phone, &other, 100000, &wait_s, &same),
		ST_OK);
	assert_in_range(wait_s, 90000, 99000);
}

static void old_rows_are_deleted(void **state)
{
	struct phone old = new_phone(), young = new_phone();
	struct open_code found;
	bool more = true;

	(void)state;
	(void)put(&old);
	(void)put(&young);
	change("UPDATE phone_codes SET expires_at = NOW(3) - INTERVAL 25 HOUR"
	       " WHERE phone = ?",
	       &old);
	assert_int_equal(open_code_purge(sql, &more), ST_OK);
	assert_int_equal(sql_affected(sql), 1);
	assert_false(more);
	assert_int_equal(try_once(&young, &found), ST_OK);
}

/* --- limits on sending ---------------------------------------------------- */
static const struct ip_address client = {.byte = {[15] = 1}};

static enum status count(const struct send_rules *rules,
                         const struct phone *phone,
                         const struct ip_address *from,
                         enum send_subject *ret_by)
{
	uint64_t wait_s = 0;
	enum status status = sql_begin(sql);

	assert_int_equal(status, ST_OK);
	status = send_limit_count(sql, rules, phone, from, ret_by, &wait_s);
	if (status == ST_OK) {
		assert_int_equal(sql_commit(sql), ST_OK);
	} else {
		sql_rollback(sql);
		assert_int_equal(status, ST_DENIED);
		assert_in_range(wait_s, 900, 1100);
	}
	return status;
}

static void each_subject_has_a_limit(void **state)
{
	(void)state;
	for (unsigned by = 0; by <= SEND_TOTAL; by++) {
		struct send_rules rules = {.window_s = 1000 + by,
		                           .max = {100, 100, 100, 100}};
		struct ip_address other = client;
		struct phone phone = new_phone(), elsewhere = new_phone();
		enum send_subject refused_by;

		rules.max[by] = 3;
		other.byte[1] = (uint8_t)by;
		for (unsigned i = 0; i < 3; i++)
			assert_int_equal(
				count(&rules, &phone, &other, &refused_by),
				ST_OK);
		for (unsigned i = 0; i < 3; i++) {
			assert_int_equal(
				count(&rules, &phone, &other, &refused_by),
				ST_DENIED);
			assert_int_equal(refused_by, by);
		}
		/* Another phone, from another address, to another country. */
		elsewhere.text[1] = '3';
		other.byte[2] = 99;
		assert_int_equal(count(&rules, &elsewhere, &other, &refused_by),
		                 by == SEND_TOTAL ? ST_DENIED : ST_OK);
	}
}

static void use(const struct send_rules *rules, const struct phone *phone)
{
	assert_int_equal(sql_begin(sql), ST_OK);
	assert_int_equal(send_limit_count_used(sql, rules, phone), ST_OK);
	assert_int_equal(sql_commit(sql), ST_OK);
}

/* At 40 % of 10 codes; the limit of the country is another one. */
static void a_country_that_sends_few_codes_back_has_a_lower_limit(void **state)
{
	static const struct {
		unsigned percent, used, max, sent;
		enum send_subject by;
	} rows[] = {
		{40, 0, 20, 10, SEND_FEW_USED}, {40, 3, 20, 10, SEND_FEW_USED},
		{40, 4, 20, 11, SEND_FEW_USED}, {40, 8, 20, 20, SEND_COUNTRY},
		{0, 0, 20, 20, SEND_COUNTRY},   {40, 0, 5, 5, SEND_COUNTRY},
		{100, 9, 20, 10, SEND_FEW_USED}};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		/* Another window: what was counted before does not count. */
		struct send_rules rules = {
			.window_s = 950 + i,
			.max = {1000, 1000, rows[i].max, 1000, 10},
			.used_percent = rows[i].percent};
		struct phone phone = new_phone();
		enum send_subject refused_by = SEND_SUBJECTS;
		unsigned sent = 0;

		for (unsigned n = 0; n < rows[i].used; n++)
			use(&rules, &phone);
		while (count(&rules, &phone, &client, &refused_by) == ST_OK)
			sent++;
		assert_int_equal(sent, rows[i].sent);
		assert_int_equal(refused_by, rows[i].by);
		/* Codes that come back late open the country again. */
		if (rows[i].by == SEND_FEW_USED) {
			for (unsigned n = 0; n < 10; n++)
				use(&rules, &phone);
			assert_int_equal(
				count(&rules, &phone, &client, &refused_by),
				ST_OK);
		}
	}
}

/* --- phones of accounts --------------------------------------------------- */
static uint64_t make_account(const char *name)
{
	uint64_t id = 0;

	assert_int_equal(
		account_insert(sql, span_of(name), span_of(name), "$hash", &id),
		ST_OK);
	return id;
}

static void assert_owner(const struct phone *phone, uint64_t id)
{
	struct account account = {0};
	enum status status = account_by_phone(sql, phone_span(phone), &account);

	assert_int_equal(status, id ? ST_OK : ST_NOT_FOUND);
	assert_int_equal(account.id, id);
}

static void an_account_is_made_and_found_by_its_phone(void **state)
{
	struct phone phone = new_phone(), other = new_phone();
	struct account account;
	uint64_t id = 0, ignored;

	(void)state;
	assert_owner(&phone, 0);
	assert_int_equal(account_insert_by_phone(sql, SPAN("phil"),
	                                         SPAN("phil"),
	                                         phone_span(&phone), &id),
	                 ST_OK);
	assert_owner(&phone, id);
	assert_int_equal(account_by_id(sql, id, &account), ST_OK);
	assert_string_equal(account.name, "phil");
	assert_string_equal(account.password_hash, "");
	assert_false(password_matches(SPAN(""), account.password_hash));
	assert_int_equal(account_insert_by_phone(sql, SPAN("phil"),
	                                         SPAN("phil"),
	                                         phone_span(&other), &ignored),
	                 ST_CONFLICT);
	assert_int_equal(account_insert_by_phone(sql, SPAN("phyllis"),
	                                         SPAN("phyllis"),
	                                         phone_span(&phone), &ignored),
	                 ST_CONFLICT);
}

static void a_phone_moves_unless_it_is_the_only_way_in(void **state)
{
	uint64_t first = make_account("first"), second = make_account("second");
	struct phone phone = new_phone(), only = new_phone();
	uint64_t owner = 0;

	(void)state;
	assert_int_equal(account_take_phone(sql, first, phone_span(&phone)),
	                 ST_OK);
	assert_int_equal(account_take_phone(sql, first, phone_span(&phone)),
	                 ST_OK);
	assert_owner(&phone, first);
	assert_int_equal(account_take_phone(sql, second, phone_span(&phone)),
	                 ST_OK);
	assert_owner(&phone, second);
	assert_int_equal(account_insert_by_phone(sql, SPAN("owner"),
	                                         SPAN("owner"),
	                                         phone_span(&only), &owner),
	                 ST_OK);
	assert_int_equal(account_take_phone(sql, first, phone_span(&only)),
	                 ST_CONFLICT);
	assert_owner(&only, owner);
	assert_int_equal(account_take_phone(sql, owner, phone_span(&phone)),
	                 ST_OK);
	assert_owner(&only, 0);
	assert_owner(&phone, owner);
	assert_int_equal(
		account_take_phone(sql, owner + 1000, phone_span(&only)),
		ST_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_phone_has_one_code),
		cmocka_unit_test(tries_are_counted_and_given_back),
		cmocka_unit_test(a_code_ends),
		cmocka_unit_test(
			a_code_is_used_once_and_its_user_may_ask_again),
		cmocka_unit_test(a_code_of_the_provider_gets_its_digest_later),
		cmocka_unit_test(the_next_code_has_to_wait),
		cmocka_unit_test(old_rows_are_deleted),
		cmocka_unit_test(each_subject_has_a_limit),
		cmocka_unit_test(
			a_country_that_sends_few_codes_back_has_a_lower_limit),
		cmocka_unit_test(an_account_is_made_and_found_by_its_phone),
		cmocka_unit_test(a_phone_moves_unless_it_is_the_only_way_in),
	};

	return cmocka_run_group_tests(tests, identity_fixture_start,
	                              identity_fixture_stop);
}
