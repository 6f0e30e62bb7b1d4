#include "persistence-service/rest/membership/channel_names.h"

#include "common/base/utf8.h"
#include "common/io/sql/bulk.h"
#include "common/wire/name.h"

/* --- words --------------------------------------------------------------- */
static bool is_punctuation(uint32_t point)
{
	return (point > 0x20 && point < '0') || (point > '9' && point < 'A') ||
	       (point > 'Z' && point < 'a') || (point > 'z' && point < 0x7f);
}

static bool separates_words(uint32_t point)
{
	return name_is_space(point) || is_punctuation(point);
}

size_t channel_names_next_word(struct span name, size_t at)
{
	bool separated = false;

	while (at < name.len) {
		size_t begin = at;
		bool separates = separates_words(utf8_next(name, &at));

		if (separated && !separates)
			return begin;
		separated = separated || separates;
	}
	return name.len;
}

static enum status insert_words(struct sql *sql, uint64_t conversation,
                                struct span name)
{
	static struct sql_bulk put = {
		.head = "INSERT INTO channel_words (words, conversation, place)"
			" VALUES ",
		.row = "(?,?,?)",
		.between = ",",
		.tail = " ON DUPLICATE KEY UPDATE words = VALUES(words)",
		.row_values = 3,
	};
	/* No more words than code points. */
	struct sql_value values[SQL_BULK_ROOM(NAME_MAX_POINTS, 3)];
	unsigned position = 0;
	size_t at = 0;

	do {
		struct sql_value *row = &values[(size_t)position * 3];

		row[0] = sql_bytes(span_make(name.data + at, name.len - at));
		row[1] = sql_number(conversation);
		row[2] = sql_number(position++);
		at = channel_names_next_word(name, at);
	} while (at < name.len);
	return sql_bulk_run(sql, &put, values, position);
}

static enum status delete_words(struct sql *sql, uint64_t conversation)
{
	struct sql_value value = sql_number(conversation);

	return sql_run(sql, "DELETE FROM channel_words WHERE conversation = ?",
	               &value, 1);
}

/* --- names --------------------------------------------------------------- */
static enum status write_name(struct sql *sql, const char *statement,
                              uint64_t conversation, struct span name)
{
	struct buf key CLEANUP(buf_free) = BUF(NAME_KEY_MAX);
	struct sql_value values[2];
	const char *why;

	if (!name_key(name, &key, &why))
		return ST_BROKEN;
	values[0] = sql_bytes(buf_span(&key));
	values[1] = sql_number(conversation);
	return sql_run(sql, statement, values, ARRAY_LEN(values));
}

enum status channel_names_claim(struct sql *sql, uint64_t conversation,
                                struct span name)
{
	enum status status =
		write_name(sql,
	                   "INSERT INTO channels"
	                   " (name_key, conversation) VALUES (?, ?)",
	                   conversation, name);

	return status == ST_OK ? insert_words(sql, conversation, name) : status;
}

enum status channel_names_change(struct sql *sql, uint64_t conversation,
                                 struct span name)
{
	enum status status = write_name(sql,
	                                "UPDATE channels SET name_key = ?"
	                                " WHERE conversation = ?",
	                                conversation, name);

	if (status == ST_OK)
		status = delete_words(sql, conversation);
	return status == ST_OK ? insert_words(sql, conversation, name) : status;
}

enum status channel_names_free(struct sql *sql, uint64_t conversation)
{
	struct sql_value value = sql_number(conversation);
	enum status status = sql_run(
		sql, "DELETE FROM channels WHERE conversation = ?", &value, 1);

	return status == ST_OK ? delete_words(sql, conversation) : status;
}
