/* Commands and replies, against the Redis of a stack. */
#include "common/base/scope.h"
#include "common/io/redis/redis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <uv.h>

enum { TURNS_MAX = 10000, PENDING_MAX = 100 };

static const char key[] = "test:redis";
static uv_loop_t loop;
static struct redis *redis;

/* --- the last reply ---------------------------------------------------------
 */
static unsigned replies;
static uint64_t last_tag;
static struct redis_reply last;
static char last_text[256];
static char last_items[2][64];

static void copy(char *to, size_t size, struct span text)
{
	assert_true(text.len < size);
	if (text.len)
		memcpy(to, text.data, text.len);
	to[text.len] = '\0';
}

static void on_reply(void *context, uint64_t tag,
                     const struct redis_reply *reply)
{
	assert_ptr_equal(context, &loop);
	last = *reply;
	last_tag = tag;
	copy(last_text, sizeof(last_text), reply->text);
	for (unsigned i = 0; i < reply->count && i < 2; i++)
		copy(last_items[i], sizeof(last_items[i]),
		     redis_item(reply, i).text);
	replies++;
}

static void on_change(void *context, bool up, const char *why)
{
	(void)context;
	(void)up;
	(void)why;
}

static void turn_until(unsigned count)
{
	for (unsigned i = 0; i < TURNS_MAX && replies < count; i++)
		(void)uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(replies, count);
}

#define ASK(...) \
	ask((const struct span[]){__VA_ARGS__}, \
	    ARRAY_LEN(((const struct span[]){__VA_ARGS__})))

static bool command(const struct span *words, unsigned count, uint64_t tag)
{
	return redis_command(redis, words, count, on_reply, &loop, tag);
}

static enum redis_kind ask(const struct span *words, unsigned count)
{
	unsigned before = replies;

	assert_true(command(words, count, 7));
	turn_until(before + 1);
	assert_int_equal(last_tag, 7);
	return last.kind;
}

static int start(void **state)
{
	(void)state;
	replies = 0;
	(void)uv_loop_init(&loop);
	redis = redis_create(
		&loop, &(struct redis_options){
			       .host = getenv("REDIS_HOST"),
			       .port = (uint16_t)strtoul(getenv("REDIS_PORT"),
	                                                 NULL, 10),
			       .password = getenv("REDIS_PASSWORD"),
			       .pending_max = PENDING_MAX,
			       .check_ms = 1000,
			       .changed = on_change,
		       });
	for (unsigned i = 0; i < TURNS_MAX && !redis_is_up(redis); i++)
		(void)uv_run(&loop, UV_RUN_ONCE);
	assert_true(redis_is_up(redis));
	(void)ASK(SPAN("DEL"), span_of(key));
	return 0;
}

static int stop(void **state)
{
	(void)state;
	redis_destroy(&redis);
	while (uv_run(&loop, UV_RUN_NOWAIT))
		;
	return uv_loop_close(&loop);
}

static void each_kind_of_reply_is_recognised(void **state)
{
	(void)state;
	assert_int_equal(ASK(SPAN("GET"), span_of(key)), REDIS_NIL);
	assert_int_equal(ASK(SPAN("SET"), span_of(key), SPAN("a\0b")),
	                 REDIS_TEXT);
	assert_string_equal(last_text, "OK");
	assert_int_equal(ASK(SPAN("GET"), span_of(key)), REDIS_TEXT);
	assert_int_equal(last.text.len, 3);
	assert_int_equal(ASK(SPAN("STRLEN"), span_of(key)), REDIS_NUMBER);
	assert_int_equal(last.number, 3);
	assert_int_equal(ASK(SPAN("LPOP"), span_of(key)), REDIS_FAULT);
	assert_memory_equal(last_text, "WRONGTYPE", 9);
}

static void a_sorted_set_gives_member_and_score(void **state)
{
	(void)state;
	assert_int_equal(ASK(SPAN("ZREVRANGE"), span_of(key), SPAN("0"),
	                     SPAN("0"), SPAN("WITHSCORES")),
	                 REDIS_LIST);
	assert_int_equal(last.count, 0);
	(void)ASK(SPAN("ZADD"), span_of(key), SPAN("1790000000001"), SPAN("a"));
	(void)ASK(SPAN("ZADD"), span_of(key), SPAN("1790000000003"), SPAN("b"));
	(void)ASK(SPAN("ZREVRANGE"), span_of(key), SPAN("0"), SPAN("0"),
	          SPAN("WITHSCORES"));
	assert_int_equal(last.count, 2);
	assert_string_equal(last_items[0], "b");
	assert_string_equal(last_items[1], "1790000000003");
}

static void replies_come_in_order_and_past_the_bound_none(void **state)
{
	const struct span words[] = {SPAN("INCR"), span_of(key)};
	unsigned before = replies;

	(void)state;
	for (unsigned i = 0; i < PENDING_MAX; i++)
		assert_true(command(words, 2, i));
	assert_false(command(words, 2, PENDING_MAX));
	assert_int_equal(redis_dropped(redis), 1);
	turn_until(before + PENDING_MAX);
	assert_int_equal(last_tag, PENDING_MAX - 1);
	assert_int_equal(last.number, PENDING_MAX);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(each_kind_of_reply_is_recognised),
		TEST(a_sorted_set_gives_member_and_score),
		TEST(replies_come_in_order_and_past_the_bound_none),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
