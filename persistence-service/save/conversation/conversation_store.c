#include "persistence-service/save/conversation/conversation_store.h"

#include "common/base/mem.h"
#include "common/io/sql/bulk.h"
#include "persistence-service/pair.h"
#include "persistence-service/sql_time.h"

#include <assert.h>
#include <stdlib.h>

enum { VALUES_EACH = 6, LOCKED_COLUMNS = 5 };

struct conversation_store {
	struct sql *sql;
	struct talk *by_id[BATCH_RECORDS_MAX];
	struct batch_entry *writers[BATCH_RECORDS_MAX];
	struct sql_value values[SQL_BULK_ROOM(SQL_BULK_MAX, VALUES_EACH)];
	unsigned rows;
};

static struct sql_bulk find_by_key = {
	.head = "SELECT id, ckey FROM conversations WHERE ckey IN (",
	.row = "?",
	.between = ",",
	.tail = ")",
	.row_values = 1,
};

/* The ids of one insert are consecutive: see sql_insert_id(). */
static struct sql_bulk make_missing = {
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

/* The rows are there: this is an update of many rows at once. */
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

static struct span key_of(const struct talk *talk)
{
	return span_make(talk->key, talk->key_len);
}

static unsigned collect_unknown(struct conversation_store *store,
                                struct talks *talks)
{
	unsigned count = 0;

	for (unsigned i = 0; i < talks_count(talks); i++)
		if (talks_at(talks, i)->id == 0) /* a pair's */
			store->by_id[count++] = talks_at(talks, i);
	return count;
}

static enum status find_ids(struct conversation_store *store,
                            struct talks *talks, unsigned unknown)
{
	struct sql_value row[2];
	enum status status;
	struct talk *talk;
	unsigned at = 0;

	for (unsigned i = 0; i < unknown; i++)
		add(store, &at, sql_bytes(key_of(store->by_id[i])));
	status = sql_bulk_run(store->sql, &find_by_key, store->values, unknown);
	while (status == ST_OK) {
		status = sql_fetch(store->sql, row, 2);
		if (status != ST_OK)
			break;
		talk = talks_with_key(talks, row[1].bytes);
		if (talk)
			talk->id = row[0].number;
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static enum status make_pieces(struct conversation_store *store,
                               unsigned missing)
{
	const unsigned each = make_missing.row_values;
	enum status status;
	unsigned ran;

	for (unsigned done = 0; done < missing; done += ran) {
		status = sql_bulk_run_exact(store->sql, &make_missing,
		                            &store->values[done * each],
		                            missing - done, &ran);
		if (status != ST_OK)
			return status;
		for (unsigned i = 0; i < ran; i++) {
			struct talk *talk = store->by_id[done + i];

			talk->id = sql_insert_id(store->sql) + i;
			talk->made = true;
		}
	}
	return ST_OK;
}

static enum status make_ids(struct conversation_store *store,
                            const struct sql_time *now, unsigned missing)
{
	unsigned at = 0;

	for (unsigned i = 0; i < missing; i++) {
		const struct talk *talk = store->by_id[i];

		add(store, &at, sql_bytes(key_of(talk)));
		add(store, &at, sql_number(talk->created_by));
		add(store, &at, sql_bytes(span_make(now->text, SQL_TIME_LEN)));
	}
	return make_pieces(store, missing);
}

static int by_id(const void *a, const void *b)
{
	const struct talk *x = *(struct talk *const *)a;
	const struct talk *y = *(struct talk *const *)b;

	return (x->id > y->id) - (x->id < y->id);
}

/* Whose row was not there. A pair's was known: look again. */
static enum status miss(struct talk *talk)
{
	talk->absent = true;
	return talk_is_pair(talk) ? ST_NOT_FOUND : ST_OK;
}

static void take_row(struct talks *talks, struct talk *talk,
                     const struct sql_value *row)
{
	struct pair pair;

	talk->last_seq = row[1].number;
	talk->large = row[2].number != 0;
	talk->absent = row[4].kind != SQL_NULL;
	if (!talk_is_pair(talk) && pair_read(row[3].bytes, &pair))
		talks_is_pair(talks, talk, pair.low, pair.high);
}

/* Rows come in the order of by_id; two talks may have one, an id and a pair. */
static enum status read_locked(struct conversation_store *store,
                               struct talks *talks, unsigned count)
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
			missed = miss(store->by_id[at++]);
		while (at < count && store->by_id[at]->id == row[0].number)
			take_row(talks, store->by_id[at++], row);
	}
	if (status != ST_NOT_FOUND && status != ST_OK)
		return status;
	while (at < count && missed == ST_OK)
		missed = miss(store->by_id[at++]);
	return missed;
}

/* What this transaction made is locked already, and empty. */
static enum status lock_ids(struct conversation_store *store,
                            struct talks *talks)
{
	unsigned count = 0, at = 0;
	enum status status;

	for (unsigned i = 0; i < talks_count(talks); i++) {
		struct talk *talk = talks_at(talks, i);

		if (!talk->made && !talk->seq_known)
			store->by_id[count++] = talk;
	}
	if (count == 0)
		return ST_OK;
	qsort(store->by_id, count, sizeof(struct talk *), by_id);
	for (unsigned i = 0; i < count; i++)
		add(store, &at, sql_number(store->by_id[i]->id));
	status = sql_bulk_run(store->sql, &lock_by_id, store->values, count);
	if (status != ST_OK)
		return status;
	return read_locked(store, talks, count);
}

enum status conversation_store_lock(struct conversation_store *store,
                                    struct talks *talks, uint64_t now_ms)
{
	struct sql_time now = sql_time_of(now_ms);
	unsigned unknown = collect_unknown(store, talks);
	enum status status = ST_OK;

