#include "identity-service/guess/guess_row.h"

enum { SUBJECT_LEN = 16 };

/* Half a digest: the table holds no name that a client sent. */
static struct sql_value key_of(const struct guess_row *row)
{
	return sql_bytes(span_make(row->subject.byte, SUBJECT_LEN));
}

/* The state, NULL if there is no row yet, and the time of the database. */
static enum status fetch(struct sql *sql, const struct guess_rule *rule,
                         struct guess_row *row)
{
	struct sql_value columns[2];
	enum status status = sql_fetch(sql, columns, ARRAY_LEN(columns));

	if (status != ST_OK)
		return status == ST_NOT_FOUND ? ST_UNAVAILABLE : status;
	guess_window_read(columns[0].kind == SQL_BYTES ? columns[0].bytes
	                                               : SPAN_NONE,
	                  rule, &row->window);
	row->now_ms = columns[1].number;
	return ST_OK;
}

enum status guess_row_lock(struct sql *sql, const struct guess_rule *rule,
                           struct guess_row *row)
{
	struct sql_value subject = key_of(row);
	enum status status;

	status = sql_run(sql,
	                 "INSERT INTO guess_limits (subject, state, expires_at)"
	                 " VALUES (?, '', NOW(3))"
	                 " ON DUPLICATE KEY UPDATE subject = VALUES(subject)",
	                 &subject, 1);
	if (status == ST_OK)
		status = sql_run(sql,
		                 "SELECT state, CAST(UNIX_TIMESTAMP(NOW(3))"
		                 " * 1000 AS UNSIGNED) FROM guess_limits"
		                 " WHERE subject = ? FOR UPDATE",
		                 &subject, 1);
	return status == ST_OK ? fetch(sql, rule, row) : status;
}

enum status guess_row_read(struct sql *sql, const struct guess_rule *rule,
                           struct guess_row *row)
{
	struct sql_value subject = key_of(row);
	enum status status =
		sql_run(sql,
	                "SELECT (SELECT state FROM guess_limits WHERE"
	                " subject = ?), CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS"
	                " UNSIGNED)",
	                &subject, 1);

	return status == ST_OK ? fetch(sql, rule, row) : status;
}

static enum status delete_row(struct sql *sql, const struct guess_row *row)
{
	struct sql_value subject = key_of(row);

	return sql_run(sql, "DELETE FROM guess_limits WHERE subject = ?",
	               &subject, 1);
}

enum status guess_row_store(struct sql *sql, const struct guess_row *row)
{
	CLEANUP(buf_free) struct buf state = BUF(GUESS_WINDOW_BYTES);
	uint64_t end_ms = guess_window_end_ms(&row->window);
	struct sql_value values[3];

	if (guess_window_failures(&row->window) == 0)
		return delete_row(sql, row);
	guess_window_write(&row->window, &state);
	values[0] = sql_bytes(buf_span(&state));
	values[1] = sql_number(
		end_ms > row->now_ms ? (end_ms - row->now_ms) / 1000 + 1 : 1);
	values[2] = key_of(row);
	return sql_run(sql,
	               "UPDATE guess_limits SET state = ?, expires_at ="
	               " NOW(3) + INTERVAL ? SECOND WHERE subject = ?",
	               values, ARRAY_LEN(values));
}
