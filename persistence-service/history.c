#include "persistence-service/history.h"

#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "common/service/log.h"
#include "common/wire/frame.h"
#include "persistence-service/pair.h"
#include "persistence-service/sql_time.h"

enum { RECONNECT_MS = 500, TRIES = 2 };

struct history {
	struct sql *sql;
	uint64_t connect_due_ms;
	/* A page's frames in the order in which they were read. */
	struct buf frames;
	struct span frame[PAGE_MAX];
};

static const char list_conversations[] =
	"SELECT t.id, t.ckey, t.last_seq, t.read_seq,"
	" x.seq, x.id, x.sender, x.uuid, x.created_at, x.body"
	" FROM (SELECT c.id, c.ckey, c.last_seq, m.read_seq, c.last_message_id"
	" FROM members m JOIN conversations c ON c.id = m.conversation"
	" WHERE m.user = ? AND c.last_message_id < ? AND c.last_message_id > 0"
	" ORDER BY c.last_message_id DESC LIMIT ?) t"
	" JOIN messages x ON x.conversation = t.id AND x.seq = t.last_seq"
	" ORDER BY t.last_message_id DESC";
static const char find_membership[] =
	"SELECT c.ckey FROM members m"
	" JOIN conversations c ON c.id = m.conversation"
	" WHERE m.user = ? AND m.conversation = ?";
static const char messages_after[] =
	"SELECT seq, id, sender, uuid, created_at, body FROM messages"
	" WHERE conversation = ? AND seq > ? ORDER BY seq LIMIT ?";
static const char messages_before[] =
	"SELECT seq, id, sender, uuid, created_at, body FROM messages"
	" WHERE conversation = ? AND seq < ? ORDER BY seq DESC LIMIT ?";

enum { MESSAGE_COLUMNS = 6, LIST_COLUMNS = 4 + MESSAGE_COLUMNS };

#define FRAMES_MAX ((size_t)PAGE_MAX * FRAME_OUT_MAX)

struct history *history_create(const struct settings *settings)
{
	struct history *h = mem_new(sizeof(*h));

	h->sql = settings_sql(settings);
	h->frames = BUF(FRAMES_MAX);
	return h;
}

void history_destroy(struct history **history)
{
	if (!*history)
		return;
	sql_destroy(&(*history)->sql);
	buf_free(&(*history)->frames);
	mem_free(history);
}

static bool read_message(const struct sql_value *row, uint64_t conversation,
                         const struct pair *pair, struct saved_message *message)
{
	*message = (struct saved_message){
		.conversation = conversation,
		.seq = row[0].number,
		.id = row[1].number,
		.user_from = row[2].number,
		.user_to = pair_other(pair, row[2].number),
		.message = row[5].bytes,
	};
	if (row[3].bytes.len != sizeof(message->uuid.byte) ||
	    !sql_time_read(row[4].bytes, &message->created_at_ms))
		return false;
	memcpy(message->uuid.byte, row[3].bytes.data,
	       sizeof(message->uuid.byte));
	return true;
}

/* --- running a read ------------------------------------------------------ */
static enum status connect(struct history *h)
{
	uint64_t now_ms = clock_mono_ms();

	if (sql_connected(h->sql))
		return ST_OK;
	if (now_ms < h->connect_due_ms)
		return ST_UNAVAILABLE;
	h->connect_due_ms = now_ms + RECONNECT_MS;
	return sql_connect(h->sql);
}

/* Reading twice is harmless: a connection may have died while it was idle. */
static enum status run(struct history *h, const char *statement,
                       const struct sql_value *values, unsigned count)
{
	enum status status = ST_UNAVAILABLE;

	for (unsigned i = 0; i < TRIES; i++) {
		status = connect(h);
		if (status == ST_OK)
			status = sql_run(h->sql, statement, values, count);
		if (status != ST_UNAVAILABLE)
			break;
	}
	if (status == ST_OK)
		return ST_OK;
	log_event(LOG_WARN, "history.failed",
	          F_TEXT("status", status_text(status)),
	          F_TEXT("why", sql_error(h->sql)));
	return ST_UNAVAILABLE;
}

/* --- conversations ------------------------------------------------------- */
static void write_last_message(struct json_writer *w, struct buf *frame,
                               const struct saved_message *message)
{
	buf_clear(frame);
	frame_message(frame, message);
	json_raw(w, "last_message", buf_span(frame));
}

