/* Profiles; needs a server: see identity_fixture.h. */
#include "identity-service/account/account.h"
#include "identity-service/account/profile.h"
#include "identity-service/tests/identity_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static uint64_t make_account(const char *name)
{
	uint64_t id = 0;

	assert_int_equal(
		account_insert(sql, span_of(name), span_of(name), "$hash", &id),
		ST_OK);
	return id;
}

static void assert_text(const struct sql_value *value, const char *text)
{
	if (!text) {
		assert_int_equal(value->kind, SQL_NULL);
		return;
	}
	assert_int_equal(value->kind, SQL_BYTES);
	assert_true(span_equal(value->bytes, span_of(text)));
}

static void assert_profile(uint64_t id, const char *display_name,
                           const char *about, const char *avatar_url)
{
	struct profile profile;

	assert_int_equal(profile_by_id(sql, id, &profile), ST_OK);
	assert_int_equal(profile.id, id);
	assert_false(profile.deleted);
	assert_text(&profile.text[PROFILE_DISPLAY_NAME], display_name);
	assert_text(&profile.text[PROFILE_ABOUT], about);
	assert_text(&profile.text[PROFILE_AVATAR_URL], avatar_url);
	assert_int_equal(profile.phone.kind, SQL_NULL);
}

static void apply(uint64_t id, enum profile_text which, const char *text)
{
	struct profile_change change = {0};

	change.changes[which] = true;
	if (text)
		change.text[which] = sql_bytes(span_of(text));
	assert_int_equal(profile_apply(sql, id, &change), ST_OK);
}

static void a_change_touches_only_what_it_names(void **state)
{
	uint64_t id = make_account("ann"), other = make_account("bob");

	(void)state;
	assert_profile(id, NULL, NULL, NULL);
	apply(id, PROFILE_DISPLAY_NAME, "Ann \U0001f600");
	apply(id, PROFILE_ABOUT, "");
	apply(id, PROFILE_AVATAR_URL, "https://example.com/a");
	assert_profile(id, "Ann \U0001f600", "", "https://example.com/a");
	apply(id, PROFILE_ABOUT, "a\nb");
	assert_profile(id, "Ann \U0001f600", "a\nb", "https://example.com/a");
	apply(id, PROFILE_DISPLAY_NAME, NULL);
	assert_profile(id, NULL, "a\nb", "https://example.com/a");
	assert_profile(other, NULL, NULL, NULL);
}

static void the_longest_texts_fit(void **state)
{
	uint64_t id = make_account("long");
	char name[NAME_MAX_POINTS * 4 + 1] = "";
	char about[PROFILE_ABOUT_MAX * 4 + 1] = "";
	char url[PROFILE_AVATAR_URL_MAX + 1];

	(void)state;
	for (unsigned i = 0; i < NAME_MAX_POINTS; i++)
		memcpy(name + i * 4, "\U0001f600", 5);
	for (unsigned i = 0; i < PROFILE_ABOUT_MAX; i++)
		memcpy(about + i * 4, "\U0001f600", 5);
	memset(url, 'x', PROFILE_AVATAR_URL_MAX);
	url[PROFILE_AVATAR_URL_MAX] = '\0';
	apply(id, PROFILE_DISPLAY_NAME, name);
	apply(id, PROFILE_ABOUT, about);
	apply(id, PROFILE_AVATAR_URL, url);
	assert_profile(id, name, about, url);
}

static void a_user_is_found_by_name(void **state)
{
	CLEANUP(name_keys_free) struct name_keys keys = {0};
	uint64_t id = make_account("carla");
	struct profile profile;

	(void)state;
	assert_null(name_keys_read(SPAN("CARLA"), &keys));
	assert_int_equal(profile_by_name(sql, &keys, &profile), ST_OK);
	assert_int_equal(profile.id, id);
	assert_true(span_equal(profile.name, SPAN("carla")));
	name_keys_free(&keys);
	assert_null(name_keys_read(SPAN("carl"), &keys));
	assert_int_equal(profile_by_name(sql, &keys, &profile), ST_NOT_FOUND);
	assert_int_equal(profile_by_id(sql, id + 1000, &profile), ST_NOT_FOUND);
}

static void many_are_found_each_once(void **state)
{
	uint64_t ids[PROFILE_IDS_MAX], first = make_account("many-0");
	struct profile profile;
	char name[32];

	(void)state;
	for (unsigned i = 1; i < 60; i++) {
		(void)snprintf(name, sizeof(name), "many-%u", i);
		(void)make_account(name);
	}
	/* Backwards; some twice, some unknown. */
	for (unsigned i = 0; i < PROFILE_IDS_MAX; i++)
		ids[i] = i < 50 ? first + 59 - i : first + 100 - i;
	for (unsigned i = 0; i < 5; i++)
		ids[PROFILE_IDS_MAX - 1 - i] = first + 100000 + i;
	assert_int_equal(profile_select_many(sql, ids, PROFILE_IDS_MAX), ST_OK);
	for (unsigned i = 6; i < 60; i++) {
		assert_int_equal(profile_next(sql, &profile), ST_OK);
		assert_int_equal(profile.id, first + i);
		(void)snprintf(name, sizeof(name), "many-%u", i);
		assert_true(span_equal(profile.name, span_of(name)));
	}
	assert_int_equal(profile_next(sql, &profile), ST_NOT_FOUND);
	assert_int_equal(profile_select_many(sql, &ids[PROFILE_IDS_MAX - 1], 1),
	                 ST_OK);
	assert_int_equal(profile_next(sql, &profile), ST_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_touches_only_what_it_names),
		cmocka_unit_test(the_longest_texts_fit),
		cmocka_unit_test(a_user_is_found_by_name),
		cmocka_unit_test(many_are_found_each_once),
	};

	return cmocka_run_group_tests(tests, identity_fixture_start,
	                              identity_fixture_stop);
}
