#include "persistence-service/rest/read/entries.h"

#include "common/base/mem.h"

#include "persistence-service/sql_time.h"

#include <assert.h>

enum { BUFFER_KEPT_MAX = 256 * 1024 };

#define TEXTS_MAX ((size_t)ENTRIES_MAX * 64 * 1024) /* a TEXT column each */

static struct sql_bulk find_pairs = {
	.head = "SELECT " ENTRY_COLUMNS " FROM messages x FORCE INDEX (PRIMARY)"
		" WHERE (x.conversation, x.seq) IN (",
	.row = "(?,?)",
	.between = ",",
	.tail = ")",
	.row_values = 2,
};

struct entries *entries_create(void)
{
	struct entries *entries = mem_new(sizeof(*entries));

	entries->texts = BUF(TEXTS_MAX);
	entries->reactions = BUF(REACTIONS_JSON_MAX);
	return entries;
}

void entries_destroy(struct entries **entries)
{
	if (!*entries)
		return;
	buf_free(&(*entries)->texts);
	buf_free(&(*entries)->reactions);
	mem_free(entries);
}

/* The next page may be small for a long time: a large buffer is not kept. */
static void clear_or_free(struct buf *buf)
{
	if (buf->capacity > BUFFER_KEPT_MAX)
		buf_free(buf);
	buf_clear(buf);
}

void entries_clear(struct entries *entries)
{
	entries->count = 0;
	clear_or_free(&entries->texts);
	clear_or_free(&entries->reactions);
}

/* NULL becomes 0: not edited, not deleted. */
static bool read_time(const struct sql_value *value, uint64_t *ret_unix_ms)
{
	*ret_unix_ms = 0;
	return value->kind == SQL_NULL ||
	       sql_time_read(value->bytes, ret_unix_ms);
}

static bool read_entry(const struct sql_value *row,
                       struct saved_message *message)
{
	*message = (struct saved_message){
		.conversation = row[0].number,
		.seq = row[1].number,
		.id = row[2].number,
		.user_from = row[3].number,
		.kind = row[7].number == ENTRY_MEMBER ? ENTRY_MEMBER
	                                              : ENTRY_MESSAGE,
		.reply_to = row[8].number,
		.revision = row[9].number,
	};
	if (row[4].bytes.len != sizeof(message->uuid.byte))
		return false;
	memcpy(message->uuid.byte, row[4].bytes.data,
	       sizeof(message->uuid.byte));
	return read_time(&row[5], &message->created_at_ms) &&
	       read_time(&row[10], &message->edited_at_ms) &&
	       read_time(&row[11], &message->deleted_at_ms);
}

enum status entries_add(struct entries *entries, const struct sql_value *row)
{
	struct saved_message *message = &entries->message[entries->count];

	assert(entries->count < ENTRIES_MAX);
	if (!read_entry(row, message))
		return ST_BROKEN;
	entries->text_at[entries->count++] = entries->texts.len;
	/* A deleted message has no text, whatever its row holds. */
	if (message->deleted_at_ms)
		return ST_OK;
	message->message.len = row[6].bytes.len;
	buf_append(&entries->texts, row[6].bytes);
	return ST_OK;
}

enum status entry_pairs_run(struct sql_session *session, struct sql_bulk *bulk,
                            const struct entry_pair *pairs, unsigned count)
{
	struct sql_value values[SQL_BULK_ROOM(PAIRS_MAX, 2)];
	const char *text;
	unsigned filled;

	assert(count > 0 && count <= PAIRS_MAX);
	for (unsigned i = 0; i < count; i++) {
		values[2 * i] = sql_number(pairs[i].conversation);
		values[2 * i + 1] = sql_number(pairs[i].seq);
	}
	text = sql_bulk_fill(bulk, values, count, &filled);
	return sql_session_run(session, text, values, filled);
}

enum status entries_find(struct entries *entries, struct sql_session *session,
                         const struct entry_pair *pairs, unsigned count)
{
	struct sql_value row[ENTRY_COLUMN_COUNT];
	enum status status =
		entry_pairs_run(session, &find_pairs, pairs, count);

	while (status == ST_OK) {
		status = sql_session_fetch(session, row, ENTRY_COLUMN_COUNT);
		if (status == ST_OK)
			status = entries_add(entries, row);
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

struct saved_message *entries_get(struct entries *entries,
                                  uint64_t conversation, uint64_t seq)
{
	for (unsigned i = 0; i < entries->count; i++) {
		struct saved_message *message = &entries->message[i];

		if (message->conversation == conversation &&
		    message->seq == seq)
			return message;
	}
	return NULL;
}

enum status entries_resolve_spans(struct entries *entries)
{
	if (buf_overflowed(&entries->texts) ||
	    buf_overflowed(&entries->reactions))
		return ST_BROKEN;
	for (unsigned i = 0; i < entries->count; i++) {
		struct saved_message *message = &entries->message[i];

		if (message->message.len)
			message->message.data =
				entries->texts.data + entries->text_at[i];
		if (message->reactions.len)
			message->reactions.data = entries->reactions.data +
			                          entries->reactions_at[i];
	}
	return ST_OK;
}
