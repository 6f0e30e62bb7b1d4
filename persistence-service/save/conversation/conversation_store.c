#include "persistence-service/save/conversation/conversation_store.h"

#include "common/base/mem.h"
#include "common/io/sql/bulk.h"
#include "common/wire/pair.h"
#include "persistence-service/sql_time.h"

#include <assert.h>
#include <stdlib.h>

enum { VALUES_EACH = 6, LOCKED_COLUMNS = 5 };

struct conversation_store {
	struct sql *sql;
	struct cached_conversation *by_id[BATCH_RECORDS_MAX];
	struct sql_value values[SQL_BULK_ROOM(SQL_BULK_MAX, VALUES_EACH)];
};

static struct sql_bulk find_by_key = {
	.head = "SELECT id, ckey FROM conversations WHERE ckey IN (",
	.row = "?",
	.between = ",",
	.tail = ")",
	.row_values = 1,
};

/* The ids of one INSERT are consecutive: see sql_insert_id(). */
static struct sql_bulk insert_missing = {
	.head = "INSERT INTO conversations (kind, ckey, created_by, created_at)"
		" VALUES ",
	.row = "(1,?,?,?)",
	.between = ",",
	.tail = "",
	.row_values = 3,
};

static struct sql_bulk lock_by_id = {
	.head = "SELECT id, last_seq, large, ckey, deleted_at"
		" FROM conversations WHERE id IN (",
	.row = "?",
	.between = ",",
	.tail = ") ORDER BY id FOR UPDATE",
	.row_values = 1,
};

/* The rows exist: this updates many rows with one statement. */
static struct sql_bulk update_last = {
	.head = "INSERT INTO conversations (id, kind, ckey, created_by,"
		" created_at, last_seq, last_message_id) VALUES ",
	.row = "(?,1,?,?,?,?,?)",
	.between = ",",
	.tail = " ON DUPLICATE KEY UPDATE last_seq = VALUES(last_seq),"
		" last_message_id = VALUES(last_message_id)",
	.row_values = 6,
};

static struct sql_bulk put_members = {
	.head = "INSERT INTO members (user, conversation, joined_at, read_seq)"
		" VALUES ",
	.row = "(?,?,?,?)",
	.between = ",",
	.tail = " ON DUPLICATE KEY UPDATE"
		" read_seq = GREATEST(read_seq, VALUES(read_seq))",
	.row_values = 4,
};

struct conversation_store *conversation_store_create(struct sql *sql)
{
	struct conversation_store *store = mem_new(sizeof(*store));

	store->sql = sql;
	return store;
}

void conversation_store_destroy(struct conversation_store **store)
{
	mem_free(store);
}

static void add(struct conversation_store *store, unsigned *at,
                struct sql_value value)
{
	store->values[(*at)++] = value;
}

static struct span key_of(const struct cached_conversation *conversation)
{
	return span_make(conversation->key, conversation->key_len);
}

static unsigned collect_unknown(struct conversation_store *store,
                                struct conversation_cache *cache)
{
	unsigned count = 0;

	for (unsigned i = 0; i < conversation_cache_count(cache); i++)
		if (conversation_cache_at(cache, i)->id == 0) /* a pair's */
			store->by_id[count++] = conversation_cache_at(cache, i);
	return count;
}

static enum status find_ids(struct conversation_store *store,
                            struct conversation_cache *cache, unsigned unknown)
{
	struct sql_value row[2];
	enum status status;
	struct cached_conversation *conversation;
	unsigned at = 0;

