/*
 * The search of channels.
 *
 * A search scans the index by_words from the first match on. A channel is
 * listed at its first match only; later matches are skipped, so that it appears
 * once over all pages. A search without a text scans the unique names.
 */
#include "common/base/json_write.h"
#include "common/base/utf8.h"
#include "common/io/json.h"
#include "common/io/unicode.h"
#include "persistence-service/rest/membership/channel_names.h"

#include <string.h>

enum { COLUMNS = 5 };

#define WITH_DETAILS(found) \
	"SELECT w.conversation, c.name, c.member_count, m.user IS NOT NULL," \
	" w.place FROM (" found ") w" \
	" JOIN conversations c ON c.id = w.conversation" \
	" LEFT JOIN members m ON m.user = ?" \
	" AND m.conversation = w.conversation" \
	" ORDER BY w.place, w.conversation"

static const char list_channels[] = WITH_DETAILS(
	"SELECT f.conversation, f.name_key AS place FROM channels f"
	" FORCE INDEX (by_name_key) WHERE f.name_key > ?"
	" ORDER BY f.name_key LIMIT ?");
/* The words that begin with the text: from the text on, below the end. */
static const char find_channels[] = WITH_DETAILS(
	"SELECT f.conversation, f.words AS place FROM channel_search f"
	" FORCE INDEX (by_words) WHERE f.words >= ? AND f.words < ?"
	" AND (f.words > ? OR f.conversation > ?)"
	" AND NOT EXISTS (SELECT 1 FROM channel_search e"
	" WHERE e.conversation = f.conversation"
	" AND e.words >= ? AND e.words < ?"
	" AND (e.words < f.words"
	" OR (e.words = f.words AND e.place < f.place)))"
	" ORDER BY f.words, f.conversation LIMIT ?");

/* --- cursors: "17-67656e6572616c", an id and a position in the index ----- */
static unsigned nibble(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = memchr(digits, c, sizeof(digits) - 1);

	return at ? (unsigned)(at - digits) : 16;
}

static bool read_position(struct span hex, struct buf *ret_position)
{
	for (size_t i = 0; i + 1 < hex.len; i += 2) {
		unsigned high = nibble(hex.data[i]);
		unsigned low = nibble(hex.data[i + 1]);

		if (high > 15 || low > 15)
			return false;
		buf_byte(ret_position, (char)(high << 4 | low));
	}
	return hex.len && hex.len % 2 == 0 &&
	       utf8_valid(buf_span(ret_position)) &&
	       !buf_overflowed(ret_position);
}

static bool read_cursor(struct span text, uint64_t *ret_conversation,
                        struct buf *ret_position)
{
	struct span position;
	struct span id = span_cut(text, '-', &position);

	*ret_conversation = 0;
	if (text.len == 0)
		return true;
	return span_to_u64(id, JSON_ID_MAX, ret_conversation) &&
	       read_position(position, ret_position);
}

static void write_cursor(struct buf *out, uint64_t conversation,
                         struct span position)
{
	buf_clear(out);
	buf_number(out, conversation);
	buf_byte(out, '-');
	for (size_t i = 0; i < position.len; i++)
		buf_format(out, "%02x", (unsigned char)position.data[i]);
}

/* --- the search ---------------------------------------------------------- */
static enum status list_all(struct sql_session *session,
                            const struct channel_search *search,
                            struct span after)
{
	struct sql_value values[] = {sql_bytes(after),
	                             sql_number(search->limit + 1),
	                             sql_number(search->user)};

	return sql_session_run(session, list_channels, values,
	                       ARRAY_LEN(values));
}

static bool is_before(struct span a, struct span b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len ? memcmp(a.data, b.data, len) : 0;

	return order < 0 || (order == 0 && a.len < b.len);
}

/* No UTF-8 has a byte of 0xff. */
static enum status find(struct sql_session *session,
                        const struct channel_search *search, struct span text,
                        struct span after, uint64_t conversation)
{
	struct buf end CLEANUP(buf_free) = BUF(NAME_KEY_MAX + 1);
	struct sql_value first = sql_bytes(text), position, last;

	buf_append(&end, text);
	buf_byte(&end, '\xff');
	last = sql_bytes(buf_span(&end));
	if (is_before(after, text)) {
		after = text;
		conversation = 0;
	}
	position = sql_bytes(after);
	return sql_session_run(
		session, find_channels,
		(struct sql_value[]){position, last, position,
	                             sql_number(conversation), first, last,
	                             sql_number(search->limit + 1),
	                             sql_number(search->user)},
		8);
}

static enum status write_channels(struct sql_session *session,
                                  const struct channel_search *search,
                                  struct json_writer *w)
{
	struct buf cursor CLEANUP(buf_free) = BUF(CHANNEL_CURSOR_MAX);
	struct sql_value row[COLUMNS];
	enum status status = ST_OK;
	unsigned count = 0;

	json_open_array(w, "channels");
	while (status == ST_OK) {
		status = sql_session_fetch(session, row, COLUMNS);
		if (status != ST_OK || count++ >= search->limit)
			continue;
		json_open_object(w, NULL);
		json_number(w, "id", row[0].number);
		json_text(w, "name", row[1].bytes);
		json_number(w, "members", row[2].number);
		json_bool(w, "joined", row[3].number != 0);
		json_close(w);
		write_cursor(&cursor, row[0].number, row[4].bytes);
	}
	json_close_array(w);
	if (count > search->limit)
		json_text(w, "next", buf_span(&cursor));
	else
		json_null(w, "next");
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static void write_none(struct buf *ret_json)
{
	buf_append(ret_json, SPAN("{\"channels\":[],\"next\":null}"));
}

static enum status write_found(struct sql_session *session,
                               const struct channel_search *search,
                               struct buf *ret_json)
{
	struct json_writer w = json_writer(ret_json);
	enum status status;

	json_open(&w);
	status = write_channels(session, search, &w);
	json_close(&w);
	return status;
}

enum status channel_names_search(struct sql_session *session,
                                 const struct channel_search *search,
                                 struct buf *ret_json)
{
	struct buf position CLEANUP(buf_free) = BUF(NAME_KEY_MAX);
	struct buf text CLEANUP(buf_free) = BUF(NAME_KEY_MAX);
	struct span after = SPAN("");
	enum status status;
	uint64_t id;

	if (!read_cursor(search->after, &id, &position))
		return ST_INVALID;
	if (position.len)
		after = buf_span(&position);
	if (unicode_search_key(search->text, &text) != ST_OK ||
	    (search->text.len && text.len == 0)) {
		/* No name has it: nothing but accents, or too long. */
		write_none(ret_json);
		return ST_OK;
	}
	status = text.len ? find(session, search, buf_span(&text), after, id)
	                  : list_all(session, search, after);
	return status == ST_OK ? write_found(session, search, ret_json)
	                       : status;
}
