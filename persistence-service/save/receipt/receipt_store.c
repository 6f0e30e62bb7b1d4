#include "persistence-service/save/receipt/receipt_store.h"

#include "common/base/mem.h"
#include "common/io/sql/bulk.h"

#include <stdlib.h>

enum { VALUES_EACH = 4, STATE_COLUMNS = 6 };

struct receipt_store {
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
		" CAST(IF(c.kind = 1, 0, c.last_seq) AS UNSIGNED), c.large"
		" FROM members m JOIN conversations c ON c.id = m.conversation"
		" WHERE c.deleted_at IS NULL AND (m.user, m.conversation) IN (",
	.row = "(?,?)",
	.between = ",",
	.tail = ")",
	.row_values = 2,
};

struct receipt_store *receipt_store_create(struct sql *sql,
                                           struct rosters *rosters)
{
	struct receipt_store *store = mem_new(sizeof(*store));

	store->sql = sql;
	store->rosters = rosters;
	return store;
}

void receipt_store_destroy(struct receipt_store **store)
{
	mem_free(store);
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
static void merge(struct receipt_store *store)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < store->count; i++) {
		struct batch_entry *entry = store->entries[i];
		struct receipt *receipt = &entry->receipt;

		if (kept && same_member(store->entries[kept - 1], entry)) {
			const struct receipt *older =
				&store->entries[--kept]->receipt;

			if (older->delivered > receipt->delivered)
				receipt->delivered = older->delivered;
			if (older->read > receipt->read)
				receipt->read = older->read;
		}
		store->entries[kept++] = entry;
	}
	store->count = kept;
}

static bool is_receipt(const struct batch_entry *entry)
{
	return save_kind_is_receipt(entry->record.kind) &&
	       entry->outcome != OUTCOME_DEAD;
}

static void collect(struct receipt_store *store, struct batch *batch,
                    unsigned from, unsigned to)
{
	store->count = 0;
	for (unsigned i = from; i < to; i++) {
		struct batch_entry *entry = &batch->entries[i];

		if (!is_receipt(entry))
			continue;
		init_receipt(entry);
		store->entries[store->count++] = entry;
	}
	if (store->count == 0)
		return;
	qsort(store->entries, store->count, sizeof(struct batch_entry *),
	      by_member);
	merge(store);
}

/* --- SQL ----------------------------------------------------------------- */
static enum status write_receipts(struct receipt_store *store)
{
	for (unsigned i = 0; i < store->count; i++) {
		const struct receipt *receipt = &store->entries[i]->receipt;
		struct sql_value *row = &store->values[i * VALUES_EACH];

		row[0] = sql_number(receipt->user);
		row[1] = sql_number(receipt->conversation);
		row[2] = sql_number(receipt->delivered);
		row[3] = sql_number(receipt->read);
	}
	return sql_bulk_run(store->sql, &update_members, store->values,
	                    store->count);
}

static struct batch_entry *find_entry(struct receipt_store *store,
                                      uint64_t user, uint64_t conversation)
{
	struct batch_entry wanted = {.record.sender = user,
	                             .record.conversation = conversation};
	unsigned low = 0, high = store->count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		struct batch_entry *entry = store->entries[middle];
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

static void set_state(struct receipt_store *store, const struct sql_value *row)
{
	struct batch_entry *entry =
		find_entry(store, row[0].number, row[1].number);

	if (!entry)
		return;
	entry->outcome = OUTCOME_NOTIFIED;
	entry->receipt.delivered = row[2].number;
	entry->receipt.read = row[3].number;
	rosters_request(store->rosters, row[1].number, row[4].number,
	                row[5].number != 0);
}

static enum status read_states(struct receipt_store *store)
{
	struct sql_value row[STATE_COLUMNS];
	enum status status;

	for (unsigned i = 0; i < store->count; i++) {
		const struct receipt *receipt = &store->entries[i]->receipt;

		store->values[i * 2] = sql_number(receipt->user);
		store->values[i * 2 + 1] = sql_number(receipt->conversation);
	}
	status = sql_bulk_run(store->sql, &select_members, store->values,
	                      store->count);
	while (status == ST_OK) {
		status = sql_fetch(store->sql, row, STATE_COLUMNS);
		if (status == ST_OK)
			set_state(store, row);
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static void set_outcomes(struct receipt_store *store)
{
	for (unsigned i = 0; i < store->count; i++) {
		struct batch_entry *entry = store->entries[i];

		if (entry->outcome == OUTCOME_NOTIFIED) {
			entry->roster = rosters_get(store->rosters,
			                            entry->record.conversation);
			continue;
		}
		entry->outcome = OUTCOME_REFUSED;
		entry->code = FRAME_UNKNOWN_CONVERSATION;
		entry->why = "there is no such conversation";
	}
}

enum status receipt_store_write(struct receipt_store *store,
                                struct batch *batch, unsigned from, unsigned to)
{
	enum status status;

	collect(store, batch, from, to);
	if (store->count == 0)
		return ST_OK;
	status = write_receipts(store);
	if (status == ST_OK)
		status = read_states(store);
	if (status == ST_OK)
		status = rosters_load(store->rosters, batch);
	if (status == ST_OK)
		set_outcomes(store);
	return status;
}
