#include "persistence-service/save/conversation/pending_events.h"

#include "common/base/lru.h"
#include "common/base/mem.h"
#include "common/io/sql/bulk.h"

enum { READ_MAX = 100000 };

struct pending_events {
	struct sql *sql;
	struct lru *read; /* the last row that was read, by conversation */
	struct sql_value values[SQL_BULK_ROOM(SQL_BULK_MAX, 3) + 1];
};

/* The rows of a conversation have ascending ids: its changes take turns. */
static struct sql_bulk list_rows = {
	.head = "SELECT id, kind, conversation, target, room, body FROM outbox"
		" WHERE ",
	.row = "(conversation = ? AND id > ? AND id <= ?)",
	.between = " OR ",
	.tail = " ORDER BY id LIMIT ?",
	.row_values = 3,
	.tail_values = 1,
};

struct pending_events *pending_events_create(struct sql *sql)
{
	struct pending_events *events = mem_new(sizeof(*events));

	events->sql = sql;
	pending_events_evict_all(events);
	return events;
}

void pending_events_destroy(struct pending_events **events)
{
	if (!*events)
		return;
	lru_destroy(&(*events)->read);
	mem_free(events);
}

void pending_events_evict_all(struct pending_events *events)
{
	lru_destroy(&events->read);
	events->read = lru_create(READ_MAX, sizeof(uint64_t));
}

static struct span key_of(const uint64_t *conversation)
{
	return span_make(conversation, sizeof(*conversation));
}

/* ST_BUSY: perhaps there are more rows. */
static enum status read_rows(struct pending_events *events, struct batch *batch)
{
	struct outbox_row row;
	enum status status = ST_OK;
	unsigned count = 0;

	for (; batch->pending_count < PENDING_EVENTS_MAX; count++) {
		status = outbox_next(events->sql, &row);
		if (status != ST_OK)
			break;
		batch_add_pending_event(batch, &row);
		lru_put(events->read, key_of(&row.conversation), &row.id,
		        UINT64_MAX);
	}
	if (status != ST_OK && status != ST_NOT_FOUND)
		return status;
	return status == ST_OK || count == PENDING_EVENTS_MAX ? ST_BUSY : ST_OK;
}

static void set_values(struct pending_events *events, unsigned at,
                       uint64_t conversation, uint64_t row)
{
	uint64_t last = 0;

	(void)lru_get(events->read, key_of(&conversation), 0, &last);
	events->values[3 * at] = sql_number(conversation);
	events->values[3 * at + 1] = sql_number(last);
	events->values[3 * at + 2] = sql_number(row);
}

static enum status load(struct pending_events *events, unsigned count,
                        struct batch *batch)
{
	enum status status;

	events->values[3 * count] = sql_number(PENDING_EVENTS_MAX);
	status = sql_bulk_run(events->sql, &list_rows, events->values, count);
	return status == ST_OK ? read_rows(events, batch) : status;
}

enum status pending_events_load(struct pending_events *events,
                                const uint64_t *conversations, unsigned count,
                                struct batch *batch)
{
	for (unsigned i = 0; i < count; i++)
		set_values(events, i, conversations[i], UINT64_MAX);
	return load(events, count, batch);
}

static bool is_announcement(enum save_kind kind)
{
	return kind == SAVE_MEMBERSHIP;
}

enum status pending_events_load_announced(struct pending_events *events,
                                          const struct attempt *attempt)
{
	struct batch_entry *entries[BATCH_RECORDS_MAX];
	unsigned count = attempt_collect(attempt, is_announcement, entries);
	enum status status;

	if (count == 0)
		return ST_OK;
	for (unsigned i = 0; i < count; i++)
		set_values(events, i, entries[i]->record.conversation,
		           entries[i]->record.row);
	status = load(events, count, attempt->batch);
	for (unsigned i = 0; i < count && status == ST_OK; i++)
		entries[i]->outcome = OUTCOME_DONE;
	return status;
}
