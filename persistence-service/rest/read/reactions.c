#include "persistence-service/rest/read/reactions.h"

enum { COLUMNS = 5 };

/*
 * In the order of the primary key, so that the server sorts nothing. Users
 * beyond group_concat_max_len are counted, but not listed.
 */
static struct sql_bulk find_reactions = {
	.head = "SELECT conversation, seq, reaction, COUNT(*),"
		" SUBSTRING_INDEX(GROUP_CONCAT(user), ',', 100)"
		" FROM reactions FORCE INDEX (PRIMARY)"
		" WHERE (conversation, seq) IN (",
	.row = "(?,?)",
	.between = ",",
	.tail = ") GROUP BY conversation, seq, reaction"
		" ORDER BY conversation, seq, reaction",
	.row_values = 2,
};

/* The JSON array of one message; it stays open until the next one begins. */
struct writing {
	struct entries *entries;
	struct saved_message *message;
	struct json_writer w;
};

static void end_array(struct writing *now)
{
	struct entries *e = now->entries;

	if (!now->message)
		return;
	json_close_array(&now->w);
	now->message->reactions.len =
		e->reactions.len - e->reactions_at[now->message - e->message];
	now->message = NULL;
}

static void begin_array(struct writing *now, struct saved_message *message)
{
	struct entries *e = now->entries;

	end_array(now);
	now->message = message;
	now->w = json_writer(&e->reactions);
	e->reactions_at[message - e->message] = e->reactions.len;
	json_open_array(&now->w, NULL);
}

/* The users come separated by commas: an array without its brackets. */
static void write_row(struct writing *now, const struct sql_value *row)
{
	struct saved_message *message =
		entries_get(now->entries, row[0].number, row[1].number);

	if (!message)
		return;
	if (message != now->message)
		begin_array(now, message);
	json_open_object(&now->w, NULL);
	json_text(&now->w, "reaction", row[2].bytes);
	json_open_array(&now->w, "users");
	json_raw(&now->w, NULL, row[4].bytes);
	json_close_array(&now->w);
	json_number(&now->w, "count", row[3].number);
	json_close(&now->w);
}

static enum status read_pairs(struct entries *entries,
                              struct sql_session *session,
                              const struct entry_pair *pairs, unsigned count)
{
	struct writing now = {.entries = entries};
	struct sql_value row[COLUMNS];
	enum status status =
		entry_pairs_run(session, &find_reactions, pairs, count);

	while (status == ST_OK) {
		status = sql_session_fetch(session, row, COLUMNS);
		if (status == ST_OK)
			write_row(&now, row);
	}
	end_array(&now);
	return status == ST_NOT_FOUND ? ST_OK : status;
}

/*
 * The most entries from `from` on of which `pairs` has room for the messages
 * that may have reactions.
 */
static unsigned collect_pairs(const struct entries *entries, unsigned from,
                              unsigned max, struct entry_pair *pairs,
                              unsigned *ret_count)
{
	unsigned i = from;

	*ret_count = 0;
	for (; i < entries->count && *ret_count < max; i++) {
		const struct saved_message *m = &entries->message[i];

		if (m->revision && !m->deleted_at_ms)
			pairs[(*ret_count)++] =
				(struct entry_pair){m->conversation, m->seq};
	}
	return i;
}

static void drop_reactions(struct entries *entries, unsigned from, unsigned to,
                           size_t len)
{
	entries->reactions.len = len;
	entries->reactions.overflowed = false;
	for (unsigned i = from; i < to; i++)
		entries->message[i].reactions.len = 0;
}

/* A group whose reactions do not fit is halved and read again. */
enum status reactions_read(struct entries *entries, struct sql_session *session,
                           size_t bytes_max)
{
	struct entry_pair pairs[PAIRS_MAX];
	unsigned group = PAIRS_MAX, from = 0;
	enum status status = ST_OK;

	while (from < entries->count && status == ST_OK) {
		size_t len = entries->reactions.len;
		unsigned count;
		unsigned to =
			collect_pairs(entries, from, group, pairs, &count);

		if (count)
			status = read_pairs(entries, session, pairs, count);
		if (status == ST_OK && count > 1 &&
		    buf_overflowed(&entries->reactions)) {
			drop_reactions(entries, from, to, len);
			group = count / 2;
			continue;
		}
		from = to;
		if (entries->texts.len + entries->reactions.len > bytes_max)
			entries->count = to;
	}
	return status;
}
