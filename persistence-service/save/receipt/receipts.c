#include "persistence-service/save/receipt/receipts.h"

#include "common/base/mem.h"
#include "common/io/sql/bulk.h"

#include <stdlib.h>

enum { VALUES_EACH = 4, STATE_COLUMNS = 7 };

struct receipts {
	struct sql *sql;
	struct rosters *rosters;
	/* One for each user and conversation, with its highest numbers. */
	struct batch_entry *entries[BATCH_RECORDS_MAX];
	unsigned count;
	struct sql_value values[SQL_BULK_ROOM(SQL_BULK_MAX, VALUES_EACH)];
};

/* Only members have a row; the statement adds none. */
static struct sql_bulk update_members = {
	.head = "UPDATE members m JOIN (",
	.row = "SELECT ? AS user, ? AS conversation, ? AS delivered, ? AS seen",
	.between = " UNION ALL ",
	.tail = ") v ON m.user = v.user AND m.conversation = v.conversation"
		" JOIN conversations c ON c.id = m.conversation"
		" SET m.delivered_seq = GREATEST(m.delivered_seq,"
		" LEAST(v.delivered, c.last_seq)),"
		" m.read_seq = GREATEST(m.read_seq, LEAST(v.seen, c.last_seq))"
		" WHERE c.deleted_at IS NULL",
	.row_values = VALUES_EACH,
};

static struct sql_bulk select_members = {
	.head = "SELECT m.user, m.conversation,"
		" GREATEST(m.delivered_seq, m.read_seq), m.read_seq,"
		" CAST(IF(c.kind = 1, 0, c.last_seq) AS UNSIGNED), c.large,"
		" b.user IS NOT NULL"
		" FROM members m JOIN conversations c ON c.id = m.conversation"
		" LEFT JOIN members o ON c.kind = 1"
		" AND o.conversation = c.id AND o.user <> m.user"
		" LEFT JOIN blocks b ON b.user = o.user AND b.blocked = m.user"
		" WHERE c.deleted_at IS NULL AND (m.user, m.conversation) IN (",
	.row = "(?,?)",
	.between = ",",
	.tail = ")",
	.row_values = 2,
};

struct receipts *receipts_create(struct sql *sql, struct rosters *rosters)
{
	struct receipts *receipts = mem_new(sizeof(*receipts));

	receipts->sql = sql;
	receipts->rosters = rosters;
	return receipts;
}

void receipts_destroy(struct receipts **receipts)
{
	mem_free(receipts);
}

/* --- merging ------------------------------------------------------------- */
static int by_member(const void *a, const void *b)
{
	const struct batch_entry *x = *(struct batch_entry *const *)a;
	const struct batch_entry *y = *(struct batch_entry *const *)b;

	if (x->record.conversation != y->record.conversation)
		return x->record.conversation < y->record.conversation ? -1 : 1;
	if (x->record.sender != y->record.sender)
		return x->record.sender < y->record.sender ? -1 : 1;
	return (x > y) - (x < y);
}

static bool same_member(const struct batch_entry *x,
                        const struct batch_entry *y)
{
	return x->record.conversation == y->record.conversation &&
	       x->record.sender == y->record.sender;
}

static void init_receipt(struct batch_entry *entry)
{
	uint64_t seq = entry->record.seq;

	entry->outcome = OUTCOME_DONE;
	entry->receipt = (struct receipt){
		.conversation = entry->record.conversation,
		.user = entry->record.sender,
		.delivered = seq,
		.read = entry->record.kind == SAVE_READ ? seq : 0,
	};
}

/* In sorted entries, the receipts of one member merge into the last one. */
static void merge(struct receipts *receipts)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < receipts->count; i++) {
		struct batch_entry *entry = receipts->entries[i];
		struct receipt *receipt = &entry->receipt;

		if (kept && same_member(receipts->entries[kept - 1], entry)) {
			const struct receipt *older =
				&receipts->entries[--kept]->receipt;

			if (older->delivered > receipt->delivered)
				receipt->delivered = older->delivered;
			if (older->read > receipt->read)
				receipt->read = older->read;
		}
		receipts->entries[kept++] = entry;
	}
	receipts->count = kept;
}

