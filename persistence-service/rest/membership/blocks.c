#define _GNU_SOURCE
#include "persistence-service/rest/membership/blocks.h"

#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/service/log.h"
#include "common/wire/save_record.h"
#include "persistence-service/outbox.h"
#include "persistence-service/rest/membership/user_lock.h"
#include "persistence-service/sql_time.h"

#include <unistd.h>

enum {
	TRIES = 3,
	POLL_EVERY_US = 2000,
	PUBLISH_WAIT_MS = 2000,
	RECORD_MAX = 1024,
};

static const char put_block[] =
	"INSERT INTO blocks (user, blocked, created_at) VALUES (?,?,?)"
	" ON DUPLICATE KEY UPDATE blocked = blocked";
static const char remove_block[] =
	"DELETE FROM blocks WHERE user = ? AND blocked = ?";
static const char count_blocks[] = "SELECT COUNT(*) FROM blocks WHERE user = ?";
static const char find_record[] = "SELECT id FROM outbox WHERE id = ?";
static const char list_blocks[] =
	"SELECT blocked, created_at FROM blocks"
	" WHERE user = ? AND blocked > ? ORDER BY blocked LIMIT ?";

struct block_change {
	const struct block *block;
	unsigned max; /* blocks of the user; 0: the block is removed */
	uint64_t now_ms;
	uint64_t record; /* its id in the outbox */
};

/* --- the transaction ----------------------------------------------------- */
static enum status check_count(struct sql *sql,
                               const struct block_change *change)
{
	struct sql_value user = sql_number(change->block->user);
	struct sql_value count;
	enum status status = sql_run(sql, count_blocks, &user, 1);

	if (status == ST_OK)
		status = sql_fetch(sql, &count, 1);
	if (status == ST_OK && count.number > change->max)
		return ST_TOO_LARGE;
	return status;
}

static enum status write_block(struct sql *sql,
                               const struct block_change *change)
{
	struct sql_time now = sql_time_of(change->now_ms);
	struct sql_value values[] = {
		sql_number(change->block->user),
		sql_number(change->block->blocked),
		sql_bytes(span_make(now.text, SQL_TIME_LEN)),
	};
	enum status status;

	if (!change->max)
		return sql_run(sql, remove_block, values, 2);
	status = user_lock_take(sql, &change->block->user, 1);
	if (status == ST_OK)
		status = sql_run(sql, put_block, values, 3);
	/* An existing block does not count again. */
	if (status == ST_OK && sql_affected(sql) == 1)
		status = check_count(sql, change);
	return status;
}

static enum status put_outbox_record(struct sql *sql,
                                     struct block_change *change)
{
	struct save_record record = {
		.kind = SAVE_BLOCKED,
		.sender = change->block->user,
		.user_to = change->block->blocked,
		.sent_at_ms = change->now_ms,
	};
	struct buf key CLEANUP(buf_free) = BUF(CONVERSATION_KEY_MAX);
	struct buf body CLEANUP(buf_free) = BUF(RECORD_MAX);
	enum status status;

	save_record_key(&record, &key);
	save_record_encode(&record, &body);
	status = outbox_put(sql, &(struct outbox_row){
					 .kind = OUTBOX_SAVE,
					 .target = buf_span(&key),
					 .body = buf_span(&body),
				 });
	change->record = sql_insert_id(sql);
	return status;
}

/*
 * Writes the record also when nothing changes: an earlier request may have
 * given up waiting for its record.
 */
static enum status write_change(struct sql_session *session,
                                struct block_change *change)
{
	struct sql *sql = sql_session_connection(session);
	enum status status = sql_session_connect(session);

	if (status == ST_OK)
		status = sql_begin(sql);
	if (status == ST_OK)
		status = write_block(sql, change);
	if (status == ST_OK)
		status = put_outbox_record(sql, change);
	/* Whatever a commit reports, it may have been executed. */
	if (status == ST_OK && sql_commit(sql) != ST_OK)
		status = ST_UNCERTAIN;
	if (status != ST_OK)
		sql_rollback(sql);
	return status == ST_CONFLICT ? ST_UNAVAILABLE : status;
}

/* --- waiting for the log ------------------------------------------------- */
static enum status is_published(struct sql_session *session, uint64_t record)
{
	struct sql_value value = sql_number(record);
	struct sql_value row;
	enum status status = sql_session_run(session, find_record, &value, 1);

	if (status == ST_OK)
		status = sql_session_fetch(session, &row, 1);
	return status;
}

/* *ret_why stays NULL when the database failed. */
static enum status wait_until_published(struct sql_session *session,
                                        uint64_t record, const char **ret_why)
{
	uint64_t deadline_ms = clock_mono_ms() + PUBLISH_WAIT_MS;
	enum status status;

	while ((status = is_published(session, record)) == ST_OK) {
		if (clock_mono_ms() >= deadline_ms) {
			*ret_why = "Kafka has not confirmed the record";
			return ST_UNCERTAIN;
		}
		(void)usleep(POLL_EVERY_US);
	}
	return status == ST_NOT_FOUND ? ST_OK : ST_UNCERTAIN;
}

