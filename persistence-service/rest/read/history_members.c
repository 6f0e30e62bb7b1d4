#include "persistence-service/rest/read/history_private.h"
#include "persistence-service/sql_time.h"

enum { ROWS_READ_MAX = 2000, COLUMNS = 5 };

/*
 * The index by_conversation ends with the user, so it gives this order. In a
 * direct conversation the reader sees no receipts of a user whom the reader
 * blocks.
 */
static const char list_members[] =
	"SELECT m.user, m.role, m.joined_at,"
	" CAST(IF(b.user IS NULL, m.delivered_seq, 0) AS UNSIGNED),"
	" CAST(IF(b.user IS NULL, m.read_seq, 0) AS UNSIGNED)"
	" FROM members m FORCE INDEX (by_conversation)"
	" JOIN conversations c ON c.id = m.conversation"
	" LEFT JOIN blocks b ON c.kind = 1 AND b.user = ?"
	" AND b.blocked = m.user"
	" WHERE m.conversation = ? AND m.user > ? ORDER BY m.user LIMIT ?";

static enum status write_member(struct json_writer *w,
                                const struct sql_value *row)
{
	uint64_t delivered = row[3].number, read = row[4].number;
	uint64_t joined_at_ms;

	if (!sql_time_read(row[2].bytes, &joined_at_ms))
		return ST_BROKEN;
	json_open_object(w, NULL);
	json_number(w, "user", row[0].number);
	json_text(w, "role", span_of(member_role_word(row[1].number)));
	json_time(w, "joined_at", joined_at_ms);
	json_number(w, "delivered_seq", delivered > read ? delivered : read);
	json_number(w, "read_seq", read);
	json_close(w);
	return ST_OK;
}

struct page_state {
	unsigned rows;
	unsigned written;
	uint64_t last; /* user that was read */
	bool more;
};

static enum status write_members(struct history *h, struct json_writer *w,
                                 const struct history_members *page,
                                 struct page_state *state)
{
	struct sql_value row[COLUMNS];
	enum status status = ST_OK;

	while (status == ST_OK) {
		status = sql_session_fetch(h->session, row, COLUMNS);
		if (status != ST_OK)
			break;
		if (state->written == page->limit) {
			state->more = true;
			break;
		}
		state->rows++;
		state->last = row[0].number;
		if (row[4].number < page->seen)
			continue;
		status = write_member(w, row);
		state->written++;
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

enum status history_members(struct history *h, uint64_t user,
                            const struct history_members *page,
                            struct buf *ret_json)
{
	unsigned rows = page->seen ? ROWS_READ_MAX : page->limit + 1;
	struct sql_value values[] = {sql_number(user),
	                             sql_number(page->conversation),
	                             sql_number(page->after), sql_number(rows)};
	struct json_writer w = json_writer(ret_json);
	struct page_state state = {0};
	enum status status = history_find(h, user, page->conversation);

	if (status == ST_OK)
		status = sql_session_run(h->session, list_members, values,
		                         ARRAY_LEN(values));
	if (status != ST_OK)
		return status;
	json_open(&w);
	json_open_array(&w, "members");
	status = write_members(h, &w, page, &state);
	json_close_array(&w);
	history_write_next(&w, state.more || state.rows == rows, state.last);
	json_close(&w);
	return status;
}
