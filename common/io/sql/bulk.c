#include "common/io/sql/bulk.h"

#include "common/base/buf.h"
#include "common/base/mem.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

enum { TEXT_MAX = 64 * 1024 };

/* Powers of two, the middle between two of them, and SQL_BULK_MAX. */
static unsigned rows_of(unsigned size)
{
	if (size == SQL_BULK_SIZES - 1)
		return SQL_BULK_MAX;
	if (size < 2)
		return size + 1;
	return size % 2 ? 1u << (size / 2 + 1) : 3u << (size / 2 - 1);
}

static char *write_text(const struct sql_bulk *bulk, unsigned rows)
{
	struct buf text CLEANUP(buf_free) = BUF(TEXT_MAX);

	buf_append(&text, span_of(bulk->head));
	for (unsigned i = 0; i < rows; i++) {
		if (i)
			buf_append(&text, span_of(bulk->between));
		buf_append(&text, span_of(bulk->row));
	}
	buf_append(&text, span_of(bulk->tail));
	assert(!buf_overflowed(&text));
	return mem_text(text.data, text.len);
}

/* Of two threads that write the same text, the first one stores it. */
static const char *text_of(struct sql_bulk *bulk, unsigned size)
{
	char *stored = atomic_load(&bulk->text[size]);
	char *written;

	if (stored)
		return stored;
	written = write_text(bulk, rows_of(size));
	if (atomic_compare_exchange_strong(&bulk->text[size], &stored, written))
		return written;
	mem_free(&written);
	return stored;
}

const char *sql_bulk_fill(struct sql_bulk *bulk, struct sql_value *values,
                          unsigned rows, unsigned *ret_count)
{
	unsigned each = bulk->row_values;
	unsigned size = 0;

	assert(rows > 0 && rows <= SQL_BULK_MAX);
	while (rows_of(size) < rows)
		size++;
	memmove(&values[rows_of(size) * each], &values[rows * each],
	        bulk->tail_values * sizeof(*values));
	for (unsigned i = rows; i < rows_of(size); i++)
		memcpy(&values[i * each], &values[(rows - 1) * each],
		       each * sizeof(*values));
	*ret_count = rows_of(size) * each + bulk->tail_values;
	return text_of(bulk, size);
}

enum status sql_bulk_run(struct sql *sql, struct sql_bulk *bulk,
                         struct sql_value *values, unsigned rows)
{
	unsigned count;
	const char *text = sql_bulk_fill(bulk, values, rows, &count);

	return sql_run(sql, text, values, count);
}

enum status sql_bulk_run_exact(struct sql *sql, struct sql_bulk *bulk,
                               const struct sql_value *values, unsigned rows,
                               unsigned *ret_ran)
{
	unsigned size = 0;

	assert(rows > 0 && bulk->tail_values == 0);
	while (size + 1 < SQL_BULK_SIZES && rows_of(size + 1) <= rows)
		size++;
	*ret_ran = rows_of(size);
	return sql_run(sql, text_of(bulk, size), values,
	               *ret_ran * bulk->row_values);
}
