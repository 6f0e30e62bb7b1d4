#include "persistence-service/save/conversation/query_handler.h"

#include "common/base/mem.h"
#include "common/io/sql/bulk.h"
#include "common/wire/event.h"

#include <assert.h>
#include <stdlib.h>

enum {
	ANSWER_MAX = 768 * 1024, /* to one question: a record's header */
	USER_MAX = 512 * 1024,   /* of it, what one user may have */
	LISTS_MAX = 64 * 1024 * 1024,
	NUMBER_MAX = 20 + 1,
};

/* Where a user's list lies in `lists`. */
struct part {
	size_t at;
	size_t len;
};

/* Of whom a question is about. */
struct about {
	uint64_t user;
	struct part rooms;
	struct part blockers;
};

struct asked {
	struct batch_entry *entry;
	bool blocks;
};

struct answer_store {
	struct sql *sql;
	struct asked asked[BATCH_RECORDS_MAX];
	unsigned count;
	struct about about[SAVE_USERS_MAX];
	unsigned about_count;
	struct buf lists;
	struct buf answer;
	struct sql_value values[SQL_BULK_ROOM(SQL_BULK_MAX, 2)];
};

static_assert((int)SAVE_USERS_MAX <= (int)SQL_BULK_MAX,
              "a question takes one statement");

static struct sql_bulk list_rooms = {
	.head = "SELECT l.user, c.id, c.last_seq, m.from_seq"
		" FROM large_members l"
		" JOIN conversations c ON c.id = l.conversation"
		" JOIN members m ON m.user = l.user"
		" AND m.conversation = l.conversation"
		" WHERE c.deleted_at IS NULL AND l.user IN (",
	.row = "?",
	.between = ",",
	.tail = ") ORDER BY l.user, c.id",
	.row_values = 1,
};

static struct sql_bulk list_blockers = {
	.head = "SELECT blocked, user, 0, 0 FROM blocks WHERE blocked IN (",
	.row = "?",
	.between = ",",
	.tail = ") ORDER BY blocked, user",
	.row_values = 1,
};

static struct sql_bulk find_blocks = {
	.head = "SELECT user, blocked FROM blocks WHERE (user, blocked) IN (",
	.row = "(?,?)",
	.between = ",",
	.tail = ")",
	.row_values = 2,
};

/* The others in it, but for who does not want to hear from the one who asks. */
static const char list_roster[] =
	"SELECT o.user FROM members m"
	" JOIN conversations c ON c.id = m.conversation"
	" JOIN members o ON o.conversation = c.id AND o.user <> m.user"
	" LEFT JOIN blocks b ON c.kind = 1 AND b.user = o.user"
	" AND b.blocked = m.user"
	" WHERE m.user = ? AND m.conversation = ? AND c.large = 0"
	" AND c.deleted_at IS NULL AND b.user IS NULL ORDER BY o.user";

struct answer_store *answer_store_create(struct sql *sql)
{
	struct answer_store *store = mem_new(sizeof(*store));

	store->sql = sql;
	store->lists = BUF(LISTS_MAX);
	store->answer = BUF(ANSWER_MAX);
	return store;
}

void answer_store_destroy(struct answer_store **store)
{
	if (!*store)
		return;
	buf_free(&(*store)->lists);
	buf_free(&(*store)->answer);
	mem_free(store);
}

static void collect(struct answer_store *store, struct batch *batch,
                    enum save_kind kind, unsigned from, unsigned to)
{
	store->count = 0;
	for (unsigned i = from; i < to; i++) {
		struct batch_entry *entry = &batch->entries[i];

		if (entry->record.kind == kind &&
		    entry->outcome != OUTCOME_DEAD)
			store->asked[store->count++] =
				(struct asked){.entry = entry};
	}
}

