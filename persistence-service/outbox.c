#include "persistence-service/outbox.h"

enum { COLUMNS = 5 };

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

enum status outbox_take(struct sql *sql, unsigned limit)
{
	struct sql_value value = sql_number(limit);

	return sql_run(sql,
	               "SELECT id, kind, target, room, body FROM outbox"
	               " ORDER BY id LIMIT ? FOR UPDATE SKIP LOCKED",
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
		.target = row[2].bytes,
		.room = row[3].bytes,
		.body = row[4].bytes,
	};
	return ST_OK;
}

/*
 * One by one: for several at once a server may read the whole table, and would
 * wait for rows that another announcer has locked.
 */
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
