#include "persistence-service/save/conversation/query_handler.h"

#include "common/base/mem.h"
#include "common/io/sql/bulk.h"
#include "common/wire/event.h"

#include <assert.h>
#include <stdlib.h>

enum {
	ANSWER_MAX = 768 * 1024,  /* a record's header */
	CUT_MAX = 3,              /* of a list: ";", ",+" */
	SUBJECT_MAX = 512 * 1024, /* of an answer, for one user */
	LISTS_MAX = 8 * 1024 * 1024,
	/* Of one statement: more than fit into the answer. */
	ROWS_MAX = 65536,
	DEPARTURES_MAX = 256, /* of a user, those in the newest rooms */
	NUMBER_MAX = 20 + 1,
};

/* The place of a user's list in `lists`. */
struct range {
	size_t at;
	size_t len;
};

/* A user, or a conversation, that a query names. */
struct subject {
	uint64_t id;
	struct range rooms;
	struct range blockers;
	struct range departures;
	unsigned departure_count;
	bool blockers_cut; /* more rows than one statement reads */
};

struct query_handler {
	struct sql *sql;
	struct subject subjects[SAVE_USERS_MAX];
	unsigned subject_count;
	unsigned complete_count; /* subjects whose lists are read */
	struct buf lists;
	struct buf answer;
	struct sql_value values[SQL_BULK_ROOM(SQL_BULK_MAX, 1) + 1];
};

static_assert((int)SAVE_USERS_MAX <= (int)SQL_BULK_MAX &&
                      (int)SAVE_CONVERSATIONS_MAX <= (int)SAVE_USERS_MAX,
              "a query takes one statement");

static struct sql_bulk list_rooms = {
	.head = "SELECT l.user, c.id, c.last_seq, m.from_seq"
		" FROM large_members l"
		" JOIN conversations c ON c.id = l.conversation"
		" JOIN members m ON m.user = l.user"
		" AND m.conversation = l.conversation"
		" WHERE c.deleted_at IS NULL AND l.user IN (",
	.row = "?",
	.between = ",",
	.tail = ") ORDER BY l.user, c.id LIMIT ?",
	.row_values = 1,
	.tail_values = 1,
};

static struct sql_bulk list_blockers = {
	.head = "SELECT blocked, user, 0, 0 FROM blocks WHERE blocked IN (",
	.row = "?",
	.between = ",",
	.tail = ") ORDER BY blocked, user LIMIT ?",
	.row_values = 1,
	.tail_values = 1,
};

static struct sql_bulk list_departures = {
	.head = "SELECT d.user, d.conversation, d.seq, 0 FROM departures d"
		" JOIN conversations c ON c.id = d.conversation"
		" WHERE c.large = 1 AND d.user IN (",
	.row = "?",
	.between = ",",
	.tail = ") ORDER BY d.user, d.conversation DESC LIMIT ?",
	.row_values = 1,
	.tail_values = 1,
};

static struct sql_bulk find_keys = {
	.head = "SELECT id, ckey FROM conversations WHERE id IN (",
	.row = "?",
	.between = ",",
	.tail = ") ORDER BY id",
	.row_values = 1,
};

/*
 * The other members. In a direct conversation where one user blocks the other,
 * none: typing reaches neither.
 */
static const char list_roster[] =
	"SELECT o.user FROM members m"
	" JOIN conversations c ON c.id = m.conversation"
	" JOIN members o ON o.conversation = c.id AND o.user <> m.user"
	" LEFT JOIN blocks b ON c.kind = 1 AND b.user = o.user"
	" AND b.blocked = m.user"
	" LEFT JOIN blocks s ON c.kind = 1 AND s.user = m.user"
	" AND s.blocked = o.user"
	" WHERE m.user = ? AND m.conversation = ? AND c.large = 0"
	" AND c.deleted_at IS NULL AND b.user IS NULL AND s.user IS NULL"
	" ORDER BY o.user";

struct query_handler *query_handler_create(struct sql *sql)
{
	struct query_handler *handler = mem_new(sizeof(*handler));

	handler->sql = sql;
	handler->lists = BUF(LISTS_MAX);
	handler->answer = BUF(ANSWER_MAX);
	return handler;
}

