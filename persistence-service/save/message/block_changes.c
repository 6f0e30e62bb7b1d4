#include "persistence-service/save/message/block_changes.h"

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/io/sql/bulk.h"
#include "persistence-service/save/batch/text_store.h"

#include <stdlib.h>

enum { ANSWER_MAX = 1 + 20 + 1 };

struct block_changes {
	struct sql *sql;
	struct batch_entry *entries[BATCH_RECORDS_MAX];
	bool blocks[BATCH_RECORDS_MAX];
	unsigned count;
	struct sql_value values[SQL_BULK_ROOM(SQL_BULK_MAX, 2)];
};

static struct sql_bulk find_blocks = {
	.head = "SELECT user, blocked FROM blocks WHERE (user, blocked) IN (",
	.row = "(?,?)",
	.between = ",",
	.tail = ") ORDER BY user, blocked",
	.row_values = 2,
};

struct block_changes *block_changes_create(struct sql *sql)
{
	struct block_changes *changes = mem_new(sizeof(*changes));

	changes->sql = sql;
	return changes;
}

void block_changes_destroy(struct block_changes **changes)
{
	mem_free(changes);
}

static bool is_blocked_record(enum save_kind kind)
{
	return kind == SAVE_BLOCKED;
}

static int by_pair(const void *a, const void *b)
{
	const struct save_record *x =
		&(*(struct batch_entry *const *)a)->record;
	const struct save_record *y =
		&(*(struct batch_entry *const *)b)->record;

	if (x->sender != y->sender)
		return x->sender < y->sender ? -1 : 1;
	return (x->user_to > y->user_to) - (x->user_to < y->user_to);
}

static bool is_before(const struct save_record *record, uint64_t user,
                      uint64_t blocked)
{
	return record->sender < user ||
	       (record->sender == user && record->user_to < blocked);
}

/* Rows and records both ascend; several records may be about one pair. */
static enum status read_blocks(struct block_changes *c)
{
	struct sql_value row[2];
	unsigned at = 0;
	enum status status;

	qsort(c->entries, c->count, sizeof(struct batch_entry *), by_pair);
	for (unsigned i = 0; i < c->count; i++) {
		const struct save_record *record = &c->entries[i]->record;

		c->blocks[i] = false;
		c->values[i * 2] = sql_number(record->sender);
		c->values[i * 2 + 1] = sql_number(record->user_to);
	}
	status = sql_bulk_run(c->sql, &find_blocks, c->values, c->count);
	while (status == ST_OK &&
	       (status = sql_fetch(c->sql, row, 2)) == ST_OK) {
		while (at < c->count && is_before(&c->entries[at]->record,
		                                  row[0].number, row[1].number))
			at++;
		for (; at < c->count &&
		       c->entries[at]->record.sender == row[0].number &&
		       c->entries[at]->record.user_to == row[1].number;
		     at++)
			c->blocks[at] = true;
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

enum status block_changes_read(struct block_changes *c,
                               const struct attempt *attempt)
{
	enum status status = ST_OK;

	c->count = attempt_collect(attempt, is_blocked_record, c->entries);
	if (c->count)
		status = read_blocks(c);
	for (unsigned i = 0; i < c->count && status == ST_OK; i++) {
		struct batch_entry *entry = c->entries[i];
		struct buf answer CLEANUP(buf_free) = BUF(ANSWER_MAX);

		buf_byte(&answer, c->blocks[i] ? '+' : '-');
		buf_number(&answer, entry->record.sender);
		entry->outcome = OUTCOME_NOTIFIED;
		entry->answer = text_store_keep(attempt->batch->texts,
		                                buf_span(&answer));
	}
	return status;
}
