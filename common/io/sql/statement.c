#include "common/io/sql/statement.h"
#include "common/base/mem.h"

#include <assert.h>
#include <string.h>

enum { FIRST_COLUMN_BYTES = 256 };

/* The buffer of one column of a fetched row. */
struct column {
	bool is_number;
	uint64_t number;
	char *bytes;
	unsigned long len;
	my_bool is_null;
	my_bool truncated;
};

struct sql_statement {
	MYSQL_STMT *handle;
	char *text;
	size_t text_len;
	MYSQL_BIND *parameters;
	unsigned parameter_count;
	MYSQL_BIND *results;
	struct column *columns;
	unsigned column_count;
	bool grown; /* buffers grew: bind them before the next row */
};

struct sql_statement *sql_statement_create(MYSQL *mysql)
{
	struct sql_statement *s = mem_new(sizeof(*s));

	s->handle = mysql_stmt_init(mysql);
	assert(s->handle);
	return s;
}

void sql_statement_destroy(struct sql_statement **statement)
{
	struct sql_statement *s = MOVE(*statement);

	if (!s)
		return;
	if (s->handle)
		(void)mysql_stmt_close(s->handle);
	for (unsigned i = 0; i < s->column_count; i++)
		mem_free(&s->columns[i].bytes);
	mem_free(&s->columns);
	mem_free(&s->results);
	mem_free(&s->parameters);
	mem_free(&s->text);
	mem_free(&s);
}

static bool is_integer(const MYSQL_FIELD *field)
{
	switch (field->type) {
	case MYSQL_TYPE_TINY:
	case MYSQL_TYPE_SHORT:
	case MYSQL_TYPE_INT24:
	case MYSQL_TYPE_LONG:
	case MYSQL_TYPE_LONGLONG:
	case MYSQL_TYPE_YEAR:
		return true;
	default:
		return false;
	}
}

static void bind_column(struct column *column, MYSQL_BIND *bind)
{
	bind->is_null = &column->is_null;
	bind->error = &column->truncated;
	bind->length = &column->len;
	if (column->is_number) {
		bind->buffer_type = MYSQL_TYPE_LONGLONG;
		bind->is_unsigned = 1;
		bind->buffer = &column->number;
		bind->buffer_length = sizeof(column->number);
		return;
	}
	column->bytes = mem_new(FIRST_COLUMN_BYTES);
	bind->buffer_type = MYSQL_TYPE_STRING;
	bind->buffer = column->bytes;
	bind->buffer_length = FIRST_COLUMN_BYTES;
}

static void describe(struct sql_statement *s)
{
	MYSQL_RES *meta = mysql_stmt_result_metadata(s->handle);

	s->parameter_count = (unsigned)mysql_stmt_param_count(s->handle);
	s->parameters = mem_new(s->parameter_count * sizeof(*s->parameters));
	if (!meta)
		return;
	s->column_count = mysql_num_fields(meta);
	s->columns = mem_new(s->column_count * sizeof(*s->columns));
	s->results = mem_new(s->column_count * sizeof(*s->results));
	for (unsigned i = 0; i < s->column_count; i++) {
		const MYSQL_FIELD *field = mysql_fetch_field_direct(meta, i);

		s->columns[i].is_number = is_integer(field);
		bind_column(&s->columns[i], &s->results[i]);
	}
	mysql_free_result(meta);
}

bool sql_statement_prepare(struct sql_statement *s, const char *text,
                           size_t len)
{
	if (mysql_stmt_prepare(s->handle, text, len))
		return false;
	s->text = mem_text(text, len);
	s->text_len = len;
	describe(s);
	return true;
}

bool sql_statement_is(const struct sql_statement *s, const char *text,
                      size_t len)
{
	return s->text_len == len && !memcmp(s->text, text, len);
}

bool sql_statement_has_rows(const struct sql_statement *s)
{
	return s->column_count > 0;
}

unsigned sql_statement_errno(const struct sql_statement *s)
{
	return mysql_stmt_errno(s->handle);
}

