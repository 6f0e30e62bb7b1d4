#include "persistence-service/save/message/message_store.h"

#include "common/base/mem.h"
#include "common/io/sql/bulk.h"
#include "common/wire/pair.h"
#include "persistence-service/sql_time.h"

enum { VALUES_EACH = 7, DUPLICATE_COLUMNS = 12 };

struct message_store {
	struct sql *sql;
	struct sql_value values[SQL_BULK_ROOM(SQL_BULK_MAX, VALUES_EACH)];
	struct sql_time time; /* time_ms as text */
	uint64_t time_ms;
};

static struct sql_bulk insert_rows = {
	.head = "INSERT INTO messages"
		" (conversation, seq, sender, uuid, created_at, body,"
		" reply_to) VALUES ",
	.row = "(?,?,?,?,?,?,?)",
	.between = ",",
	.tail = "",
	.row_values = VALUES_EACH,
};

/* MariaDB and MySQL read a range of the unique key for each pair. */
static struct sql_bulk find_duplicates = {
	.head = "SELECT x.sender, x.uuid, x.conversation, x.seq, x.id,"
		" x.created_at, x.body, c.ckey, x.reply_to,"
		" x.kind, x.revision, x.deleted_at"
		" FROM messages x FORCE INDEX (by_sender_uuid)"
		" LEFT JOIN conversations c ON c.id = x.conversation"
		" WHERE (x.sender, x.uuid) IN (",
	.row = "(?,?)",
	.between = ",",
	.tail = ")",
	.row_values = 2,
};

struct message_store *message_store_create(struct sql *sql)
{
	struct message_store *store = mem_new(sizeof(*store));

	store->sql = sql;
	store->time = sql_time_of(0);
	return store;
}

void message_store_destroy(struct message_store **store)
{
	mem_free(store);
}

/* All entries of a transaction have the same time. */
static struct span time_text(struct message_store *store, uint64_t unix_ms)
{
	if (unix_ms != store->time_ms)
		store->time = sql_time_of(unix_ms);
	store->time_ms = unix_ms;
	return span_make(store->time.text, SQL_TIME_LEN);
}

static void fill_row(struct message_store *store, struct sql_value *row,
                     const struct saved_message *saved)
{
	row[0] = sql_number(saved->conversation);
	row[1] = sql_number(saved->seq);
	row[2] = sql_number(saved->user_from);
	row[3] = sql_bytes(uuid_span(&saved->uuid));
	row[4] = sql_bytes(time_text(store, saved->created_at_ms));
	row[5] = sql_bytes(saved->message);
	row[6] = sql_number(saved->reply_to);
}

enum status message_store_insert(struct message_store *store,
                                 const struct new_message *messages,
                                 unsigned count)
{
	enum status status;
	unsigned ran;

	for (unsigned i = 0; i < count; i++)
		fill_row(store, &store->values[i * VALUES_EACH],
		         &messages[i].entry->saved);
	for (unsigned done = 0; done < count; done += ran) {
		status = sql_bulk_run_exact(store->sql, &insert_rows,
		                            &store->values[done * VALUES_EACH],
		                            count - done, &ran);
		if (status != ST_OK)
			return status;
		for (unsigned i = 0; i < ran; i++)
			messages[done + i].entry->saved.id =
				sql_insert_id(store->sql) + i;
	}
	return ST_OK;
}

/*
 * The recipient of the first send: a duplicate may name another user. 0: a
 * message to a group.
 */
static uint64_t first_recipient(const struct sql_value *row)
{
	struct pair pair;

	if (!pair_read(row[7].bytes, &pair))
		return 0;
	return pair_other(&pair, row[0].number);
}

static void set_duplicate(const struct sql_value *row, struct batch *batch,
                          const struct batch_dedup *dedup)
{
	struct batch_entry *entry;
	struct uuid uuid;
	uint64_t created_at_ms;

	if (row[1].bytes.len != sizeof(uuid.byte) ||
	    !sql_time_read(row[5].bytes, &created_at_ms))
		return;
	memcpy(uuid.byte, row[1].bytes.data, sizeof(uuid.byte));
	entry = batch_dedup_find(dedup, row[0].number, &uuid);
	if (!entry || entry->outcome != OUTCOME_OPEN)
		return;
	if (row[9].number != ENTRY_MESSAGE) {
		batch_entry_refuse(entry, FRAME_BAD_UUID,
		                   "the uuid names something else");
		return;
	}
	entry->outcome = OUTCOME_DUPLICATE;
	entry->saved = (struct saved_message){
		.kind = (enum entry_kind)row[9].number,
		.id = row[4].number,
		.conversation = row[2].number,
		.seq = row[3].number,
		.user_from = row[0].number,
		.user_to = first_recipient(row),
		.reply_to = row[8].number,
		.uuid = uuid,
		.created_at_ms = created_at_ms,
		.revision = row[10].number,
	};
	if (row[11].kind != SQL_NULL)
		(void)sql_time_read(row[11].bytes, &entry->saved.deleted_at_ms);
	entry->saved.message = text_store_keep(batch->texts, row[6].bytes);
}

enum status message_store_find_duplicates(struct message_store *store,
                                          struct batch *batch,
                                          struct batch_entry *const *entries,
                                          unsigned count,
                                          const struct batch_dedup *dedup)
{
	struct sql_value row[DUPLICATE_COLUMNS];
	enum status status;

	for (unsigned i = 0; i < count; i++) {
		store->values[i * 2] = sql_number(entries[i]->record.sender);
		store->values[i * 2 + 1] =
			sql_bytes(uuid_span(&entries[i]->record.uuid));
	}
	status = sql_bulk_run(store->sql, &find_duplicates, store->values,
	                      count);
	while (status == ST_OK) {
		status = sql_fetch(store->sql, row, DUPLICATE_COLUMNS);
		if (status == ST_OK)
			set_duplicate(row, batch, dedup);
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}
