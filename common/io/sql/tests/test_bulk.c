#include "common/io/sql/bulk.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct sql_bulk find = {
	.head = "SELECT a FROM t WHERE (a, b) IN (",
	.row = "(?,?)",
	.between = ",",
	.tail = ") AND c = ?",
	.row_values = 2,
	.tail_values = 1,
};

static void a_text_is_head_rows_and_tail(void **state)
{
	struct sql_value values[SQL_BULK_ROOM(3, 2) + 1] = {{0}};
	unsigned count;

	(void)state;
	assert_string_equal(sql_bulk_fill(&find, values, 1, &count),
	                    "SELECT a FROM t WHERE (a, b) IN ((?,?))"
	                    " AND c = ?");
	assert_int_equal(count, 3);
	assert_string_equal(sql_bulk_fill(&find, values, 3, &count),
	                    "SELECT a FROM t WHERE (a, b) IN"
	                    " ((?,?),(?,?),(?,?)) AND c = ?");
	assert_int_equal(count, 7);
}

static void the_last_row_is_repeated_before_the_tail(void **state)
{
	struct sql_value values[SQL_BULK_ROOM(5, 2) + 1];
	static const uint64_t filled[] = {0, 1, 2, 3, 4, 5, 6,
	                                  7, 8, 9, 8, 9, 77};
	unsigned count;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		values[i] = sql_number(i);
	values[10] = sql_number(77);
	(void)sql_bulk_fill(&find, values, 5, &count);
	assert_int_equal(count, ARRAY_LEN(filled));
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(values[i].number, filled[i]);
}

static void the_same_size_has_the_same_text(void **state)
{
	struct sql_value values[SQL_BULK_ROOM(6, 2) + 1] = {{0}};
	unsigned count;
	const char *five = sql_bulk_fill(&find, values, 5, &count);

	(void)state;
	assert_ptr_equal(sql_bulk_fill(&find, values, 6, &count), five);
}

static void eighteen_sizes_hold_every_number_of_rows(void **state)
{
	static struct sql_value values[SQL_BULK_ROOM(SQL_BULK_MAX, 2) + 1];
	unsigned sizes = 0, largest = 0;
	unsigned count;

	(void)state;
	for (unsigned rows = 1; rows <= SQL_BULK_MAX; rows++) {
		(void)sql_bulk_fill(&find, values, rows, &count);
		assert_in_range(count, 2 * rows + 1,
		                SQL_BULK_ROOM(rows, 2) + 1);
		if (count > largest)
			sizes++;
		largest = count;
	}
	assert_int_equal(sizes, SQL_BULK_SIZES);
	assert_int_equal(largest, 2 * SQL_BULK_MAX + 1);
}

static struct sql_bulk shared = {
	.head = "SELECT ",
	.row = "?",
	.between = ",",
	.tail = "",
	.row_values = 1,
};

enum { THREADS = 4 };

static void *fill_all(void *ret_texts)
{
	struct sql_value values[SQL_BULK_ROOM(SQL_BULK_MAX, 1)] = {{0}};
	const char **texts = ret_texts;
	unsigned count;

	for (unsigned rows = 1; rows <= SQL_BULK_MAX; rows++)
		texts[rows - 1] = sql_bulk_fill(&shared, values, rows, &count);
	return NULL;
}

static void threads_share_the_texts(void **state)
{
	static const char *texts[THREADS][SQL_BULK_MAX];
	pthread_t threads[THREADS];

	(void)state;
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, fill_all, texts[i]),
			0);
	for (unsigned i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	for (unsigned i = 1; i < THREADS; i++)
		assert_memory_equal(texts[i], texts[0], sizeof(texts[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_head_rows_and_tail),
		cmocka_unit_test(the_last_row_is_repeated_before_the_tail),
		cmocka_unit_test(the_same_size_has_the_same_text),
		cmocka_unit_test(eighteen_sizes_hold_every_number_of_rows),
		cmocka_unit_test(threads_share_the_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
