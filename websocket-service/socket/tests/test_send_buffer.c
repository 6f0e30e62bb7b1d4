#include "common/base/mem.h"
#include "websocket-service/socket/send_buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX = 100000 };

static struct send_buffer_pool *pool;
static struct send_buffer outbox;

static int start(void **state)
{
	(void)state;
	pool = send_buffer_pool_create();
	outbox = (struct send_buffer){0};
	return 0;
}

static int stop(void **state)
{
	(void)state;
	send_buffer_clear(&outbox, pool);
	send_buffer_pool_destroy(&pool);
	return pool != NULL;
}

static void bytes_leave_in_order(void **state)
{
	(void)state;
	assert_true(send_buffer_add(&outbox, pool, SPAN("one"), MAX));
	assert_true(send_buffer_add(&outbox, pool, SPAN("two"), MAX));
	assert_true(span_equal(send_buffer_bytes(&outbox), SPAN("onetwo")));
	send_buffer_sent(&outbox, pool, 4);
	assert_true(span_equal(send_buffer_bytes(&outbox), SPAN("wo")));
	assert_true(send_buffer_add(&outbox, pool, SPAN("!"), MAX));
	assert_true(span_equal(send_buffer_bytes(&outbox), SPAN("wo!")));
}

static void an_empty_buffer_holds_no_memory(void **state)
{
	(void)state;
	assert_null(outbox.data);
	assert_true(send_buffer_add(&outbox, pool, SPAN("frame"), MAX));
	send_buffer_sent(&outbox, pool, 5);
	assert_null(outbox.data);
	assert_int_equal(outbox.capacity, 0);
}

static void memory_is_reused(void **state)
{
	struct send_buffer other = {0};
	char *first;

	(void)state;
	assert_true(send_buffer_add(&outbox, pool, SPAN("frame"), MAX));
	first = outbox.data;
	send_buffer_clear(&outbox, pool);
	assert_true(send_buffer_add(&other, pool, SPAN("frame"), MAX));
	assert_ptr_equal(other.data, first);
	send_buffer_clear(&other, pool);
}

static void a_large_buffer_grows_and_frees_its_memory(void **state)
{
	char *bytes = mem_new(MAX);

	(void)state;
	memset(bytes, 'x', MAX);
	assert_true(send_buffer_add(&outbox, pool, span_make(bytes, MAX), MAX));
	assert_true(
		span_equal(send_buffer_bytes(&outbox), span_make(bytes, MAX)));
	send_buffer_sent(&outbox, pool, MAX);
	assert_null(outbox.data);
	assert_true(send_buffer_add(&outbox, pool, SPAN("y"), MAX));
	assert_true(outbox.capacity < MAX); /* not the large memory again */
	mem_free(&bytes);
}

static void bytes_past_the_bound_are_refused_whole(void **state)
{
	(void)state;
	assert_true(send_buffer_add(&outbox, pool, SPAN("1234"), 8));
	assert_false(send_buffer_add(&outbox, pool, SPAN("56789"), 8));
	assert_true(send_buffer_add(&outbox, pool, SPAN("5678"), 8));
	assert_false(send_buffer_add(&outbox, pool, SPAN("9"), 8));
	assert_true(span_equal(send_buffer_bytes(&outbox), SPAN("12345678")));
}

static void a_bound_below_the_length_refuses_too(void **state)
{
	(void)state;
	assert_true(send_buffer_add(&outbox, pool, SPAN("12345678"), 8));
	assert_false(send_buffer_add(&outbox, pool, SPAN("9"), 4));
	assert_false(send_buffer_add(&outbox, pool, SPAN("9"), 0));
}

static void a_refused_add_takes_no_memory(void **state)
{
	(void)state;
	assert_false(send_buffer_add(&outbox, pool, SPAN("12345"), 4));
	assert_null(outbox.data);
}

static void clearing_an_empty_buffer_does_nothing(void **state)
{
	(void)state;
	send_buffer_clear(&outbox, pool);
	send_buffer_clear(&outbox, pool);
	assert_int_equal(outbox.len, 0);
}

static void sweep(struct send_buffer *all, unsigned count, bool fill)
{
	for (unsigned i = 0; i < count; i++) {
		if (fill)
			assert_true(
				send_buffer_add(&all[i], pool, SPAN("x"), MAX));
		else
			send_buffer_clear(&all[i], pool);
	}
}

/* More buffers than the pool keeps: shows leaks and double frees. */
static void buffers_beyond_the_pool_are_freed(void **state)
{
	enum { COUNT = 5000 };
	static struct send_buffer all[COUNT];

	(void)state;
	sweep(all, COUNT, true);
	sweep(all, COUNT, false);
	sweep(all, COUNT, true);
	sweep(all, COUNT, false);
	assert_null(all[0].data);
	assert_null(all[COUNT - 1].data);
}

static void bytes_that_are_cut_are_gone(void **state)
{
	(void)state;
	assert_true(send_buffer_add(&outbox, pool, SPAN("onetwo"), MAX));
	send_buffer_cut(&outbox, pool, 7);
	assert_true(span_equal(send_buffer_bytes(&outbox), SPAN("onetwo")));
	send_buffer_cut(&outbox, pool, 3);
	assert_true(span_equal(send_buffer_bytes(&outbox), SPAN("one")));
	send_buffer_cut(&outbox, pool, 0);
	assert_null(outbox.data);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(bytes_leave_in_order),
		TEST(an_empty_buffer_holds_no_memory),
		TEST(memory_is_reused),
		TEST(a_large_buffer_grows_and_frees_its_memory),
		TEST(bytes_past_the_bound_are_refused_whole),
		TEST(a_bound_below_the_length_refuses_too),
		TEST(a_refused_add_takes_no_memory),
		TEST(clearing_an_empty_buffer_does_nothing),
		TEST(buffers_beyond_the_pool_are_freed),
		TEST(bytes_that_are_cut_are_gone),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
