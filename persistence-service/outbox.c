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

enum status outbox_take(struct sql *sql, struct outbox_taken *ret_rows,
                        unsigned *ret_count)
{
	struct sql_value limit = sql_number(OUTBOX_TAKEN_MAX), row[2];
	enum status status = sql_run(sql,
	                             "SELECT id, conversation FROM outbox"
	                             " ORDER BY id LIMIT ?"
	                             " FOR UPDATE SKIP LOCKED",
	                             &limit, 1);

	*ret_count = 0;
	while (status == ST_OK) {
		status = sql_fetch(sql, row, 2);
		if (status == ST_OK)
			ret_rows[(*ret_count)++] = (struct outbox_taken){
				row[0].number, row[1].number};
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

enum status outbox_read(struct sql *sql, uint64_t last_id)
{
	struct sql_value value = sql_number(last_id);

	return sql_run(sql,
	               "SELECT id, kind, conversation, target, room, body"
	               " FROM outbox WHERE id <= ? ORDER BY id",
	               &value, 1);
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

/*
 * One by one: for several ids a server may read the whole table, and would wait
 * for rows that another publisher has locked.
 */
enum status outbox_remove(struct sql *sql, const struct outbox_taken *rows,
                          unsigned count)
{
	enum status status = ST_OK;

	for (unsigned i = 0; i < count && status == ST_OK; i++) {
		struct sql_value id = sql_number(rows[i].id);

		status =
			sql_run(sql, "DELETE FROM outbox WHERE id = ?", &id, 1);
	}
	return status;
}
