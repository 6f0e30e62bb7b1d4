/* Commands to Redis about users, with a fake clock and a fake Redis. */
#include "common/base/clock.h"
#include "common/io/redis/redis.h"
#include "tests/support/fake_clock.h"
#include "websocket-service/presence/presence_clock.h"
#include "websocket-service/presence/presence_publisher.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { USERS = 100 };

static bool redis_up;
static unsigned scores, trims;
static char last_key[64], last_member[64];
static uint64_t last_score;

static void copy(char *to, struct span text)
{
	assert_true(text.len < 64);
	memcpy(to, text.data, text.len);
	to[text.len] = '\0';
}

bool redis_command(struct redis *redis, const struct span *words,
                   unsigned count, redis_done *done, void *context,
                   uint64_t tag)
{
	(void)redis;
	(void)context;
	(void)tag;
	assert_null(done);
	if (!redis_up)
		return false;
	if (!span_equal(words[0], SPAN("ZADD"))) {
		trims++;
		return true;
	}
	assert_int_equal(count, 4);
	copy(last_key, words[1]);
	assert_true(span_to_u64(words[2], UINT64_MAX, &last_score));
	copy(last_member, words[3]);
	scores++;
	return true;
}

static struct presence_publisher *publisher;
static struct presence_clock redis_time;

static int start(void **state)
{
	(void)state;
	clock_ms = 5000000;
	redis_up = true;
	scores = trims = 0;
	publisher =
		presence_publisher_create(NULL, &redis_time, UINT64_C(0xabc));
	return 0;
}

static int stop(void **state)
{
	(void)state;
	presence_publisher_destroy(&publisher);
	return publisher != NULL;
}

static void seconds_pass(unsigned seconds)
{
	while (seconds--) {
		clock_ms += 1000;
		presence_publisher_tick(publisher);
	}
}

static void a_user_who_connects_is_online_for_a_while(void **state)
{
	(void)state;
	presence_publisher_user_connected(publisher, 7);
	presence_publisher_user_connected(publisher, 7);
	assert_int_equal(scores, 1);
	assert_int_equal(trims, 2);
	assert_string_equal(last_key, "presence:7");
	assert_string_equal(last_member, "0000000000000abc");
	assert_int_equal(last_score & 1, 1);
	assert_in_range(last_score - clock_unix_ms(), PRESENCE_ALIVE_MS,
	                PRESENCE_ALIVE_MS + 1);
}

static void the_score_is_refreshed_before_it_expires(void **state)
{
	(void)state;
	presence_publisher_user_connected(publisher, 7);
	for (unsigned i = 0; i < 1000; i++) {
		seconds_pass(1);
		assert_true(last_score >
		            clock_unix_ms() + PRESENCE_ALIVE_MS -
		                    (PRESENCE_REFRESH_S + 1) * 1000);
	}
	assert_in_range(scores, 1000 / PRESENCE_REFRESH_S, 130);
	assert_int_equal(trims, 2);
	seconds_pass(4000);
	assert_int_equal(trims, 4);
}

static void a_user_who_disconnects_is_gone_at_once(void **state)
{
	(void)state;
	presence_publisher_user_connected(publisher, 7);
	clock_ms += 501;
	presence_publisher_user_disconnected(publisher, 7);
	assert_int_equal(last_score & 1, 0);
	assert_in_range(clock_unix_ms() - last_score, 0, 1);
	assert_int_equal(presence_publisher_count(publisher), 0);
	scores = 0;
	presence_publisher_user_disconnected(publisher, 7);
	seconds_pass(60);
	assert_int_equal(scores, 0);
}

static void a_drain_writes_no_user_as_gone(void **state)
{
	(void)state;
	presence_publisher_user_connected(publisher, 7);
	presence_publisher_drain(publisher);
	scores = 0;
	presence_publisher_user_disconnected(publisher, 7);
	seconds_pass(60);
	assert_int_equal(scores, 0);
}

static void when_redis_is_back_all_users_are_written_again(void **state)
{
	(void)state;
	redis_up = false;
	for (uint64_t user = 1; user <= USERS; user++)
		presence_publisher_user_connected(publisher, user);
	seconds_pass(5);
	assert_int_equal(scores, 0);
	redis_up = true;
	presence_publisher_publish_all(publisher);
	assert_int_equal(scores, USERS);
	assert_int_equal(trims, 0);
	seconds_pass(PRESENCE_REFRESH_S);
	assert_int_equal(trims, 2 * USERS);
	redis_up = false;
	seconds_pass(30);
	redis_up = true;
	scores = 0;
	seconds_pass(1);
	assert_int_equal(scores, USERS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(a_user_who_connects_is_online_for_a_while),
		TEST(the_score_is_refreshed_before_it_expires),
		TEST(a_user_who_disconnects_is_gone_at_once),
		TEST(a_drain_writes_no_user_as_gone),
		TEST(when_redis_is_back_all_users_are_written_again),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