static void collect(struct receipts *receipts, const struct attempt *attempt)
{
	receipts->count = attempt_collect(attempt, save_kind_is_receipt,
	                                  receipts->entries);
	for (unsigned i = 0; i < receipts->count; i++)
		init_receipt(receipts->entries[i]);
	if (receipts->count == 0)
		return;
	qsort(receipts->entries, receipts->count, sizeof(struct batch_entry *),
	      by_member);
	merge(receipts);
}

/* --- SQL ----------------------------------------------------------------- */
static enum status write_receipts(struct receipts *receipts)
{
	for (unsigned i = 0; i < receipts->count; i++) {
		const struct receipt *receipt = &receipts->entries[i]->receipt;
		struct sql_value *row = &receipts->values[i * VALUES_EACH];

		row[0] = sql_number(receipt->user);
		row[1] = sql_number(receipt->conversation);
		row[2] = sql_number(receipt->delivered);
		row[3] = sql_number(receipt->read);
	}
	return sql_bulk_run(receipts->sql, &update_members, receipts->values,
	                    receipts->count);
}

static struct batch_entry *find_entry(struct receipts *receipts, uint64_t user,
                                      uint64_t conversation)
{
	struct batch_entry wanted = {.record.sender = user,
	                             .record.conversation = conversation};
	unsigned low = 0, high = receipts->count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		struct batch_entry *entry = receipts->entries[middle];
		const struct batch_entry *pointers[2] = {entry, &wanted};

		if (same_member(entry, &wanted))
			return entry;
		if (by_member(&pointers[0], &pointers[1]) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static void set_state(struct receipts *receipts, const struct sql_value *row)
{
	struct batch_entry *entry =
		find_entry(receipts, row[0].number, row[1].number);

	if (!entry)
		return;
	entry->outcome = OUTCOME_NOTIFIED;
	entry->receipt.delivered = row[2].number;
	entry->receipt.read = row[3].number;
	entry->sender_only = row[6].number != 0;
	rosters_request(receipts->rosters, row[1].number, row[4].number,
	                row[5].number != 0);
}

static enum status read_states(struct receipts *receipts)
{
	struct sql_value row[STATE_COLUMNS];
	enum status status;

	for (unsigned i = 0; i < receipts->count; i++) {
		const struct receipt *receipt = &receipts->entries[i]->receipt;

		receipts->values[i * 2] = sql_number(receipt->user);
		receipts->values[i * 2 + 1] = sql_number(receipt->conversation);
	}
	status = sql_bulk_run(receipts->sql, &select_members, receipts->values,
	                      receipts->count);
	while (status == ST_OK) {
		status = sql_fetch(receipts->sql, row, STATE_COLUMNS);
		if (status == ST_OK)
			set_state(receipts, row);
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static void set_outcomes(struct receipts *receipts)
{
	for (unsigned i = 0; i < receipts->count; i++) {
		struct batch_entry *entry = receipts->entries[i];

		if (entry->outcome == OUTCOME_NOTIFIED) {
			entry->roster = rosters_get(receipts->rosters,
			                            entry->record.conversation);
			continue;
		}
		batch_entry_refuse(entry, FRAME_UNKNOWN_CONVERSATION,
		                   "there is no such conversation");
	}
}

enum status receipts_save(struct receipts *receipts,
                          const struct attempt *attempt)
{
	enum status status;

	collect(receipts, attempt);
	if (receipts->count == 0)
		return ST_OK;
	status = write_receipts(receipts);
	if (status == ST_OK)
		status = read_states(receipts);
	if (status == ST_OK)
		status = rosters_load(receipts->rosters, attempt->batch);
	if (status == ST_OK)
		set_outcomes(receipts);
	return status;
}
