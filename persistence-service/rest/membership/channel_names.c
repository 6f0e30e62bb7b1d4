#include "persistence-service/rest/membership/channel_names.h"

#include "common/base/utf8.h"
#include "common/io/sql/bulk.h"
#include "common/io/unicode.h"
#include "common/wire/name.h"

#include <string.h>

/* --- words --------------------------------------------------------------- */
static bool is_punctuation(uint32_t point)
{
	return (point > 0x20 && point < '0') || (point > '9' && point < 'A') ||
	       (point > 'Z' && point < 'a') || (point > 'z' && point < 0x7f);
}

static bool separates_words(uint32_t point)
{
	return unicode_is_space(point) || is_punctuation(point);
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

/* A separator follows each word but the last. */
enum { WORDS_MAX = NAME_MAX_POINTS / 2 + 1 };

struct words {
	struct buf keys; /* one behind the other */
	size_t end[WORDS_MAX];
	unsigned count;
};

static void words_free(struct words *words)
{
	buf_free(&words->keys);
}

static enum status split_words(struct span name, struct words *words)
{
	size_t at = 0;

	do {
		struct span rest = span_make(name.data + at, name.len - at);

		if (words->count == WORDS_MAX ||
		    unicode_search_key(rest, &words->keys) != ST_OK)
			return ST_BROKEN;
		words->end[words->count++] = words->keys.len;
		at = channel_names_next_word(name, at);
	} while (at < name.len);
	return ST_OK;
}

static enum status insert_words(struct sql *sql, uint64_t conversation,
                                struct span name)
{
	static struct sql_bulk put = {
		.head = "INSERT INTO channel_search (words, conversation,"
			" place) VALUES ",
		.row = "(?,?,?)",
		.between = ",",
		.tail = " ON DUPLICATE KEY UPDATE words = VALUES(words)",
		.row_values = 3,
	};
	struct words words CLEANUP(words_free) = {
		.keys = BUF(WORDS_MAX * NAME_KEY_MAX)};
	struct sql_value values[SQL_BULK_ROOM(WORDS_MAX, 3)];
	enum status status = split_words(name, &words);
	size_t begin = 0;

	if (status != ST_OK)
		return status;
	for (unsigned i = 0; i < words.count; i++) {
		struct sql_value *row = &values[(size_t)i * 3];

		row[0] = sql_bytes(span_make(words.keys.data + begin,
		                             words.end[i] - begin));
		row[1] = sql_number(conversation);
		row[2] = sql_number(i);
		begin = words.end[i];
	}
	return sql_bulk_run(sql, &put, values, words.count);
}

static enum status delete_words(struct sql *sql, uint64_t conversation)
{
	struct sql_value value = sql_number(conversation);

	return sql_run(sql, "DELETE FROM channel_search WHERE conversation = ?",
	               &value, 1);
}

/* --- names --------------------------------------------------------------- */
static enum status write_name(struct sql *sql, const char *statement,
                              uint64_t conversation, struct span name)
{
	struct buf key CLEANUP(buf_free) = BUF(NAME_KEY_MAX);
	struct sql_value values[3];

	if (name_key(name, &key) != ST_OK)
		return ST_BROKEN;
	values[0] = values[1] = sql_bytes(buf_span(&key));
	values[2] = sql_number(conversation);
	return sql_run(sql, statement, values, ARRAY_LEN(values));
}

enum status channel_names_claim(struct sql *sql, uint64_t conversation,
                                struct span name)
{
	enum status status =
		write_name(sql,
	                   "INSERT INTO channels"
	                   " (name_key, searched_key, conversation)"
	                   " VALUES (?, ?, ?)",
	                   conversation, name);

	return status == ST_OK ? insert_words(sql, conversation, name) : status;
}

enum status channel_names_replace_words(struct sql *sql, uint64_t conversation,
                                        struct span name)
{
	enum status status = delete_words(sql, conversation);

	return status == ST_OK ? insert_words(sql, conversation, name) : status;
}

enum status channel_names_change(struct sql *sql, uint64_t conversation,
                                 struct span name)
{
	enum status status = write_name(sql,
	                                "UPDATE channels SET name_key = ?,"
	                                " searched_key = ?"
	                                " WHERE conversation = ?",
	                                conversation, name);

	if (status != ST_OK)
		return status;
	return channel_names_replace_words(sql, conversation, name);
}

enum status channel_names_free(struct sql *sql, uint64_t conversation)
{
	struct sql_value value = sql_number(conversation);
	enum status status = sql_run(
		sql, "DELETE FROM channels WHERE conversation = ?", &value, 1);

	return status == ST_OK ? delete_words(sql, conversation) : status;
}