static enum status write_conversation(struct history *h, struct json_writer *w,
                                      uint64_t user,
                                      const struct sql_value *row,
                                      uint64_t *ret_cursor)
{
	uint64_t last_seq = row[2].number, read_seq = row[3].number;
	struct saved_message message;
	struct pair pair;

	if (!pair_read(row[1].bytes, &pair) ||
	    !read_message(&row[4], row[0].number, &pair, &message))
		return ST_BROKEN;
	json_open_object(w, NULL);
	json_number(w, "id", row[0].number);
	json_text(w, "kind", SPAN("direct"));
	json_null(w, "name");
	json_open_object(w, "with");
	json_number(w, "id", pair_other(&pair, user));
	json_close(w);
	json_number(w, "last_seq", last_seq);
	json_number(w, "read_seq", read_seq);
	json_number(w, "unread", last_seq > read_seq ? last_seq - read_seq : 0);
	write_last_message(w, &h->frames, &message);
	json_close(w);
	*ret_cursor = message.id;
	return ST_OK;
}

static void write_next(struct json_writer *w, bool more, uint64_t next)
{
	if (more)
		json_number(w, "next", next);
	else
		json_null(w, "next");
}

enum status history_conversations(struct history *h, uint64_t user,
                                  uint64_t before, unsigned limit,
                                  struct buf *ret_json)
{
	struct sql_value values[] = {sql_number(user), sql_number(before),
	                             sql_number(limit + 1)};
	struct sql_value row[LIST_COLUMNS];
	struct json_writer w = json_writer(ret_json);
	uint64_t cursor = 0;
	unsigned count = 0;
	enum status status =
		run(h, list_conversations, values, ARRAY_LEN(values));

	json_open(&w);
	json_open_array(&w, "conversations");
	while (status == ST_OK) {
		status = sql_fetch(h->sql, row, LIST_COLUMNS);
		if (status == ST_OK && count++ < limit)
			status = write_conversation(h, &w, user, row, &cursor);
	}
	json_close_array(&w);
	write_next(&w, count > limit, cursor);
	json_close(&w);
	return status == ST_NOT_FOUND ? ST_OK : status;
}

/* --- messages ------------------------------------------------------------ */
static enum status find_pair(struct history *h, uint64_t user,
                             uint64_t conversation, struct pair *ret_pair)
{
	struct sql_value values[] = {sql_number(user),
	                             sql_number(conversation)};
	struct sql_value row;
	enum status status = run(h, find_membership, values, ARRAY_LEN(values));

	if (status == ST_OK)
		status = sql_fetch(h->sql, &row, 1);
	if (status != ST_OK)
		return status;
	return pair_read(row.bytes, ret_pair) ? ST_OK : ST_BROKEN;
}

/* Frames lie one behind the other; only their lengths are known meanwhile. */
static enum status read_frames(struct history *h, const struct pair *pair,
                               const struct history_page *page,
                               unsigned *ret_count, bool *ret_more,
                               uint64_t *ret_last_seq)
{
	struct sql_value row[MESSAGE_COLUMNS];
	struct saved_message message;
	enum status status;
	unsigned count = 0;
	size_t before;

	*ret_more = false;
	buf_clear(&h->frames);
	while ((status = sql_fetch(h->sql, row, MESSAGE_COLUMNS)) == ST_OK) {
		if (count == page->limit) {
			*ret_more = true;
			continue;
		}
		if (!read_message(row, page->conversation, pair, &message))
			return ST_BROKEN;
		before = h->frames.len;
		frame_message(&h->frames, &message);
		h->frame[count++].len = h->frames.len - before;
		*ret_last_seq = message.seq;
	}
	*ret_count = count;
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static void write_frames(struct history *h, struct json_writer *w,
                         unsigned count, bool backwards)
{
	const char *at = h->frames.data;

	for (unsigned i = 0; i < count; i++) {
		h->frame[i].data = at;
		at += h->frame[i].len;
	}
	json_open_array(w, "messages");
	for (unsigned i = 0; i < count; i++)
		json_raw(w, NULL, h->frame[backwards ? count - 1 - i : i]);
	json_close_array(w);
}

enum status history_messages(struct history *h, uint64_t user,
                             const struct history_page *page,
                             struct buf *ret_json)
{
	struct sql_value values[] = {sql_number(page->conversation),
	                             sql_number(page->seq),
	                             sql_number(page->limit + 1)};
	struct json_writer w = json_writer(ret_json);
	struct pair pair;
	unsigned count;
	uint64_t last_seq = 0;
	bool more;
	enum status status = find_pair(h, user, page->conversation, &pair);

	if (status == ST_OK)
		status = run(h,
		             page->backwards ? messages_before : messages_after,
		             values, ARRAY_LEN(values));
	if (status == ST_OK)
		status = read_frames(h, &pair, page, &count, &more, &last_seq);
	if (status != ST_OK)
		return status;
	json_open(&w);
	write_frames(h, &w, count, page->backwards);
	write_next(&w, more, last_seq);
	json_close(&w);
	return ST_OK;
}
