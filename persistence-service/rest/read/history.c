#include "persistence-service/rest/read/history.h"

#include "common/base/mem.h"
#include "persistence-service/rest/read/history_private.h"
#include "persistence-service/rest/read/reactions.h"

static const char list_conversations[] =
	"SELECT STRAIGHT_JOIN " SUMMARY_COLUMNS " FROM members m"
	" JOIN conversations c ON c.id = m.conversation"
	" WHERE m.user = ? AND c.last_message_id < ? AND c.last_message_id > 0"
	" AND c.deleted_at IS NULL"
	" ORDER BY c.last_message_id DESC LIMIT ?";
static const char find_conversation[] =
	"SELECT STRAIGHT_JOIN " SUMMARY_COLUMNS " FROM members m"
	" JOIN conversations c ON c.id = m.conversation"
	" WHERE m.user = ? AND m.conversation = ? AND c.deleted_at IS NULL";

struct history *history_create(const struct settings *settings)
{
	struct history *h = mem_new(sizeof(*h));

	h->session = sql_session_create(settings);
	h->entries = entries_create();
	h->frame = BUF(ENTRY_BYTES_MAX);
	summaries_clear(&h->all);
	return h;
}

void history_destroy(struct history **history)
{
	struct history *h = MOVE(*history);

	if (!h)
		return;
	sql_session_destroy(&h->session);
	entries_destroy(&h->entries);
	summaries_free(&h->all);
	buf_free(&h->frame);
	mem_free(&h);
}

struct sql_session *history_session(struct history *history)
{
	return history->session;
}

static enum status read_summaries(struct history *h, uint64_t user)
{
	struct sql_value row[SUMMARY_COLUMN_COUNT];
	enum status status = ST_OK;

	summaries_clear(&h->all);
	while (status == ST_OK) {
		status = sql_session_fetch(h->session, row,
		                           SUMMARY_COLUMN_COUNT);
		if (status == ST_OK)
			status = summaries_add(&h->all, user, row);
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

enum status history_find(struct history *h, uint64_t user,
                         uint64_t conversation)
{
	struct sql_value values[] = {sql_number(user),
	                             sql_number(conversation)};
	enum status status = sql_session_run(h->session, find_conversation,
	                                     values, ARRAY_LEN(values));

	if (status == ST_OK)
		status = read_summaries(h, user);
	if (status == ST_OK && h->all.count == 0)
		return ST_NOT_FOUND;
	return status;
}

/* --- answers ------------------------------------------------------------- */
enum status history_complete_entries(struct history *h, size_t bytes_max)
{
	enum status status = reactions_read(h->entries, h->session, bytes_max);

	return status == ST_OK ? entries_resolve_spans(h->entries) : status;
}

struct span history_frame(struct history *h, uint64_t user,
                          const struct summary *summary,
                          struct saved_message *message)
{
	if (summary->kind == KIND_DIRECT)
		message->user_to =
			message->user_from == user ? summary->with : user;
	buf_clear(&h->frame);
	frame_message(&h->frame, message);
	return buf_span(&h->frame);
}

void history_write_next(struct json_writer *w, bool more, uint64_t next)
{
	if (more)
		json_number(w, "next", next);
	else
		json_null(w, "next");
}

static enum status find_last_entries(struct history *h,
                                     const struct summary *summaries,
                                     unsigned count)
{
	struct entry_pair pairs[PAIRS_MAX];
	enum status status;

	for (unsigned i = 0; i < count; i++)
		pairs[i] = (struct entry_pair){summaries[i].conversation,
		                               summaries[i].last_seq};
	entries_clear(h->entries);
	status = entries_find(h->entries, h->session, pairs, count);
	if (status != ST_OK)
		return status;
	return history_complete_entries(h, SIZE_MAX);
}

static void write_summary(struct history *h, uint64_t user,
                          const struct summary *summary, struct json_writer *w)
{
	struct saved_message *last = entries_get(
		h->entries, summary->conversation, summary->last_seq);
	struct span frame = SPAN_NONE;

	if (last && last->seq > summary->from_seq &&
	    w->buf->len < LAST_MESSAGES_MAX)
		frame = history_frame(h, user, summary, last);
	summary_write(&h->all, summary, frame, w);
}

enum status history_write_summaries(struct history *h, uint64_t user,
                                    const struct summary *summaries,
                                    unsigned count, struct json_writer *w)
{
	enum status status = ST_OK;

	for (unsigned at = 0; at < count && status == ST_OK;) {
		unsigned end = count - at > PAIRS_MAX ? at + PAIRS_MAX : count;

		status = find_last_entries(h, &summaries[at], end - at);
		for (; at < end && status == ST_OK; at++)
			write_summary(h, user, &summaries[at], w);
	}
	return status;
}

/* --- conversations ------------------------------------------------------- */
enum status history_conversations(struct history *h, uint64_t user,
                                  uint64_t before, unsigned limit,
                                  struct buf *ret_json)
{
	struct sql_value values[] = {sql_number(user), sql_number(before),
	                             sql_number(limit + 1)};
	struct json_writer w = json_writer(ret_json);
	unsigned count, written = 0;
	enum status status = sql_session_run(h->session, list_conversations,
	                                     values, ARRAY_LEN(values));

	if (status == ST_OK)
		status = read_summaries(h, user);
	if (status != ST_OK)
		return status;
	count = h->all.count < limit ? h->all.count : limit;
	json_open(&w);
	json_open_array(&w, "conversations");
	while (written < count && status == ST_OK &&
	       ret_json->len <= PAGE_BYTES_MAX) {
		unsigned group = count - written;

		if (group > PAIRS_MAX)
			group = PAIRS_MAX;
		status = history_write_summaries(h, user, &h->all.item[written],
		                                 group, &w);
		written += group;
	}
	json_close_array(&w);
	history_write_next(&w, h->all.count > written,
	                   written ? h->all.item[written - 1].last_message_id
	                           : 0);
	json_close(&w);
	return status;
}

enum status history_conversation(struct history *h, uint64_t user,
                                 uint64_t conversation, struct buf *ret_json)
{
	struct json_writer w = json_writer(ret_json);
	enum status status = history_find(h, user, conversation);

	if (status != ST_OK)
		return status;
	return history_write_summaries(h, user, h->all.item, 1, &w);
}