	for (unsigned i = 0; i < unknown; i++)
		add(store, &at, sql_bytes(key_of(store->by_id[i])));
	status = sql_bulk_run(store->sql, &find_by_key, store->values, unknown);
	while (status == ST_OK) {
		status = sql_fetch(store->sql, row, 2);
		if (status != ST_OK)
			break;
		conversation = conversation_cache_by_key(cache, row[1].bytes);
		if (conversation)
			conversation->id = row[0].number;
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static enum status create_missing(struct conversation_store *store,
                                  const struct sql_time *now, unsigned missing)
{
	const unsigned each = insert_missing.row_values;
	unsigned at = 0, ran;

	for (unsigned i = 0; i < missing; i++) {
		add(store, &at, sql_bytes(key_of(store->by_id[i])));
		add(store, &at, sql_number(store->by_id[i]->created_by));
		add(store, &at, sql_bytes(span_make(now->text, SQL_TIME_LEN)));
	}
	for (unsigned done = 0; done < missing; done += ran) {
		enum status status = sql_bulk_run_exact(
			store->sql, &insert_missing,
			&store->values[done * each], missing - done, &ran);

		if (status != ST_OK)
			return status;
		for (unsigned i = 0; i < ran; i++) {
			store->by_id[done + i]->id =
				sql_insert_id(store->sql) + i;
			store->by_id[done + i]->state = CONVERSATION_CREATED;
		}
	}
	return ST_OK;
}

static int by_id(const void *a, const void *b)
{
	const struct cached_conversation *x =
		*(struct cached_conversation *const *)a;
	const struct cached_conversation *y =
		*(struct cached_conversation *const *)b;

	return (x->id > y->id) - (x->id < y->id);
}

/* The row was not found. A pair's row was there before: start again. */
static enum status mark_missing(struct cached_conversation *conversation)
{
	conversation->state = CONVERSATION_MISSING;
	return cached_conversation_is_pair(conversation) ? ST_NOT_FOUND : ST_OK;
}

static void set_row(struct cached_conversation *conversation,
                    const struct sql_value *row)
{
	struct pair pair;
	bool named_by_id = !cached_conversation_is_pair(conversation);

	conversation->stored_seq = conversation->last_seq = row[1].number;
	conversation->large = row[2].number != 0;
	if (named_by_id && pair_read(row[3].bytes, &pair))
		conversation->state = CONVERSATION_MISPLACED;
	else
		conversation->state = row[4].kind == SQL_NULL
		                              ? CONVERSATION_LOCKED
		                              : CONVERSATION_MISSING;
}

/*
 * Rows come in the order of by_id. Two conversations may have the same row: one
 * found by its id and one by its pair.
 */
static enum status read_locked(struct conversation_store *store, unsigned count)
{
	struct sql_value row[LOCKED_COLUMNS];
	enum status status = ST_OK, missed = ST_OK;
	unsigned at = 0;

	while (missed == ST_OK) {
		status = sql_fetch(store->sql, row, LOCKED_COLUMNS);
		if (status != ST_OK)
			break;
		while (at < count && store->by_id[at]->id < row[0].number &&
		       missed == ST_OK)
			missed = mark_missing(store->by_id[at++]);
		while (at < count && store->by_id[at]->id == row[0].number)
			set_row(store->by_id[at++], row);
	}
	if (status != ST_NOT_FOUND && status != ST_OK)
		return status;
	while (at < count && missed == ST_OK)
		missed = mark_missing(store->by_id[at++]);
	return missed;
}

static enum status lock_ids(struct conversation_store *store,
                            struct conversation_cache *cache)
{
	unsigned count = 0, at = 0;
	enum status status;

	for (unsigned i = 0; i < conversation_cache_count(cache); i++) {
		struct cached_conversation *conversation =
			conversation_cache_at(cache, i);

		if (conversation->state == CONVERSATION_UNKNOWN)
			store->by_id[count++] = conversation;
	}
	if (count == 0)
		return ST_OK;
	qsort(store->by_id, count, sizeof(struct cached_conversation *), by_id);
	for (unsigned i = 0; i < count; i++)
		add(store, &at, sql_number(store->by_id[i]->id));
	status = sql_bulk_run(store->sql, &lock_by_id, store->values, count);
	if (status != ST_OK)
		return status;
	return read_locked(store, count);
}

enum status conversation_store_lock(struct conversation_store *store,
                                    struct conversation_cache *cache,
                                    uint64_t now_ms)
{
	struct sql_time now = sql_time_of(now_ms);
	unsigned unknown = collect_unknown(store, cache);
	enum status status = ST_OK;

	if (unknown)
		status = find_ids(store, cache, unknown);
	if (status != ST_OK)
		return status;
	unknown = collect_unknown(store, cache);
	if (unknown)
		status = create_missing(store, &now, unknown);
	if (status != ST_OK)
		return status;
	return lock_ids(store, cache);
}

/*
 * The server counts an updated row as two and an inserted row as one. An
 * inserted row means that the conversation was gone.
 */
static enum status update_rows(struct conversation_store *store,
                               struct conversation_cache *cache,
                               const struct sql_time *now)
{
	struct span time = span_make(now->text, SQL_TIME_LEN);
	unsigned count = 0, at = 0;
	enum status status;

	for (unsigned i = 0; i < conversation_cache_count(cache); i++) {
		struct cached_conversation *conversation =
			conversation_cache_at(cache, i);

		if (conversation->last_seq > conversation->stored_seq)
			store->by_id[count++] = conversation;
	}
	if (count == 0)
		return ST_OK;
	qsort(store->by_id, count, sizeof(struct cached_conversation *), by_id);
	for (unsigned i = 0; i < count; i++) {
		const struct cached_conversation *conversation =
			store->by_id[i];

		add(store, &at, sql_number(conversation->id));
		add(store, &at, sql_bytes(key_of(conversation)));
		add(store, &at, sql_number(conversation->created_by));
		add(store, &at, sql_bytes(time));
		add(store, &at, sql_number(conversation->last_seq));
		add(store, &at, sql_number(conversation->last_message_id));
	}
	status = sql_bulk_run(store->sql, &update_last, store->values, count);
	if (status != ST_OK)
		return status;
	return sql_affected(store->sql) == UINT64_C(2) * count ? ST_OK
	                                                       : ST_NOT_FOUND;
}

/* By conversation and user; the highest seq of a user comes first. */
static int by_member(const void *a, const void *b)
{
	const struct read_position *x = a, *y = b;

	if (x->conversation != y->conversation)
		return x->conversation < y->conversation ? -1 : 1;
	if (x->user != y->user)
		return x->user < y->user ? -1 : 1;
	return (x->seq < y->seq) - (x->seq > y->seq);
}

static bool same_member(const struct read_position *x,
                        const struct read_position *y)
{
	return x->conversation == y->conversation && x->user == y->user;
}

/* The rows of one statement, from *at on. */
static unsigned fill_members(struct conversation_store *store,
                             const struct read_position *positions,
                             unsigned count, unsigned *at,
                             const struct sql_time *now)
{
	unsigned rows = 0, value = 0;

	for (; *at < count && rows < SQL_BULK_MAX; ++*at) {
		const struct read_position *position = &positions[*at];

		if (*at && same_member(position, position - 1))
			continue;
		add(store, &value, sql_number(position->user));
		add(store, &value, sql_number(position->conversation));
		add(store, &value,
		    sql_bytes(span_make(now->text, SQL_TIME_LEN)));
		add(store, &value, sql_number(position->seq));
		rows++;
	}
	return rows;
}

static enum status put_positions(struct conversation_store *store,
                                 struct read_position *positions,
                                 unsigned count, const struct sql_time *now)
{
	enum status status = ST_OK;
	unsigned at = 0;

	qsort(positions, count, sizeof(*positions), by_member);
	while (at < count && status == ST_OK) {
		unsigned rows = fill_members(store, positions, count, &at, now);

		if (rows)
			status = sql_bulk_run(store->sql, &put_members,
			                      store->values, rows);
	}
	return status;
}

enum status conversation_store_update(struct conversation_store *store,
                                      struct conversation_cache *cache,
                                      struct read_position *positions,
                                      unsigned count, uint64_t now_ms)
{
	struct sql_time now = sql_time_of(now_ms);
	enum status status = update_rows(store, cache, &now);

	if (status != ST_OK)
		return status;
	return put_positions(store, positions, count, &now);
}
