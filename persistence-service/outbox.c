#include "persistence-service/outbox.h"

enum { COLUMNS = 6 };

enum status outbox_put(struct sql *sql, const struct outbox_row *row)
{
	struct sql_value values[] = {
		sql_number(row->kind),
		sql_number(row->conversation),
		sql_bytes(row->target),
		sql_bytes(row->room.len ? row->room : SPAN("")),
		sql_bytes(row->body),
	};

	return sql_run(sql,
	               "INSERT INTO outbox"
	               " (kind, conversation, target, room, body)"
	               " VALUES (?, ?, ?, ?, ?)",
	               values, ARRAY_LEN(values));
}

/* By the index: a scan of the table would lock the rows of conversations. */
enum status outbox_take(struct sql *sql)
{
	struct sql_value limit = sql_number(OUTBOX_TAKEN_MAX);

	return sql_run(sql,
	               "SELECT id, kind, conversation, target, room, body"
	               " FROM outbox FORCE INDEX (by_conversation)"
	               " WHERE conversation = 0 ORDER BY id LIMIT ?"
	               " FOR UPDATE SKIP LOCKED",
	               &limit, 1);
}

enum status outbox_next(struct sql *sql, struct outbox_row *ret_row)
{
	struct sql_value row[COLUMNS];
	enum status status = sql_fetch(sql, row, COLUMNS);

	if (status != ST_OK)
		return status;
	*ret_row = (struct outbox_row){
		.id = row[0].number,
		.kind = (enum outbox_kind)row[1].number,
		.conversation = row[2].number,
		.target = row[3].bytes,
		.room = row[4].bytes,
		.body = row[5].bytes,
	};
	return ST_OK;
}

/* One by one: for several ids a server may read, and lock, the whole table. */
enum status outbox_remove(struct sql *sql, const uint64_t *ids, unsigned count)
{
	enum status status = ST_OK;

	for (unsigned i = 0; i < count && status == ST_OK; i++) {
		struct sql_value id = sql_number(ids[i]);

		status =
			sql_run(sql, "DELETE FROM outbox WHERE id = ?", &id, 1);
	}
	return status;
}

enum status outbox_newest(struct sql *sql, uint64_t *ret_id)
{
	struct sql_value row;
	enum status status = sql_run(
		sql,
		"SELECT CAST(COALESCE(MAX(id), 0) AS UNSIGNED) FROM outbox",
		NULL, 0);

	if (status == ST_OK)
		status = sql_fetch(sql, &row, 1);
	if (status == ST_OK)
		*ret_id = row.number;
	return status;
}

/* The index has the oldest row of each conversation first. */
enum status outbox_list_stale(struct sql *sql, uint64_t after, uint64_t last_id)
{
	struct sql_value values[] = {sql_number(after), sql_number(last_id),
	                             sql_number(OUTBOX_STALE_MAX)};

	return sql_run(sql,
	               "SELECT conversation, MIN(id) AS oldest FROM outbox"
	               " WHERE conversation > ? GROUP BY conversation"
	               " HAVING oldest <= ? ORDER BY conversation LIMIT ?",
	               values, ARRAY_LEN(values));
}

enum status outbox_next_conversation(struct sql *sql,
                                     uint64_t *ret_conversation)
{
	struct sql_value row[2];
	enum status status = sql_fetch(sql, row, ARRAY_LEN(row));

	if (status == ST_OK)
		*ret_conversation = row[0].number;
	return status;
}
