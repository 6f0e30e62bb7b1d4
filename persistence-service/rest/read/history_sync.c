#include "common/base/mem.h"
#include "persistence-service/rest/read/history_private.h"

/*
 * One statement sees one snapshot: no conversation is both present and gone. A
 * large deleted conversation keeps its members' rows. d.seq is a placeholder of
 * the right type for the columns that a departure does not use. Of very many
 * departures the newest conversations count: the older ones are no longer
 * reported.
 */
static const char read_all[] =
	"(SELECT STRAIGHT_JOIN " SUMMARY_COLUMNS
	", c.deleted_at IS NOT NULL AS gone"
	" FROM members m JOIN conversations c ON c.id = m.conversation"
	" WHERE m.user = ? AND c.last_message_id > 0)"
	" UNION ALL (SELECT d.conversation, d.seq, '', NULL, d.seq, d.seq,"
	" d.seq, d.seq, d.seq, d.seq, d.seq, d.seq, d.seq, 1"
	" FROM departures d WHERE d.user = ? AND NOT EXISTS"
	" (SELECT 1 FROM members n"
	" WHERE n.user = d.user AND n.conversation = d.conversation)"
	" ORDER BY d.conversation DESC LIMIT 10000)";

enum { COLUMNS = SUMMARY_COLUMN_COUNT + 1, GONE_BYTES_MAX = 1024 * 1024 };

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

/* The part of an answer that one step of the cursor adds. */
struct step {
	struct summary *due; /* the conversations, in the order of the states */
	unsigned due_count;
	unsigned gone_count;
};

static struct step pick(struct history *h, const struct sync_state *states,
                        struct json_writer *gone)
{
	struct step step = {
		.due = mem_new((h->all.count + 1) * sizeof(*step.due))};

	for (unsigned i = 0; i < h->all.count; i++) {
		if (!states[i].due)
			continue;
		if (states[i].gone) {
			json_number(gone, NULL, states[i].conversation);
			step.gone_count++;
		} else {
			step.due[step.due_count++] =
				h->all.item[states[i].index];
		}
	}
	return step;
}

static void write_cursor(struct json_writer *w,
                         const struct sync_cursor *cursor, bool more)
{
	struct buf text CLEANUP(buf_free) = BUF(SYNC_CURSOR_TEXT_MAX);

	sync_cursor_format(cursor, &text);
	json_text(w, "cursor", buf_span(&text));
	json_bool(w, "more", more);
}

/*
 * Conversations of the next step: a group at first, then as many as are likely
 * to fit, by the size of those so far.
 */
static size_t next_step(size_t limit, size_t reported, size_t bytes)
{
	size_t left = limit - reported, fit = PAIRS_MAX;

	if (reported)
		fit = (PAGE_BYTES_MAX - bytes) * reported / (bytes + 1) + 1;
	return left < fit ? left : fit;
}

/*
 * The cursor advances step by step until `limit` conversations are reported or
 * the answer is long enough. All conversations of a step are written, those
 * beyond the bound without their last entry.
 */
static enum status write_conversations(struct history *h, uint64_t user,
                                       struct sync_cursor *cursor,
                                       struct sync_state *states, size_t limit,
                                       struct json_writer *w,
                                       struct json_writer *gone, bool *ret_more)
{
	enum status status = ST_OK;
	size_t reported = 0;

	*ret_more = true;
	while (status == ST_OK && *ret_more && reported < limit &&
	       w->buf->len + gone->buf->len < PAGE_BYTES_MAX) {
		size_t max = next_step(limit, reported, w->buf->len);
		struct step step;

		*ret_more =
			sync_cursor_advance(cursor, states, h->all.count, max);
		step = pick(h, states, gone);
		status = history_write_summaries(h, user, step.due,
		                                 step.due_count, w);
		reported += step.due_count +
		            (step.gone_count + SYNC_GONE_FOR_ONE - 1) /
		                    SYNC_GONE_FOR_ONE;
		mem_free(&step.due);
	}
	return status;
}

enum status history_sync(struct history *h, uint64_t user,
                         struct sync_cursor *cursor, unsigned limit,
                         struct buf *ret_json)
{
	struct buf gone_ids CLEANUP(buf_free) = BUF(GONE_BYTES_MAX);
	struct sync_state *states CLEANUP(mem_free) = NULL;
	struct json_writer w = json_writer(ret_json);
	struct json_writer gone = json_writer(&gone_ids);
	enum status status = read_states(h, user);
	bool more;

	if (status != ST_OK)
		return status;
	if (!sync_cursor_fits(cursor, h->all.count))
		sync_cursor_start(cursor, h->all.count);
	states = make_states(&h->all);
	json_open(&w);
	json_open_array(&w, "conversations");
	status = write_conversations(h, user, cursor, states, limit, &w, &gone,
	                             &more);
	json_close_array(&w);
	json_open_array(&w, "gone");
	json_raw(&w, NULL, buf_span(&gone_ids));
	json_close_array(&w);
	write_cursor(&w, cursor, more);
	json_close(&w);
	return buf_overflowed(&gone_ids) ? ST_BROKEN : status;
}
