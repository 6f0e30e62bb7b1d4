#include "persistence-service/save/conversation/recipients.h"

#include "common/base/mem.h"
#include "common/io/sql/bulk.h"

enum { STATE_COLUMNS = 3 };

struct recipients {
	struct sql *sql;
	struct rosters *rosters;
	struct batch_entry *entries[BATCH_RECORDS_MAX];
	unsigned count;
	struct sql_value values[SQL_BULK_ROOM(SQL_BULK_MAX, 1)];
};

static struct sql_bulk find_states = {
	.head = "SELECT id, CAST(IF(kind = 1, 0, last_seq) AS UNSIGNED), large"
		" FROM conversations WHERE deleted_at IS NULL AND id IN (",
	.row = "?",
	.between = ",",
	.tail = ")",
	.row_values = 1,
};

struct recipients *recipients_create(struct sql *sql, struct rosters *rosters)
{
	struct recipients *recipients = mem_new(sizeof(*recipients));

	recipients->sql = sql;
	recipients->rosters = rosters;
	return recipients;
}

void recipients_destroy(struct recipients **recipients)
{
	mem_free(recipients);
}

static bool is_announced(const struct batch_entry *entry)
{
	return entry->outcome == OUTCOME_SAVED ||
	       entry->outcome == OUTCOME_DUPLICATE ||
	       entry->outcome == OUTCOME_NOTIFIED;
}

/* 0: the entry is for the users that it names, or for a gateway. */
static uint64_t conversation_of(const struct batch_entry *entry)
{
	switch (entry->record.kind) {
	case SAVE_MESSAGE:
		return entry->saved.user_to ? 0 : entry->saved.conversation;
	case SAVE_EDIT:
	case SAVE_DELETE:
	case SAVE_REACT:
		return entry->change.conversation;
	case SAVE_DELIVERED:
	case SAVE_READ:
		return entry->receipt.conversation;
	default:
		return 0;
	}
}

/* A later transaction that failed may have made a roster invalid. */
static void collect(struct recipients *recipients, struct batch *batch)
{
	recipients->count = 0;
	for (unsigned i = 0; i < batch->count; i++) {
		struct batch_entry *entry = &batch->entries[i];

		if (is_announced(entry) && conversation_of(entry) &&
		    (!entry->roster || !roster_valid(entry->roster)))
			recipients->entries[recipients->count++] = entry;
	}
}

static enum status read_rosters(struct recipients *recipients,
                                struct batch *batch)
{
	struct sql_value row[STATE_COLUMNS];
	enum status status;

	for (unsigned i = 0; i < recipients->count; i++)
		recipients->values[i] =
			sql_number(conversation_of(recipients->entries[i]));
	status = sql_bulk_run(recipients->sql, &find_states, recipients->values,
	                      recipients->count);
	while (status == ST_OK) {
		status = sql_fetch(recipients->sql, row, STATE_COLUMNS);
		if (status == ST_OK)
			rosters_request(recipients->rosters, row[0].number,
			                row[1].number, row[2].number != 0);
	}
	return status == ST_NOT_FOUND ? rosters_load(recipients->rosters, batch)
	                              : status;
}

enum status recipients_complete(struct recipients *recipients,
                                struct batch *batch)
{
	enum status status;

	collect(recipients, batch);
	if (recipients->count == 0)
		return ST_OK;
	status = sql_begin(recipients->sql);
	if (status == ST_OK)
		status = read_rosters(recipients, batch);
	sql_rollback(recipients->sql);
	for (unsigned i = 0; i < recipients->count && status == ST_OK; i++) {
		struct batch_entry *entry = recipients->entries[i];

		entry->roster = rosters_find(recipients->rosters,
		                             conversation_of(entry));
	}
	return status;
}
