#include "persistence-service/rest/read/history_private.h"

enum {
	REVISIONS_READ_MAX = 2000,
	ESCAPED_MAX = 6,     /* bytes of JSON for one byte of text */
	MEMBERS_BYTES = 512, /* of an entry besides text and reactions */
};

static const char messages_after[] =
	"SELECT " ENTRY_COLUMNS " FROM messages x"
	" WHERE x.conversation = ? AND x.seq > ? ORDER BY x.seq LIMIT ?";
static const char messages_before[] =
	"SELECT " ENTRY_COLUMNS " FROM messages x"
	" WHERE x.conversation = ? AND x.seq > ? AND x.seq < ?"
	" ORDER BY x.seq DESC LIMIT ?";
/*
 * messages.revision names the last change of a message; earlier changes are
 * skipped. The query reads at most some thousand changes, however often a
 * single message was changed.
 */
static const char messages_revised[] =
	"SELECT STRAIGHT_JOIN " ENTRY_COLUMNS " FROM revisions r"
	" JOIN messages x ON x.conversation = r.conversation AND x.seq = r.seq"
	" AND x.revision = r.revision"
	" WHERE r.conversation = ? AND r.revision > ? AND r.revision <= ?"
	" AND x.seq > ? ORDER BY r.revision LIMIT ?";

/* Whether another page follows, and from where it starts. */
struct page_end {
	bool more;
	uint64_t next;
};

static enum status run_page(struct history *h, const struct history_page *page,
                            const struct summary *in)
{
	uint64_t from = page->from > in->from_seq ? page->from : in->from_seq;
	struct sql_value conversation = sql_number(page->conversation);
	struct sql_value limit = sql_number(page->limit + 1);
	struct sql_value after[] = {conversation, sql_number(from), limit};
	struct sql_value before[] = {conversation, sql_number(in->from_seq),
	                             sql_number(page->from), limit};
	struct sql_value revised[] = {
		conversation, sql_number(page->from),
		sql_number(page->from + REVISIONS_READ_MAX),
		sql_number(in->from_seq), limit};

	if (page->part == PART_REVISED)
		return sql_session_run(h->session, messages_revised, revised,
		                       ARRAY_LEN(revised));
	if (page->part == PART_BEFORE)
		return sql_session_run(h->session, messages_before, before,
		                       ARRAY_LEN(before));
	return sql_session_run(h->session, messages_after, after,
	                       ARRAY_LEN(after));
}

/* A page of changes may end before its limit: its query is bounded. */
static struct page_end end_of_page(const struct history *h,
                                   const struct history_page *page,
                                   const struct summary *in, bool more)
{
	const struct entries *e = h->entries;
	const struct saved_message *last =
		e->count ? &e->message[e->count - 1] : NULL;
	bool revised = page->part == PART_REVISED;
	uint64_t read_to = page->from + REVISIONS_READ_MAX;

	if (more && last)
		return (struct page_end){true,
		                         revised ? last->revision : last->seq};
	return (struct page_end){revised && read_to < in->revision, read_to};
}

/* Entries of the page that fit into PAGE_BYTES_MAX, at least one. */
static unsigned count_fitting(struct history *h, uint64_t user,
                              const struct summary *in)
{
	struct entries *e = h->entries;
	size_t bytes = e->texts.len * ESCAPED_MAX + e->reactions.len +
	               e->count * (size_t)MEMBERS_BYTES;

	if (bytes <= PAGE_BYTES_MAX)
		return e->count;
	bytes = 0;
	for (unsigned i = 0; i < e->count; i++) {
		bytes += history_frame(h, user, in, &e->message[i]).len;
		if (i && bytes > PAGE_BYTES_MAX)
			return i;
	}
	return e->count;
}

static enum status read_page(struct history *h, uint64_t user,
                             const struct history_page *page,
                             const struct summary *in, struct page_end *ret_end)
{
	struct entries *e = h->entries;
	struct sql_value row[ENTRY_COLUMN_COUNT];
	unsigned rows = 0;
	enum status status = run_page(h, page, in);

	entries_clear(e);
	while (status == ST_OK) {
		status = sql_session_fetch(h->session, row, ENTRY_COLUMN_COUNT);
		if (status != ST_OK)
			break;
		rows++;
		if (e->count < page->limit && e->texts.len <= PAGE_BYTES_MAX)
			status = entries_add(e, row);
	}
	if (status != ST_NOT_FOUND)
		return status;
	status = history_complete_entries(h, PAGE_BYTES_MAX);
	if (status != ST_OK)
		return status;
	e->count = count_fitting(h, user, in);
	*ret_end = end_of_page(h, page, in, rows > e->count);
	return ST_OK;
}

enum status history_messages(struct history *h, uint64_t user,
                             const struct history_page *page,
                             struct buf *ret_json)
{
	struct json_writer w = json_writer(ret_json);
	const struct summary *in;
	struct page_end end;
	enum status status = history_find(h, user, page->conversation);

	if (status != ST_OK)
		return status;
	in = &h->all.item[0];
	status = read_page(h, user, page, in, &end);
	if (status != ST_OK)
		return status;
	json_open(&w);
	json_open_array(&w, "messages");
	for (unsigned i = 0, n = h->entries->count; i < n; i++) {
		bool backwards = page->part == PART_BEFORE;
		unsigned at = backwards ? n - 1 - i : i;

		json_raw(&w, NULL,
		         history_frame(h, user, in, &h->entries->message[at]));
	}
	json_close_array(&w);
	history_write_next(&w, end.more, end.next);
	json_close(&w);
	return ST_OK;
}
