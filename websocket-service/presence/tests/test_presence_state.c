#include "websocket-service/presence/presence_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { NOW = 5000000 };

#define UNIX UINT64_C(1790000000000)

static const struct presence_sample absent = {SAMPLE_ABSENT, 0};
static const struct presence_sample online = {SAMPLE_ONLINE, 0};
static const struct presence_sample left = {SAMPLE_LEFT, UNIX};
static const struct presence_sample expired = {SAMPLE_EXPIRED, UNIX};

static void odd_scores_are_online_until_then_and_even_ones_gone(void **state)
{
	(void)state;
	assert_int_equal(presence_sample_make(UNIX + 1, UNIX).kind,
	                 SAMPLE_ONLINE);
	assert_int_equal(presence_sample_make(UNIX - 1, UNIX).kind,
	                 SAMPLE_EXPIRED);
	assert_int_equal(presence_sample_make(UNIX - 1, UNIX).last_seen_ms,
	                 UNIX - 1);
	assert_int_equal(presence_sample_make(UNIX, UNIX + 5).kind,
	                 SAMPLE_LEFT);
	assert_int_equal(presence_sample_make(UNIX, UNIX + 5).last_seen_ms,
	                 UNIX);
	/* From a gateway whose clock is ahead of ours. */
	assert_int_equal(presence_sample_make(UNIX + 8, UNIX).kind,
	                 SAMPLE_LEFT);
	assert_int_equal(presence_sample_make(UNIX + 8, UNIX).last_seen_ms,
	                 UNIX);
}

static void a_report_of_a_gateway_applies_at_once(void **state)
{
	struct presence_state presence;

	(void)state;
	presence_state_init(&presence, &absent);
	assert_int_equal(presence_state_last_seen(&presence), UINT64_MAX);
	assert_true(presence_state_update(&presence, &online, NOW, NOW + 9999));
	assert_int_equal(presence_state_last_seen(&presence), 0);
	assert_false(
		presence_state_update(&presence, &online, NOW, NOW + 9999));
	assert_true(presence_state_update(&presence, &left, NOW, NOW + 9999));
	assert_int_equal(presence_state_last_seen(&presence), UNIX);
}

static void an_expired_entry_needs_a_second_sample(void **state)
{
	struct presence_state presence;

	(void)state;
	presence_state_init(&presence, &online);
	assert_false(presence_state_update(&presence, &expired, NOW, 0));
	assert_true(presence_state_update(&presence, &expired, NOW + 1000, 0));
	assert_int_equal(presence_state_last_seen(&presence), UNIX);
	assert_false(presence_state_update(&presence, &expired, NOW + 2000, 0));
	assert_true(presence_state_update(&presence, &online, NOW + 3000, 0));
	assert_false(presence_state_update(&presence, &expired, NOW + 4000, 0));
	assert_false(presence_state_update(&presence, &online, NOW + 5000, 0));
	assert_false(presence_state_update(&presence, &expired, NOW + 6000, 0));
}

static void after_an_outage_of_redis_no_user_seems_to_leave(void **state)
{
	const uint64_t calm = NOW + PRESENCE_STATE_GRACE_MS;
	struct presence_state presence;

	(void)state;
	presence_state_init(&presence, &online);
	for (uint64_t now = NOW; now < calm; now += 1000)
		assert_false(
			presence_state_update(&presence, &expired, now, calm));
	assert_true(presence_state_update(&presence, &expired, calm, calm));
}

static void a_missing_entry_has_time_to_be_written_again(void **state)
{
	struct presence_state presence;

	(void)state;
	presence_state_init(&presence, &online);
	for (uint64_t ms = 0; ms < PRESENCE_STATE_ABSENT_MS; ms += 1000)
		assert_false(
			presence_state_update(&presence, &absent, NOW + ms, 0));
	assert_false(presence_state_update(&presence, &online, NOW + 11999, 0));
	assert_false(presence_state_update(&presence, &absent, NOW + 13000, 0));
	assert_true(presence_state_update(
		&presence, &absent, NOW + 13000 + PRESENCE_STATE_ABSENT_MS, 0));
	assert_int_equal(presence_state_last_seen(&presence), UINT64_MAX);
}

static void the_last_seen_time_outlives_the_entry(void **state)
{
	struct presence_state presence;

	(void)state;
	presence_state_init(&presence, &left);
	assert_false(presence_state_update(&presence, &absent, NOW, 0));
	assert_int_equal(presence_state_last_seen(&presence), UNIX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			odd_scores_are_online_until_then_and_even_ones_gone),
		cmocka_unit_test(a_report_of_a_gateway_applies_at_once),
		cmocka_unit_test(an_expired_entry_needs_a_second_sample),
		cmocka_unit_test(
			after_an_outage_of_redis_no_user_seems_to_leave),
		cmocka_unit_test(a_missing_entry_has_time_to_be_written_again),
		cmocka_unit_test(the_last_seen_time_outlives_the_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
