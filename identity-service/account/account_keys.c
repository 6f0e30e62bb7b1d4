#include "identity-service/account/account_keys.h"

#include "common/base/mem.h"
#include "common/wire/name.h"

#include <string.h>

/* Rows of one statement, so that none takes long. */
enum { STEP = 5000 };

#define BACKFILL "'name_key'"

/* A name with other than ASCII letters, whose key may have changed. */
struct row {
	uint64_t id;
	char name[NAME_MAX_BYTES];
	size_t len;
};

struct rows {
	struct row row[STEP];
	unsigned count;
};

static enum status read_number(struct sql *sql, uint64_t *ret_number)
{
	struct sql_value row;
	enum status status = sql_fetch(sql, &row, 1);

	if (status == ST_OK)
		*ret_number = row.kind == SQL_NUMBER ? row.number : 0;
	return status;
}

static enum status read_done(struct sql *sql, uint64_t *ret_id)
{
	enum status status =
		sql_run(sql,
	                "SELECT done_id FROM backfills WHERE name ="
	                " " BACKFILL,
	                NULL, 0);

	*ret_id = 0;
	if (status == ST_OK)
		status = read_number(sql, ret_id);
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static enum status write_done(struct sql *sql, uint64_t id)
{
	struct sql_value value = sql_number(id);

	return sql_run(sql,
	               "INSERT INTO backfills (name, done_id) VALUES"
	               " (" BACKFILL ", ?) ON DUPLICATE KEY UPDATE"
	               " done_id = GREATEST(done_id, VALUES(done_id))",
	               &value, 1);
}

/* The last id of the next STEP rows; 0: there are none. */
static enum status find_end(struct sql *sql, uint64_t after, uint64_t *ret_id)
{
	const struct sql_value values[] = {sql_number(after), sql_number(STEP)};
	enum status status =
		sql_run(sql,
	                "SELECT MAX(id) FROM (SELECT id FROM users WHERE id > ?"
	                " ORDER BY id LIMIT ?) step",
	                values, ARRAY_LEN(values));

	return status == ST_OK ? read_number(sql, ret_id) : status;
}

static enum status read_rows(struct sql *sql, uint64_t after, uint64_t end,
                             struct rows *rows)
{
	const struct sql_value values[] = {sql_number(after), sql_number(end)};
	enum status status =
		sql_run(sql,
	                "SELECT id, name FROM users WHERE id > ? AND id <= ?"
	                " AND LENGTH(name) <> CHAR_LENGTH(name) ORDER BY id",
	                values, ARRAY_LEN(values));
	struct sql_value columns[2];

	rows->count = 0;
	while (status == ST_OK) {
		struct row *row = &rows->row[rows->count];

		status = sql_fetch(sql, columns, ARRAY_LEN(columns));
		if (status != ST_OK)
			break;
		if (rows->count == STEP ||
		    columns[1].bytes.len > sizeof(row->name))
			return ST_BROKEN;
		row->id = columns[0].number;
		row->len = columns[1].bytes.len;
		memcpy(row->name, columns[1].bytes.data, row->len);
		rows->count++;
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static enum status renew_row(struct sql *sql, const struct row *row,
                             struct account_keys_counts *counts)
{
	CLEANUP(buf_free) struct buf key = BUF(2 * NAME_KEY_MAX);
	struct sql_value values[3];
	enum status status;

	/* A name of nothing but ignorable characters has no key. */
	if (name_key(span_make(row->name, row->len), &key) != ST_OK ||
	    key.len == 0 || key.len > NAME_KEY_MAX) {
		counts->kept++;
		return ST_OK;
	}
	values[0] = values[2] = sql_bytes(buf_span(&key));
	values[1] = sql_number(row->id);
	status = sql_run(sql,
	                 "UPDATE users SET name_key = ?"
	                 " WHERE id = ? AND name_key <> ?",
	                 values, ARRAY_LEN(values));
	if (status == ST_CONFLICT) {
		counts->kept++;
		return ST_OK;
	}
	if (status == ST_OK)
		counts->changed += sql_affected(sql);
	return status;
}

static enum status renew_step(struct sql *sql, uint64_t *done,
                              struct rows *rows,
                              struct account_keys_counts *counts)
{
	uint64_t end = 0;
	enum status status = find_end(sql, *done, &end);

	if (status != ST_OK || end == 0)
		return status == ST_OK ? ST_NOT_FOUND : status;
	status = read_rows(sql, *done, end, rows);
	for (unsigned i = 0; i < rows->count && status == ST_OK; i++)
		status = renew_row(sql, &rows->row[i], counts);
	if (status == ST_OK)
		status = write_done(sql, end);
	*done = end;
	return status;
}

enum status account_keys_renew(struct sql *sql,
                               struct account_keys_counts *ret_counts)
{
	CLEANUP(mem_free) struct rows *rows = mem_new(sizeof(*rows));
	uint64_t done;
	enum status status = read_done(sql, &done);

	*ret_counts = (struct account_keys_counts){0};
	while (status == ST_OK)
		status = renew_step(sql, &done, rows, ret_counts);
	return status == ST_NOT_FOUND ? ST_OK : status;
}