/* A batch that has no room left for it: the gateway asks again. */
static void keep(struct answer_store *store, struct batch *batch,
                 struct batch_entry *entry)
{
	entry->outcome = OUTCOME_DONE;
	if (buf_overflowed(&store->answer) ||
	    !batch_has_room(batch, store->answer.len))
		return;
	entry->outcome = OUTCOME_NOTIFIED;
	batch_keep_text(batch, entry, &entry->answer, buf_span(&store->answer));
}

/* --- rooms, and who blocks ----------------------------------------------- */
static void add_room(struct buf *list, const struct sql_value *row)
{
	event_rooms_add(list, row[1].number, row[2].number, row[3].number);
}

static void add_blocker(struct buf *list, const struct sql_value *row)
{
	event_key_add(list, row[1].number);
}

/* One row's piece of the list at `part`, behind those that came before. */
static void add_piece(struct answer_store *store, struct part *part,
                      const struct sql_value *row,
                      void (*add)(struct buf *list,
                                  const struct sql_value *row))
{
	struct buf piece CLEANUP(buf_free) = BUF(64);

	add(&piece, row);
	if (part->len == 0)
		part->at = store->lists.len;
	else
		buf_byte(&store->lists, ',');
	buf_append(&store->lists, buf_span(&piece));
	part->len = store->lists.len - part->at;
}

/* Rows come by rising user, as those lie whom it is about. */
static enum status read_parts(struct answer_store *store,
                              struct sql_bulk *statement, bool blockers)
{
	struct sql_value row[4];
	enum status status;
	unsigned at = 0;

