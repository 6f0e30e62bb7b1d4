#include "common/base/mem.h"
#include "common/base/pipe_queue.h"
#include "common/base/thread.h"

#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { RECORDS = 20000, THREADS = 3, SIZE = 24, DEFAULT_BYTES = 64 * 1024 };

struct record {
	uint64_t number, again;
	char text[SIZE - 16];
};

static struct record record_of(uint64_t number)
{
	return (struct record){number, ~number, "queued"};
}

static void assert_whole(const struct record *record)
{
	assert_true(record->again == ~record->number);
	assert_string_equal(record->text, "queued");
}

static void records_leave_in_the_order_of_entry(void **state)
{
	struct pipe_queue *queue =
		pipe_queue_create(sizeof(struct record), 100, false);
	struct record taken[7];
	uint64_t next = 0;
	unsigned count;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		struct record record = record_of(i);

		assert_true(pipe_queue_put(queue, &record));
	}
	while ((count = pipe_queue_take(queue, taken, 7)) > 0) {
		for (unsigned i = 0; i < count; i++) {
			assert_whole(&taken[i]);
			assert_int_equal(taken[i].number, next++);
		}
	}
	assert_int_equal(next, 100);
	assert_int_equal(pipe_queue_take(queue, taken, 0), 0);
	pipe_queue_destroy(&queue);
	assert_null(queue);
}

/* Also of sizes that do not divide a page. */
static void a_full_queue_refuses(void **state)
{
	static const struct {
		size_t size;
		unsigned records;
	} rows[] = {{1, 1},   {8, 512},  {8, 5},       {16, 4096},
	            {24, 1},  {24, 170}, {24, 4096},   {40, 3000},
	            {100, 1}, {3000, 7}, {PIPE_BUF, 4}};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct pipe_queue *queue =
			pipe_queue_create(rows[i].size, rows[i].records, false);
		unsigned char record[PIPE_BUF];
		size_t most = 2 * rows[i].records * rows[i].size;
		unsigned count = 0, taken = 0;

		memset(record, 7, sizeof(record));
		while (pipe_queue_put(queue, record))
			count++;
		assert_true(count >= rows[i].records);
		assert_true(count * rows[i].size <=
		            (most > DEFAULT_BYTES ? most : DEFAULT_BYTES));
		while (pipe_queue_take(queue, record, 1))
			taken++;
		assert_int_equal(taken, count);
		assert_true(pipe_queue_put(queue, record));
		pipe_queue_destroy(&queue);
	}
}

static void the_descriptor_tells_of_a_record_and_of_the_end(void **state)
{
	struct pipe_queue *queue = pipe_queue_create(1, 1, false);
	struct pollfd fd = {.fd = pipe_queue_fd(queue), .events = POLLIN};
	char record = 'a';

	(void)state;
	assert_int_equal(poll(&fd, 1, 0), 0);
	assert_true(pipe_queue_put(queue, &record));
	assert_int_equal(poll(&fd, 1, 0), 1);
	assert_int_equal(fd.revents, POLLIN);
	assert_int_equal(pipe_queue_take(queue, &record, 1), 1);
	assert_int_equal(poll(&fd, 1, 0), 0);
	pipe_queue_close(queue);
	assert_int_equal(poll(&fd, 1, 0), 1);
	assert_true(fd.revents & POLLHUP);
	assert_int_equal(pipe_queue_take(queue, &record, 1), 0);
	pipe_queue_destroy(&queue);
}

/* --- threads ------------------------------------------------------------- */
struct work {
	struct pipe_queue *queue;
	atomic_uint put, taken;
	atomic_ullong sum;
};

static void *put_all(void *context)
{
	struct work *work = context;
	unsigned number;

	while ((number = atomic_fetch_add(&work->put, 1)) < RECORDS) {
		struct record record = record_of(number);

		while (!pipe_queue_put(work->queue, &record))
			(void)sched_yield();
	}
	return NULL;
}

static void *take_all(void *context)
{
	struct work *work = context;
	struct record taken[3];
	unsigned count;

	while ((count = pipe_queue_take(work->queue, taken, 3)) > 0) {
		for (unsigned i = 0; i < count; i++) {
			assert_whole(&taken[i]);
			atomic_fetch_add(&work->sum, taken[i].number);
		}
		atomic_fetch_add(&work->taken, count);
	}
	return NULL;
}

static void many_threads_put_and_take_whole_records(void **state)
{
	struct work work = {
		.queue = pipe_queue_create(sizeof(struct record), 100, true)};
	pthread_t putting[THREADS], taking[THREADS];

	(void)state;
	for (unsigned i = 0; i < THREADS; i++) {
		thread_start("put", put_all, &work, &putting[i]);
		thread_start("take", take_all, &work, &taking[i]);
	}
	for (unsigned i = 0; i < THREADS; i++)
		(void)pthread_join(putting[i], NULL);
	pipe_queue_close(work.queue);
	for (unsigned i = 0; i < THREADS; i++)
		(void)pthread_join(taking[i], NULL);
	assert_int_equal(atomic_load(&work.taken), RECORDS);
	assert_int_equal(atomic_load(&work.sum),
	                 (uint64_t)RECORDS * (RECORDS - 1) / 2);
	pipe_queue_destroy(&work.queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_leave_in_the_order_of_entry),
		cmocka_unit_test(a_full_queue_refuses),
		cmocka_unit_test(
			the_descriptor_tells_of_a_record_and_of_the_end),
		cmocka_unit_test(many_threads_put_and_take_whole_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