static enum status make_change(struct sql_session *session,
                               struct block_change *change)
{
	enum status status = ST_UNAVAILABLE;
	const char *why = NULL;

	change->now_ms = clock_unix_ms();
	for (unsigned i = 0; i < TRIES && status == ST_UNAVAILABLE; i++)
		status = write_change(session, change);
	if (status == ST_OK) {
		outbox_publisher_wake(change->block->outbox_publisher);
		status = wait_until_published(session, change->record, &why);
	}
	if (status != ST_OK && status != ST_TOO_LARGE)
		log_event(LOG_WARN, "blocks.failed",
		          F_TEXT("status", status_text(status)),
		          F_TEXT("why", why ? why
		                            : sql_error(sql_session_connection(
						      session))));
	return status;
}

enum status blocks_put(struct sql_session *session, const struct block *block,
                       unsigned max)
{
	struct block_change change = {.block = block, .max = max};

	return make_change(session, &change);
}

enum status blocks_remove(struct sql_session *session,
                          const struct block *block)
{
	struct block_change change = {.block = block};

	return make_change(session, &change);
}

/* --- the pairs of a deleted user ----------------------------------------- */
static const char list_pairs[] =
	"SELECT o.user FROM members m"
	" JOIN conversations c ON c.id = m.conversation AND c.kind = 1"
	" JOIN members o ON o.conversation = m.conversation AND o.user <> "
	"m.user"
	" LEFT JOIN blocks b ON b.user = m.user AND b.blocked = o.user"
	" WHERE m.user = ? AND b.user IS NULL ORDER BY o.user LIMIT ?";

static enum status read_pairs(struct sql *sql, uint64_t user,
                              uint64_t others[BLOCKS_PAIRS_MAX],
                              unsigned *ret_count)
{
	const struct sql_value values[] = {sql_number(user),
	                                   sql_number(BLOCKS_PAIRS_MAX)};
	struct sql_value row;
	enum status status =
		sql_run(sql, list_pairs, values, ARRAY_LEN(values));

	*ret_count = 0;
	while (status == ST_OK) {
		status = sql_fetch(sql, &row, 1);
		if (status == ST_OK)
			others[(*ret_count)++] = row.number;
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static enum status put_pair(struct sql *sql, uint64_t user, uint64_t other)
{
	const struct block block = {.user = user, .blocked = other};
	struct block_change change = {.block = &block,
	                              .now_ms = clock_unix_ms()};
	struct sql_time now = sql_time_of(change.now_ms);
	const struct sql_value values[] = {
		sql_number(user), sql_number(other),
		sql_bytes(span_make(now.text, SQL_TIME_LEN))};
	enum status status = sql_run(sql, put_block, values, ARRAY_LEN(values));

	return status == ST_OK ? put_outbox_record(sql, &change) : status;
}

/* Two instances may do the same: one of them may be rolled back. */
enum status blocks_put_pairs(struct sql_session *session, uint64_t user,
                             unsigned *ret_count)
{
	struct sql *sql = sql_session_connection(session);
	uint64_t others[BLOCKS_PAIRS_MAX];
	enum status status = sql_session_connect(session);

	*ret_count = 0;
	if (status == ST_OK)
		status = sql_begin(sql);
	if (status == ST_OK)
		status = read_pairs(sql, user, others, ret_count);
	for (unsigned i = 0; status == ST_OK && i < *ret_count; i++)
		status = put_pair(sql, user, others[i]);
	if (status == ST_OK)
		status = sql_commit(sql);
	if (status != ST_OK)
		sql_rollback(sql);
	return status;
}

/* --- the list ------------------------------------------------------------ */
static enum status write_rows(struct sql_session *session,
                              struct json_writer *w, unsigned limit,
                              bool *ret_more, uint64_t *ret_last)
{
	struct sql_value row[2];
	uint64_t at_ms;
	unsigned count = 0;
	enum status status;

	while ((status = sql_session_fetch(session, row, 2)) == ST_OK) {
		*ret_more = count++ == limit;
		if (*ret_more)
			break;
		if (!sql_time_read(row[1].bytes, &at_ms))
			return ST_BROKEN;
		*ret_last = row[0].number;
		json_open_object(w, NULL);
		json_number(w, "user", *ret_last);
		json_time(w, "created_at", at_ms);
		json_close(w);
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

enum status blocks_list(struct sql_session *session, uint64_t user,
                        uint64_t after, unsigned limit, struct buf *ret_json)
{
	struct sql_value values[] = {sql_number(user), sql_number(after),
	                             sql_number(limit + 1)};
	struct json_writer w = json_writer(ret_json);
	bool more = false;
	uint64_t last = 0;
	enum status status = sql_session_run(session, list_blocks, values,
	                                     ARRAY_LEN(values));

	if (status != ST_OK)
		return status;
	json_open(&w);
	json_open_array(&w, "blocks");
	status = write_rows(session, &w, limit, &more, &last);
	json_close_array(&w);
	if (more)
		json_number(&w, "next", last);
	else
		json_null(&w, "next");
	json_close(&w);
	return status;
}
