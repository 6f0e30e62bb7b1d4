#include "identity-service/session/session_uses.h"
#include "common/base/lru.h"
#include "common/base/mem.h"
#include "common/base/pipe_queue.h"
#include "common/base/uuid.h"
#include "common/io/sql/bulk.h"

enum { QUEUE_BYTES = 64 * 1024 };

struct session_uses {
	struct lru *noted; /* by session */
	struct pipe_queue *queue;
};

enum status session_uses_create(struct session_uses **ret_uses)
{
	struct pipe_queue *queue = pipe_queue_create(
		sizeof(struct uuid), QUEUE_BYTES / sizeof(struct uuid), false);
	struct session_uses *uses;

	if (!queue)
		return ST_UNAVAILABLE;
	uses = mem_new(sizeof(*uses));
	uses->queue = queue;
	uses->noted = lru_create(SESSION_USES_MAX, 0);
	*ret_uses = uses;
	return ST_OK;
}

void session_uses_destroy(struct session_uses **uses)
{
	struct session_uses *u = MOVE(*uses);

	if (!u)
		return;
	pipe_queue_destroy(&u->queue);
	lru_destroy(&u->noted);
	mem_free(&u);
}

void session_uses_note(struct session_uses *uses, struct span session,
                       uint64_t now_unix_ms)
{
	struct uuid id;

	if (!lru_get(uses->noted, session, now_unix_ms, NULL) &&
	    uuid_parse(session, &id) && pipe_queue_put(uses->queue, &id))
		lru_put(uses->noted, session, NULL,
		        now_unix_ms + SESSION_USE_EVERY_S * 1000);
}

static struct sql_bulk update = {
	.head = "UPDATE sessions SET last_used_at = NOW(3)"
		" WHERE revoked_at IS NULL AND id IN (",
	.row = "?",
	.between = ",",
	.tail = ")",
	.row_values = 1,
};

enum status session_uses_write(struct session_uses *uses, struct sql *sql)
{
	struct uuid ids[SQL_BULK_MAX];
	struct sql_value values[SQL_BULK_ROOM(SQL_BULK_MAX, 1)];
	unsigned count;
	enum status status = ST_OK;

	while (status == ST_OK &&
	       (count = pipe_queue_take(uses->queue, ids, SQL_BULK_MAX))) {
		for (unsigned i = 0; i < count; i++)
			values[i] = sql_bytes(uuid_span(&ids[i]));
		status = sql_bulk_run(sql, &update, values, count);
	}
	return status;
}