const char *sql_statement_error(const struct sql_statement *s)
{
	return mysql_stmt_error(s->handle);
}

uint64_t sql_statement_affected(const struct sql_statement *s)
{
	return mysql_stmt_affected_rows(s->handle);
}

uint64_t sql_statement_insert_id(const struct sql_statement *s)
{
	return mysql_stmt_insert_id(s->handle);
}

void sql_statement_drop_rows(struct sql_statement *s)
{
	(void)mysql_stmt_free_result(s->handle);
}

/* Sends bytes as text: both servers store it in binary columns unchanged. */
static void bind_values(struct sql_statement *s, const struct sql_value *values)
{
	for (unsigned i = 0; i < s->parameter_count; i++) {
		const struct sql_value *value = &values[i];
		MYSQL_BIND *bind = &s->parameters[i];

		if (value->kind == SQL_NUMBER) {
			bind->buffer_type = MYSQL_TYPE_LONGLONG;
			bind->is_unsigned = 1;
			bind->buffer = (void *)(uintptr_t)&value->number;
		} else if (value->kind == SQL_BYTES) {
			bind->buffer_type = MYSQL_TYPE_STRING;
			bind->buffer = (void *)(uintptr_t)value->bytes.data;
			bind->buffer_length = value->bytes.len;
		} else {
			bind->buffer_type = MYSQL_TYPE_NULL;
		}
	}
}

bool sql_statement_run(struct sql_statement *s, const struct sql_value *values,
                       unsigned count)
{
	assert(count == s->parameter_count);
	bind_values(s, values);
	if (count && mysql_stmt_bind_param(s->handle, s->parameters))
		return false;
	if (mysql_stmt_execute(s->handle))
		return false;
	return s->column_count == 0 ||
	       (!mysql_stmt_bind_result(s->handle, s->results) &&
	        !mysql_stmt_store_result(s->handle));
}

/* Enlarges the buffer and reads the column again. */
static bool read_rest(struct sql_statement *s, unsigned at)
{
	struct column *column = &s->columns[at];
	MYSQL_BIND *bind = &s->results[at];
	unsigned long room = bind->buffer_length;

	while (room < column->len)
		room *= 2;
	column->bytes = mem_resize(column->bytes, room);
	bind->buffer = column->bytes;
	bind->buffer_length = room;
	return !mysql_stmt_fetch_column(s->handle, bind, at, 0);
}

/*
 * Larger buffers are bound before the next row, not now: in some versions
 * binding clears the lengths of the current row (CONC-821).
 */
static bool read_truncated(struct sql_statement *s)
{
	for (unsigned i = 0; i < s->column_count; i++) {
		struct column *column = &s->columns[i];

		if (column->is_number || column->is_null ||
		    column->len <= s->results[i].buffer_length)
			continue;
		if (!read_rest(s, i))
			return false;
		s->grown = true;
	}
	return true;
}

static bool bind_grown(struct sql_statement *s)
{
	if (!s->grown)
		return true;
	s->grown = false;
	return !mysql_stmt_bind_result(s->handle, s->results);
}

static struct sql_value value_of(const struct column *column)
{
	if (column->is_null)
		return (struct sql_value){.kind = SQL_NULL};
	if (column->is_number)
		return sql_number(column->number);
	return sql_bytes(span_make(column->bytes, column->len));
}

enum sql_row sql_statement_fetch(struct sql_statement *s,
                                 struct sql_value *ret_row, unsigned columns)
{
	int outcome;

	assert(columns == s->column_count);
	if (!bind_grown(s))
		return SQL_ROW_FAILED;
	outcome = mysql_stmt_fetch(s->handle);
	if (outcome == MYSQL_NO_DATA)
		return SQL_ROW_END;
	if ((outcome != 0 && outcome != MYSQL_DATA_TRUNCATED) ||
	    !read_truncated(s))
		return SQL_ROW_FAILED;
	for (unsigned i = 0; i < columns; i++)
		ret_row[i] = value_of(&s->columns[i]);
	return SQL_ROW;
}
