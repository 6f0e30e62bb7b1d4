#include "persistence-service/answer_store.h"

#include "common/base/mem.h"
#include "common/wire/event.h"
#include "persistence-service/rows_statement.h"

/* A header that is sent at all is not empty. */
static const char in_no_room[] = "-";

enum { ANSWER_MAX = 1024 * 1024 };

struct answer_store {
	struct sql *sql;
	struct batch_entry *asked[BATCH_MOST];
	unsigned count;
	struct buf answer;
	struct sql_value values[ROWS_ROOM(1)];
};

static struct rows_statement list_rooms = {
	.head = "SELECT m.user, c.id, c.last_seq FROM large_members m"
		" JOIN conversations c ON c.id = m.conversation"
		" WHERE c.deleted_at IS NULL AND m.user IN (",
	.row = "?",
	.between = ",",
	.tail = ") ORDER BY m.user, c.id",
	.row_values = 1,
};

/* The others in it, but for who does not want to hear from the one who asks. */
static const char list_roster[] =
	"SELECT o.user FROM members m"
	" JOIN conversations c ON c.id = m.conversation"
	" JOIN members o ON o.conversation = c.id AND o.user <> m.user"
	" LEFT JOIN blocks b ON c.kind = 1 AND b.user = o.user"
	" AND b.blocked = m.user"
	" WHERE m.user = ? AND m.conversation = ? AND c.large = 0"
	" AND c.deleted_at IS NULL AND b.user IS NULL ORDER BY o.user";

struct answer_store *answer_store_create(struct sql *sql)
{
	struct answer_store *store = mem_new(sizeof(*store));

	store->sql = sql;
	store->answer = BUF(ANSWER_MAX);
	return store;
}

void answer_store_destroy(struct answer_store **store)
{
	if (!*store)
		return;
	buf_free(&(*store)->answer);
	mem_free(store);
}

static void collect(struct answer_store *store, struct batch *batch,
                    enum save_kind kind, unsigned from, unsigned to)
{
	store->count = 0;
	for (unsigned i = from; i < to; i++) {
		struct batch_entry *entry = &batch->entries[i];

		if (entry->record.kind == kind &&
		    entry->outcome != OUTCOME_DEAD)
			store->asked[store->count++] = entry;
	}
}

/* A batch that has no room left for it: the gateway asks again. */
static void keep(struct answer_store *store, struct batch *batch,
                 struct batch_entry *entry)
{
	entry->outcome = OUTCOME_DONE;
	if (!batch_has_room(batch, store->answer.len))
		return;
	entry->outcome = OUTCOME_TOLD;
	batch_keep(batch, entry, &entry->answer, buf_span(&store->answer));
}

/* --- rooms --------------------------------------------------------------- */
/* All who asked about this user get what has gathered. */
static void answer_rooms(struct answer_store *store, struct batch *batch,
                         uint64_t user)
{
	for (unsigned i = 0; i < store->count; i++) {
		if (store->asked[i]->record.sender == user)
			keep(store, batch, store->asked[i]);
	}
	buf_clear(&store->answer);
}

static void answer_others(struct answer_store *store, struct batch *batch)
{
	buf_append(&store->answer, span_of(in_no_room));
	for (unsigned i = 0; i < store->count; i++) {
		if (store->asked[i]->outcome == OUTCOME_OPEN)
			keep(store, batch, store->asked[i]);
	}
}

static enum status read_rooms(struct answer_store *store, struct batch *batch)
{
	struct sql_value row[3];
	enum status status;
	uint64_t user = 0;

	for (unsigned i = 0; i < store->count; i++) {
		store->asked[i]->outcome = OUTCOME_OPEN;
		store->values[i] = sql_number(store->asked[i]->record.sender);
	}
	buf_clear(&store->answer);
	status = rows_run_padded(store->sql, &list_rooms, store->values,
	                         store->count);
	while (status == ST_OK) {
		status = sql_fetch(store->sql, row, 3);
		if (user && (status != ST_OK || user != row[0].number))
			answer_rooms(store, batch, user);
		if (status != ST_OK)
			break;
		user = row[0].number;
		event_rooms_add(&store->answer, row[1].number, row[2].number);
	}
	if (status != ST_NOT_FOUND)
		return status;
	answer_others(store, batch);
	return ST_OK;
}

/* --- rosters ------------------------------------------------------------- */
static enum status read_roster(struct answer_store *store,
                               const struct batch_entry *entry)
{
	struct sql_value values[] = {sql_number(entry->record.sender),
	                             sql_number(entry->record.conversation)};
	struct sql_value row;
	enum status status =
		sql_run(store->sql, list_roster, values, ARRAY_LEN(values));
	bool first = true;

	buf_clear(&store->answer);
	buf_number(&store->answer, entry->record.conversation);
	buf_byte(&store->answer, ':');
	while (status == ST_OK) {
		status = sql_fetch(store->sql, &row, 1);
		if (status != ST_OK)
			break;
		if (!first)
			buf_byte(&store->answer, ',');
		buf_number(&store->answer, row.number);
		first = false;
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static enum status read_rosters(struct answer_store *store, struct batch *batch)
{
	for (unsigned i = 0; i < store->count; i++) {
		enum status status = read_roster(store, store->asked[i]);

		if (status != ST_OK)
			return status;
		keep(store, batch, store->asked[i]);
	}
	return ST_OK;
}

enum status answer_store_read(struct answer_store *store, struct batch *batch,
                              unsigned from, unsigned to)
{
	enum status status = ST_OK;

	collect(store, batch, SAVE_ROOMS, from, to);
	if (store->count)
		status = read_rooms(store, batch);
	if (status != ST_OK)
		return status;
	collect(store, batch, SAVE_ROSTER, from, to);
	return store->count ? read_rosters(store, batch) : ST_OK;
}