	if (unknown)
		status = find_ids(store, talks, unknown);
	if (status != ST_OK)
		return status;
	unknown = collect_unknown(store, talks);
	if (unknown)
		status = make_ids(store, &now, unknown);
	if (status != ST_OK)
		return status;
	return lock_ids(store, talks);
}

/*
 * The server counts a row that it changed twice and one that it had to insert
 * once: the conversation was gone.
 */
static enum status update_rows(struct conversation_store *store,
                               struct talks *talks, const struct sql_time *now)
{
	struct span time = span_make(now->text, SQL_TIME_LEN);
	unsigned count = 0, at = 0;
	enum status status;

	for (unsigned i = 0; i < talks_count(talks); i++)
		if (talks_at(talks, i)->written)
			store->by_id[count++] = talks_at(talks, i);
	if (count == 0)
		return ST_OK;
	qsort(store->by_id, count, sizeof(struct talk *), by_id);
	for (unsigned i = 0; i < count; i++) {
		const struct talk *talk = store->by_id[i];

		add(store, &at, sql_number(talk->id));
		add(store, &at, sql_bytes(key_of(talk)));
		add(store, &at, sql_number(talk->created_by));
		add(store, &at, sql_bytes(time));
		add(store, &at, sql_number(talk->last_seq));
		add(store, &at, sql_number(talk->last_message_id));
	}
	status = sql_bulk_run(store->sql, &update_last, store->values, count);
	if (status != ST_OK)
		return status;
	return sql_affected(store->sql) == UINT64_C(2) * count ? ST_OK
	                                                       : ST_NOT_FOUND;
}

static enum status flush_members(struct conversation_store *store)
{
	enum status status = ST_OK;

	if (store->rows)
		status = sql_bulk_run(store->sql, &put_members, store->values,
		                      store->rows);
	store->rows = 0;
	return status;
}

static enum status put_member(struct conversation_store *store,
                              uint64_t conversation, uint64_t user,
                              uint64_t read_seq, const struct sql_time *now)
{
	unsigned at = store->rows * put_members.row_values;

	add(store, &at, sql_number(user));
	add(store, &at, sql_number(conversation));
	add(store, &at, sql_bytes(span_make(now->text, SQL_TIME_LEN)));
	add(store, &at, sql_number(read_seq));
	store->rows++;
	return store->rows == SQL_BULK_MAX ? flush_members(store) : ST_OK;
}

/* Both when the conversation is new, else only who wrote. */
static enum status put_pair(struct conversation_store *store,
                            const struct talk *talk, const struct sql_time *now)
{
	unsigned sides = talk->user[0] == talk->user[1] ? 1 : 2;
	enum status status = ST_OK;

	for (unsigned side = 0; side < sides && status == ST_OK; side++)
		if (talk->made || talk->read_seq[side])
			status = put_member(store, talk->id, talk->user[side],
			                    talk->read_seq[side], now);
	return status;
}

/* By conversation and user; the last message of each first. */
static int by_writer(const void *a, const void *b)
{
	const struct saved_message *x =
		&(*(struct batch_entry *const *)a)->saved;
	const struct saved_message *y =
		&(*(struct batch_entry *const *)b)->saved;

	if (x->conversation != y->conversation)
		return x->conversation < y->conversation ? -1 : 1;
	if (x->user_from != y->user_from)
		return x->user_from < y->user_from ? -1 : 1;
	return (x->seq < y->seq) - (x->seq > y->seq);
}

static bool same_writer(const struct saved_message *x,
                        const struct saved_message *y)
{
	return x->conversation == y->conversation &&
	       x->user_from == y->user_from;
}

/* Who wrote to many has read up to their last message. */
static enum status put_writers(struct conversation_store *store,
                               struct talks *talks,
                               struct batch_entry *const *entries,
                               unsigned count, const struct sql_time *now)
{
	struct batch_entry **many = store->writers;
	enum status status = ST_OK;
	unsigned writers = 0;

	for (unsigned i = 0; i < count; i++)
		if (!talk_is_pair(talks_at(talks, entries[i]->talk)))
			many[writers++] = entries[i];
	if (writers)
		qsort(many, writers, sizeof(*many), by_writer);
	for (unsigned i = 0; i < writers && status == ST_OK; i++) {
		const struct saved_message *saved = &many[i]->saved;

		if (i == 0 || !same_writer(saved, &many[i - 1]->saved))
			status = put_member(store, saved->conversation,
			                    saved->user_from, saved->seq, now);
	}
	return status;
}

enum status conversation_store_update(struct conversation_store *store,
                                      struct talks *talks,
                                      struct batch_entry *const *entries,
                                      unsigned count, uint64_t now_ms)
{
	struct sql_time now = sql_time_of(now_ms);
	enum status status = update_rows(store, talks, &now);

	store->rows = 0;
	for (unsigned i = 0; i < talks_count(talks) && status == ST_OK; i++)
		if (talk_is_pair(talks_at(talks, i)))
			status = put_pair(store, talks_at(talks, i), &now);
	if (status == ST_OK)
		status = put_writers(store, talks, entries, count, &now);
	if (status != ST_OK)
		return status;
	return flush_members(store);
}