	for (unsigned i = 0; i < store->about_count; i++)
		store->values[i] = sql_number(store->about[i].user);
	status = sql_bulk_run(store->sql, statement, store->values,
	                      store->about_count);
	while (status == ST_OK) {
		status = sql_fetch(store->sql, row, 4);
		if (status != ST_OK)
			break;
		while (store->about[at].user != row[0].number)
			at++;
		add_piece(store,
		          blockers ? &store->about[at].blockers
		                   : &store->about[at].rooms,
		          row, blockers ? add_blocker : add_room);
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static int by_user(const void *a, const void *b)
{
	const struct about *x = a, *y = b;

	return (x->user > y->user) - (x->user < y->user);
}

static void list_users(struct answer_store *store, struct span users)
{
	uint64_t user;

	store->about_count = 0;
	while (store->about_count < SAVE_USERS_MAX &&
	       event_key_next(&users, &user))
		store->about[store->about_count++] =
			(struct about){.user = user};
	qsort(store->about, store->about_count, sizeof(*store->about), by_user);
}

/* Of very many who block as many as fit: that only decides who looks offline.
 */
static struct span fitting(struct span blockers, size_t room)
{
	if (blockers.len <= room)
		return blockers;
	while (room && blockers.data[room] != ',')
		room--;
	return span_make(blockers.data, room);
}

static struct span part_span(const struct answer_store *store,
                             const struct part *part)
{
	return part->len ? span_make(store->lists.data + part->at, part->len)
	                 : SPAN_NONE;
}

static void answer_user(struct answer_store *store, const struct about *about)
{
	struct span rooms = part_span(store, &about->rooms);
	struct span blockers;

	if (rooms.len > USER_MAX)
		return;
	blockers = fitting(part_span(store, &about->blockers),
	                   USER_MAX - rooms.len);
	if (store->answer.len + rooms.len + blockers.len + 2 * NUMBER_MAX <=
	    ANSWER_MAX)
		event_answer_add(&store->answer, about->user, rooms, blockers);
}

static enum status answer_rooms(struct answer_store *store, struct batch *batch,
                                struct batch_entry *entry)
{
	enum status status;

	list_users(store, entry->record.users);
	buf_clear(&store->lists);
	buf_clear(&store->answer);
	status = read_parts(store, &list_rooms, false);
	if (status == ST_OK)
		status = read_parts(store, &list_blockers, true);
	if (status != ST_OK)
		return status;
	for (unsigned i = 0;
	     i < store->about_count && !buf_overflowed(&store->lists); i++)
		if (i == 0 || store->about[i].user != store->about[i - 1].user)
			answer_user(store, &store->about[i]);
	keep(store, batch, entry);
	return ST_OK;
}

static enum status read_rooms(struct answer_store *store, struct batch *batch)
{
	enum status status = ST_OK;

	for (unsigned i = 0; i < store->count && status == ST_OK; i++)
		status = answer_rooms(store, batch, store->asked[i].entry);
	return status;
}

/* --- a block list that has changed --------------------------------------- */
static struct asked *find_change(struct answer_store *store, uint64_t user,
                                 uint64_t blocked, struct asked *from)
{
	for (; from < store->asked + store->count; from++)
		if (from->entry->record.sender == user &&
		    from->entry->record.user_to == blocked)
			return from;
	return NULL;
}

static enum status mark_blocks(struct answer_store *store)
{
	struct sql_value row[2];
	enum status status = sql_bulk_run(store->sql, &find_blocks,
	                                  store->values, store->count);

	while (status == ST_OK) {
		struct asked *asked = store->asked;

		status = sql_fetch(store->sql, row, 2);
		if (status != ST_OK)
			break;
		while ((asked = find_change(store, row[0].number, row[1].number,
		                            asked)))
			asked++->blocks = true;
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static enum status read_blocks(struct answer_store *store, struct batch *batch)
{
	enum status status;

	for (unsigned i = 0; i < store->count; i++) {
		const struct save_record *record =
			&store->asked[i].entry->record;

		store->values[i * 2] = sql_number(record->sender);
		store->values[i * 2 + 1] = sql_number(record->user_to);
	}
	status = mark_blocks(store);
	for (unsigned i = 0; i < store->count && status == ST_OK; i++) {
		struct asked *asked = &store->asked[i];

		buf_clear(&store->answer);
		buf_byte(&store->answer, asked->blocks ? '+' : '-');
		buf_number(&store->answer, asked->entry->record.sender);
		keep(store, batch, asked->entry);
	}
	return status;
}

/* --- rosters ------------------------------------------------------------- */
static enum status read_roster(struct answer_store *store,
                               const struct batch_entry *entry)
{
	struct sql_value values[] = {sql_number(entry->record.sender),
	                             sql_number(entry->record.conversation)};
	struct sql_value row;
	enum status status =
		sql_run(store->sql, list_roster, values, ARRAY_LEN(values));
	bool first = true;

	buf_clear(&store->answer);
	buf_number(&store->answer, entry->record.conversation);
	buf_byte(&store->answer, ':');
	while (status == ST_OK) {
		status = sql_fetch(store->sql, &row, 1);
		if (status != ST_OK)
			break;
		if (!first)
			buf_byte(&store->answer, ',');
		buf_number(&store->answer, row.number);
		first = false;
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static enum status read_rosters(struct answer_store *store, struct batch *batch)
{
	for (unsigned i = 0; i < store->count; i++) {
		enum status status = read_roster(store, store->asked[i].entry);

		if (status != ST_OK)
			return status;
		keep(store, batch, store->asked[i].entry);
	}
	return ST_OK;
}

enum status answer_store_read(struct answer_store *store, struct batch *batch,
                              unsigned from, unsigned to)
{
	static const struct {
		enum save_kind kind;
		enum status (*read)(struct answer_store *store,
		                    struct batch *batch);
	} kinds[] = {
		{SAVE_BLOCKED, read_blocks},
		{SAVE_ROOMS, read_rooms},
		{SAVE_ROSTER, read_rosters},
	};
	enum status status = ST_OK;

	for (unsigned i = 0; i < ARRAY_LEN(kinds) && status == ST_OK; i++) {
		collect(store, batch, kinds[i].kind, from, to);
		if (store->count)
			status = kinds[i].read(store, batch);
	}
	return status;
}
