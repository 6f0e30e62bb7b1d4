#include "common/io/sql/bulk.h"

#include "common/base/buf.h"
#include "common/base/mem.h"

#include <assert.h>
#include <string.h>

enum { TEXT_MAX = 64 * 1024 };

/* 2^n and what lies in the middle of two. */
static unsigned rows_of(unsigned size)
{
	if (size == ROWS_SIZES - 1)
		return ROWS_MAX;
	if (size < 2)
		return size + 1;
	return size % 2 ? 1u << (size / 2 + 1) : 3u << (size / 2 - 1);
}

static const char *text_of(struct rows_statement *statement, unsigned size)
{
	struct buf text = BUF(TEXT_MAX);

	if (statement->text[size])
		return statement->text[size];
	buf_append(&text, span_of(statement->head));
	for (unsigned i = 0; i < rows_of(size); i++) {
		if (i)
			buf_append(&text, span_of(statement->between));
		buf_append(&text, span_of(statement->row));
	}
	buf_append(&text, span_of(statement->tail));
	assert(!buf_overflowed(&text));
	statement->text[size] = mem_text(text.data, text.len);
	buf_free(&text);
	return statement->text[size];
}

enum status rows_run_padded(struct sql *sql, struct rows_statement *statement,
                            struct sql_value *values, unsigned rows)
{
	unsigned each = statement->row_values;
	unsigned size = 0;

	assert(rows > 0 && rows <= ROWS_MAX);
	while (rows_of(size) < rows)
		size++;
	for (unsigned i = rows; i < rows_of(size); i++)
		memcpy(&values[i * each], &values[(rows - 1) * each],
		       each * sizeof(*values));
	return sql_run(sql, text_of(statement, size), values,
	               each * rows_of(size));
}

enum status rows_run_piece(struct sql *sql, struct rows_statement *statement,
                           const struct sql_value *values, unsigned rows,
                           unsigned *ret_ran)
{
	unsigned size = 0;

	assert(rows > 0);
	while (size + 1 < ROWS_SIZES && rows_of(size + 1) <= rows)
		size++;
	*ret_ran = rows_of(size);
	return sql_run(sql, text_of(statement, size), values,
	               statement->row_values * *ret_ran);
}