void query_handler_destroy(struct query_handler **handler)
{
	if (!*handler)
		return;
	buf_free(&(*handler)->lists);
	buf_free(&(*handler)->answer);
	mem_free(handler);
}

/* --- rooms and blockers -------------------------------------------------- */
/*
 * The subject at `at` has more rows than one statement reads, so the lists from
 * there on are not complete. The gateway asks again about users without an
 * answer; a list of blockers that is too long for any answer is cut.
 */
static void end_lists(struct query_handler *handler, unsigned at, bool cut)
{
	if (handler->complete_count > at + cut)
		handler->complete_count = at + cut;
}

/*
 * Reads the lists of the subjects, as text in `lists`. Rows and subjects both
 * ascend by user, so each list is contiguous.
 */
static enum status read_lists(struct query_handler *handler,
                              struct sql_bulk *statement)
{
	bool blockers = statement == &list_blockers;
	bool departures = statement == &list_departures;
	struct sql_value row[4];
	enum status status;
	unsigned at = 0, first = 0, rows = 0;

	for (unsigned i = 0; i < handler->subject_count; i++)
		handler->values[i] = sql_number(handler->subjects[i].id);
	handler->values[handler->subject_count] = sql_number(ROWS_MAX + 1);
	status = sql_bulk_run(handler->sql, statement, handler->values,
	                      handler->subject_count);
	while (status == ST_OK &&
	       (status = sql_fetch(handler->sql, row, 4)) == ST_OK) {
		struct buf item CLEANUP(buf_free) = BUF(64);
		struct range *range;

		while (handler->subjects[at].id != row[0].number)
			at++;
		if (rows == 0)
			first = at;
		if (rows++ == ROWS_MAX) {
			end_lists(handler, at,
			          (blockers || departures) && at == first);
			handler->subjects[at].blockers_cut =
				blockers && at == first;
			break;
		}
		if (departures &&
		    handler->subjects[at].departure_count++ == DEPARTURES_MAX) {
			handler->subjects[at].departure_count--;
			continue;
		}
		range = blockers     ? &handler->subjects[at].blockers
		        : departures ? &handler->subjects[at].departures
		                     : &handler->subjects[at].rooms;
		if (range->len == 0)
			range->at = handler->lists.len;
		else
			buf_byte(&handler->lists, ',');
		if (blockers)
			event_key_add(&item, row[1].number);
		else
			event_rooms_add(&item, row[1].number, row[2].number,
			                row[3].number);
		buf_append(&handler->lists, buf_span(&item));
		range->len = handler->lists.len - range->at;
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static int by_id(const void *a, const void *b)
{
	const struct subject *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* Each id once, ascending. */
static void list_subjects(struct query_handler *handler, struct span ids)
{
	struct subject *subjects = handler->subjects;
	unsigned count = 0, kept = 0;
	uint64_t id;

	while (count < SAVE_USERS_MAX && event_key_next(&ids, &id))
		subjects[count++] = (struct subject){.id = id};
	qsort(subjects, count, sizeof(*subjects), by_id);
	for (unsigned i = 0; i < count; i++)
		if (kept == 0 || subjects[kept - 1].id != subjects[i].id)
			subjects[kept++] = subjects[i];
	handler->subject_count = kept;
}

/* As many blockers as fit; they ascend. */
static struct span cut_to_fit(struct span blockers, size_t room)
{
	if (blockers.len <= room)
		return blockers;
	while (room && blockers.data[room] != ',')
		room--;
	return span_make(blockers.data, room);
}

static struct span range_span(const struct query_handler *handler,
                              const struct range *range)
{
	return range->len
	               ? span_make(handler->lists.data + range->at, range->len)
	               : SPAN_NONE;
}

static void add_subject(struct query_handler *handler,
                        const struct subject *subject)
{
	struct span rooms = range_span(handler, &subject->rooms);
	struct span all = range_span(handler, &subject->blockers);
	struct span blockers;

	if (rooms.len > SUBJECT_MAX)
		return;
	blockers = cut_to_fit(all, SUBJECT_MAX - rooms.len);
	if (handler->answer.len + rooms.len + blockers.len + CUT_MAX +
	            2 * NUMBER_MAX <=
	    ANSWER_MAX)
		event_answer_add(&handler->answer, subject->id, rooms, blockers,
		                 subject->blockers_cut ||
		                         blockers.len < all.len);
}

/* Those that still fit: they only tell a late record from a new one. */
static void add_departures(struct query_handler *handler,
                           const struct subject *subject)
{
	struct span rooms = range_span(handler, &subject->departures);

	if (rooms.len &&
	    handler->answer.len + rooms.len + 2 * NUMBER_MAX <= ANSWER_MAX)
		event_departures_add(&handler->answer, subject->id, rooms);
}

static enum status write_rooms(struct query_handler *handler,
                               const struct save_record *record)
{
	enum status status;

	list_subjects(handler, record->users);
	handler->complete_count = handler->subject_count;
	buf_clear(&handler->lists);
	status = read_lists(handler, &list_rooms);
	if (status == ST_OK)
		status = read_lists(handler, &list_blockers);
	if (status == ST_OK)
		status = read_lists(handler, &list_departures);
	if (status != ST_OK)
		return status;
	for (unsigned i = 0;
	     i < handler->complete_count && !buf_overflowed(&handler->lists);
	     i++)
		add_subject(handler, &handler->subjects[i]);
	for (unsigned i = 0;
	     i < handler->complete_count && !buf_overflowed(&handler->lists);
	     i++)
		add_departures(handler, &handler->subjects[i]);
	return ST_OK;
}

/* --- keys of conversations ----------------------------------------------- */
/* Rows and subjects both ascend. A subject without a row does not exist. */
static enum status write_keys(struct query_handler *handler,
                              const struct save_record *record)
{
	struct sql_value row[2];
	enum status status;
	unsigned at = 0;

	list_subjects(handler, record->conversations);
	for (unsigned i = 0; i < handler->subject_count; i++)
		handler->values[i] = sql_number(handler->subjects[i].id);
	status = sql_bulk_run(handler->sql, &find_keys, handler->values,
	                      handler->subject_count);
	while (status == ST_OK &&
	       (status = sql_fetch(handler->sql, row, 2)) == ST_OK) {
		while (handler->subjects[at].id != row[0].number)
			event_keys_add(&handler->answer,
			               handler->subjects[at++].id, SPAN_NONE);
		event_keys_add(&handler->answer, handler->subjects[at++].id,
		               row[1].bytes);
	}
	while (at < handler->subject_count)
		event_keys_add(&handler->answer, handler->subjects[at++].id,
		               SPAN_NONE);
	return status == ST_NOT_FOUND ? ST_OK : status;
}

/* --- rosters ------------------------------------------------------------- */
static enum status write_roster(struct query_handler *handler,
                                const struct save_record *record)
{
	struct sql_value values[] = {sql_number(record->sender),
	                             sql_number(record->conversation)};
	struct sql_value row;
	enum status status =
		sql_run(handler->sql, list_roster, values, ARRAY_LEN(values));
	bool first = true;

	buf_number(&handler->answer, record->conversation);
	buf_byte(&handler->answer, ':');
	while (status == ST_OK) {
		status = sql_fetch(handler->sql, &row, 1);
		if (status != ST_OK)
			break;
		if (!first)
			buf_byte(&handler->answer, ',');
		buf_number(&handler->answer, row.number);
		first = false;
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

enum status query_handler_answer(struct query_handler *handler,
                                 const struct save_record *record,
                                 struct span *ret_answer)
{
	enum status status;

	buf_clear(&handler->answer);
	switch (record->kind) {
	case SAVE_ROOMS:
		status = write_rooms(handler, record);
		break;
	case SAVE_KEYS:
		status = write_keys(handler, record);
		break;
	case SAVE_ROSTER:
		status = write_roster(handler, record);
		break;
	default:
		return ST_INVALID;
	}
	if (status == ST_OK && buf_overflowed(&handler->answer))
		status = ST_TOO_LARGE;
	if (status == ST_OK)
		*ret_answer = buf_span(&handler->answer);
	return status;
}
