#include "persistence-service/rest/few_rows.h"

#include "common/base/buf.h"

#include <assert.h>

enum { TEXT_MAX = 4096 };

static void write_text(struct buf *text, const struct few_rows *statement,
                       unsigned rows)
{
	buf_append(text, span_of(statement->head));
	for (unsigned i = 0; i < rows; i++) {
		if (i)
			buf_byte(text, ',');
		buf_append(text, span_of(statement->row));
	}
	buf_append(text, span_of(statement->tail));
	assert(!buf_overflowed(text));
}

enum status few_rows_run(struct sql *sql, const struct few_rows *statement,
                         const struct sql_value *values, unsigned rows,
                         const struct sql_value *more, unsigned more_count)
{
	struct sql_value all[FEW_MAX * FEW_ROW_MAX + FEW_MORE_MAX];
	struct buf text CLEANUP(buf_free) = BUF(TEXT_MAX);
	unsigned each = statement->row_values, size = 1, at = 0;

	assert(rows > 0 && rows <= FEW_MAX && each <= FEW_ROW_MAX &&
	       more_count <= FEW_MORE_MAX);
	while (size < rows)
		size *= 2;
	for (unsigned i = 0; i < size; i++) {
		unsigned row = i < rows ? i : rows - 1;

		for (unsigned j = 0; j < each; j++)
			all[at++] = values[row * each + j];
	}
	for (unsigned i = 0; i < more_count; i++)
		all[at++] = more[i];
	write_text(&text, statement, size);
	return sql_run(sql, buf_text(&text), all, at);
}

enum status few_users_run(struct sql *sql, const struct few_rows *statement,
                          const uint64_t *users, unsigned count,
                          const struct sql_value *more, unsigned more_count)
{
	struct sql_value values[FEW_MAX];

	assert(count <= FEW_MAX && statement->row_values == 1);
	for (unsigned i = 0; i < count; i++)
		values[i] = sql_number(users[i]);
	return few_rows_run(sql, statement, values, count, more, more_count);
}
