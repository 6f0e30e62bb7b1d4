/*
 * The search of channels.
 *
 * A search scans the index by_words from the first match on. A channel is
 * listed at its first match only; later matches are skipped, so that it appears
 * once over all pages. A search without a text scans the unique names.
 *
 * A user may own a thousand channels whose names repeat one word: nearly all of
 * their matches are later ones. So a page ends after CHANNEL_SEARCH_ROWS_MAX
 * matches, whatever it has found.
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
/* What follows a position, below the end of the text's matches. */
#define MATCHES \
	" FROM channel_search f FORCE INDEX (by_words)" \
	" WHERE ((f.words = ? AND f.conversation > ?)" \
	" OR (f.words > ? AND f.words < ?))"
#define IN_ORDER " ORDER BY f.words, f.conversation"

static const char find_last_row[] =
	"SELECT f.conversation, f.words" MATCHES IN_ORDER " LIMIT 1 OFFSET ?";
/* Matches up to the last row of the page, each channel's first one only. */
static const char find_channels[] = WITH_DETAILS(
	"SELECT f.conversation, f.words AS place" MATCHES
	" AND (f.words < ? OR (f.words = ? AND f.conversation <= ?))"
	" AND NOT EXISTS (SELECT 1 FROM channel_search e"
	" WHERE e.conversation = f.conversation"
	" AND e.words >= ? AND e.words < ?"
	" AND (e.words < f.words"
	" OR (e.words = f.words AND e.place < f.place)))" IN_ORDER " LIMIT ?");

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

/* The part of the index that one page covers. */
struct scan {
	struct buf words; /* of the last row */
	uint64_t conversation;
	bool cut; /* further rows may match */
};

static void scan_free(struct scan *scan)
{
	buf_free(&scan->words);
}

/* Without CHANNEL_SEARCH_ROWS_MAX rows the page covers all. */
static enum status find_end(struct sql_session *session,
                            const struct sql_value matches[4],
                            struct span above, struct scan *scan)
{
	struct sql_value row[2];
	const struct sql_value values[] = {
		matches[0], matches[1], matches[2], matches[3],
		sql_number(CHANNEL_SEARCH_ROWS_MAX - 1)};
	enum status status = sql_session_run(session, find_last_row, values,
	                                     ARRAY_LEN(values));

	if (status == ST_OK)
		status = sql_session_fetch(session, row, ARRAY_LEN(row));
	scan->cut = status == ST_OK;
	if (status == ST_OK)
		scan->conversation = row[0].number;
	if (status == ST_OK || status == ST_NOT_FOUND)
		buf_append(&scan->words, scan->cut ? row[1].bytes : above);
	return status == ST_NOT_FOUND ? ST_OK : status;
}

/* No UTF-8 has a byte of 0xff. */
static enum status find(struct sql_session *session,
                        const struct channel_search *search, struct span text,
                        struct span after, uint64_t conversation,
                        struct scan *scan)
{
	struct buf above CLEANUP(buf_free) = BUF(NAME_KEY_MAX + 1);
	struct sql_value first = sql_bytes(text), position, below, end;
	enum status status;

	buf_append(&above, text);
	buf_byte(&above, '\xff');
	below = sql_bytes(buf_span(&above));
	if (is_before(after, text)) {
		after = text;
		conversation = 0;
	}
	position = sql_bytes(after);
	status = find_end(session,
	                  (struct sql_value[]){position,
	                                       sql_number(conversation),
	                                       position, below},
	                  buf_span(&above), scan);
	if (status != ST_OK)
		return status;
	end = sql_bytes(buf_span(&scan->words));
	return sql_session_run(
		session, find_channels,
		(struct sql_value[]){position, sql_number(conversation),
	                             position, below, end, end,
	                             sql_number(scan->conversation), first,
	                             below, sql_number(search->limit + 1),
	                             sql_number(search->user)},
		11);
}

static enum status write_channels(struct sql_session *session,
                                  const struct channel_search *search,
                                  const struct scan *scan,
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
	if (count <= search->limit && scan->cut)
		write_cursor(&cursor, scan->conversation,
		             buf_span(&scan->words));
	if (count > search->limit || scan->cut)
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
                               const struct scan *scan, struct buf *ret_json)
{
	struct json_writer w = json_writer(ret_json);
	enum status status;

	json_open(&w);
	status = write_channels(session, search, scan, &w);
	json_close(&w);
	return status;
}

enum status channel_names_search(struct sql_session *session,
                                 const struct channel_search *search,
                                 struct buf *ret_json)
{
	struct buf position CLEANUP(buf_free) = BUF(NAME_KEY_MAX);
	struct buf text CLEANUP(buf_free) = BUF(NAME_KEY_MAX);
	struct scan scan CLEANUP(scan_free) = {.words = BUF(NAME_KEY_MAX + 1)};
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
	status = text.len ? find(session, search, buf_span(&text), after, id,
	                         &scan)
	                  : list_all(session, search, after);
	return status == ST_OK ? write_found(session, search, &scan, ret_json)
	                       : status;
}
