#include "common/base/mem.h"
#include "persistence-service/rest/read/history_private.h"

/*
 * One statement sees one snapshot: no conversation is both present and gone. A
 * deleted conversation keeps its members' rows. d.seq is a placeholder of the
 * right type for the columns that a departure does not use.
 */
static const char read_all[] =
	"SELECT STRAIGHT_JOIN " SUMMARY_COLUMNS
	", c.deleted_at IS NOT NULL AS gone"
	" FROM members m JOIN conversations c ON c.id = m.conversation"
	" WHERE m.user = ? AND c.last_message_id > 0"
	" UNION ALL SELECT d.conversation, d.seq, '', NULL, d.seq, d.seq,"
	" d.seq, d.seq, d.seq, d.seq, d.seq, d.seq, d.seq, 1"
	" FROM departures d WHERE d.user = ? AND NOT EXISTS"
	" (SELECT 1 FROM members n"
	" WHERE n.user = d.user AND n.conversation = d.conversation)";

enum { COLUMNS = SUMMARY_COLUMN_COUNT + 1 };

static enum status read_states(struct history *h, uint64_t user)
{
	struct sql_value values[] = {sql_number(user), sql_number(user)};
	struct sql_value row[COLUMNS];
	enum status status = sql_session_run(h->session, read_all, values,
	                                     ARRAY_LEN(values));

	summaries_clear(&h->all);
	while (status == ST_OK) {
		status = sql_session_fetch(h->session, row, COLUMNS);
		if (status != ST_OK)
			break;
		if (row[SUMMARY_COLUMN_COUNT].number)
			summaries_add_gone(&h->all, row[0].number);
		else
			status = summaries_add(&h->all, user, row);
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static struct sync_state *make_states(const struct summaries *all)
{
	struct sync_state *states = mem_new((all->count + 1) * sizeof(*states));

	for (unsigned i = 0; i < all->count; i++) {
		const struct summary *s = &all->item[i];

		states[i] = (struct sync_state){
			.conversation = s->conversation,
			.last_seq = s->last_seq,
			.revision = s->revision,
			.read_seq = s->read_seq,
			.delivered_seq = s->delivered_seq,
			.from_seq = s->from_seq,
			.role = (unsigned)s->role,
			.gone = s->gone,
			.index = i,
		};
	}
	return states;
}

static void write_gone(struct json_writer *w, const struct sync_state *states,
                       unsigned count)
{
	json_open_array(w, "gone");
	for (unsigned i = 0; i < count; i++)
		if (states[i].due && states[i].gone)
			json_number(w, NULL, states[i].conversation);
	json_close_array(w);
}

/* Moves the due summaries to the front, in the order of the states. */
static unsigned pick(struct history *h, const struct sync_state *states)
{
	struct summary *picked = mem_new((h->all.count + 1) * sizeof(*picked));
	unsigned count = 0;

	for (unsigned i = 0; i < h->all.count; i++)
		if (states[i].due && !states[i].gone)
			picked[count++] = h->all.item[states[i].index];
	if (count)
		memcpy(h->all.item, picked, count * sizeof(*picked));
	mem_free(&picked);
	return count;
}

static void write_cursor(struct json_writer *w,
                         const struct sync_cursor *cursor, bool more)
{
	struct buf text CLEANUP(buf_free) = BUF(SYNC_CURSOR_TEXT_MAX);

	sync_cursor_format(cursor, &text);
	json_text(w, "cursor", buf_span(&text));
	json_bool(w, "more", more);
}

static enum status write_answer(struct history *h, uint64_t user,
                                const struct sync_cursor *cursor,
                                const struct sync_state *states, bool more,
                                struct buf *ret_json)
{
	struct json_writer w = json_writer(ret_json);
	unsigned count = h->all.count, due = pick(h, states);
	enum status status;

	json_open(&w);
	json_open_array(&w, "conversations");
	status = history_write_summaries(h, user, 0, due, &w);
	json_close_array(&w);
	write_gone(&w, states, count);
	write_cursor(&w, cursor, more);
	json_close(&w);
	return status;
}

enum status history_sync(struct history *h, uint64_t user,
                         struct sync_cursor *cursor, unsigned limit,
                         struct buf *ret_json)
{
	struct sync_state *states CLEANUP(mem_free) = NULL;
	enum status status = read_states(h, user);
	bool more;

	if (status != ST_OK)
		return status;
	if (!sync_cursor_fits(cursor, h->all.count))
		sync_cursor_start(cursor, h->all.count);
	states = make_states(&h->all);
	more = sync_cursor_advance(cursor, states, h->all.count, limit);
	return write_answer(h, user, cursor, states, more, ret_json);
}
