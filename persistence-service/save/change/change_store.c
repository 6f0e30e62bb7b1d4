#include "persistence-service/save/change/change_store.h"

#include "common/base/mem.h"
#include "persistence-service/conversation.h"
#include "persistence-service/sql_time.h"

/* As the table revisions has them. */
enum change_kind { CHANGE_EDIT = 1, CHANGE_DELETE = 2, CHANGE_REACT = 3 };

enum { KNOWN_COLUMNS = 9, PLACE_COLUMNS = 10 };

struct change_store {
	struct sql *sql;
	struct rosters *rosters;
	unsigned reactions_max;
};

/* What a change is about, with its rows locked. */
struct place {
	bool direct;
	uint64_t last_seq;
	uint64_t revision;
	bool large;
	uint64_t role;
	uint64_t from_seq;
	bool there; /* the message */
	uint64_t author;
	uint64_t kind;
	bool deleted;
};

static const char find_known[] =
	"SELECT r.kind, r.conversation, r.seq, r.revision, r.created_at,"
	" r.reaction, r.removed,"
	" CAST(IF(x.revision = r.revision, 1, 0) AS UNSIGNED), x.body"
	" FROM revisions r JOIN messages x"
	" ON x.conversation = r.conversation AND x.seq = r.seq"
	" WHERE r.sender = ? AND r.uuid = ?";
static const char find_place[] =
	"SELECT c.kind, c.last_seq, c.revision, c.large, m.role, m.from_seq,"
	" x.seq, x.sender, x.kind, x.deleted_at"
	" FROM conversations c"
	" JOIN members m ON m.user = ? AND m.conversation = c.id"
	" LEFT JOIN messages x ON x.conversation = c.id AND x.seq = ?"
	" WHERE c.id = ? AND c.deleted_at IS NULL FOR UPDATE";
static const char edit_message[] =
	"UPDATE messages SET revision = ?, edited_at = ?, body = ?"
	" WHERE conversation = ? AND seq = ?";
static const char delete_message[] =
	"UPDATE messages SET revision = ?, deleted_at = ?, body = ''"
	" WHERE conversation = ? AND seq = ?";
static const char delete_reactions[] =
	"DELETE FROM reactions WHERE conversation = ? AND seq = ?";
static const char touch_message[] =
	"UPDATE messages SET revision = ? WHERE conversation = ? AND seq = ?";
static const char count_reactions[] =
	"SELECT CAST(COUNT(DISTINCT reaction) AS UNSIGNED),"
	" CAST(COALESCE(MAX(reaction = ?), 0) AS UNSIGNED)"
	" FROM reactions WHERE conversation = ? AND seq = ?";
static const char add_reaction[] =
	"INSERT INTO reactions (conversation, seq, reaction, user)"
	" VALUES (?,?,?,?) ON DUPLICATE KEY UPDATE user = VALUES(user)";
static const char remove_reaction[] =
	"DELETE FROM reactions WHERE conversation = ? AND seq = ?"
	" AND reaction = ? AND user = ?";
static const char note_revision[] =
	"INSERT INTO revisions (conversation, revision, seq, kind, sender,"
	" uuid, reaction, removed, created_at) VALUES (?,?,?,?,?,?,?,?,?)";
static const char raise_revision[] =
	"UPDATE conversations SET revision = ? WHERE id = ?";

struct change_store *change_store_create(struct sql *sql,
                                         struct rosters *rosters,
                                         unsigned reactions_max)
{
	struct change_store *store = mem_new(sizeof(*store));

	store->sql = sql;
	store->rosters = rosters;
	store->reactions_max = reactions_max;
	return store;
}

void change_store_destroy(struct change_store **store)
{
	mem_free(store);
}

static enum change_kind kind_of(const struct save_record *record)
{
	return record->kind == SAVE_EDIT     ? CHANGE_EDIT
	       : record->kind == SAVE_DELETE ? CHANGE_DELETE
	                                     : CHANGE_REACT;
}

static enum client_frame_kind frame_of(uint64_t kind)
{
	return kind == CHANGE_EDIT     ? CLIENT_EDIT
	       : kind == CHANGE_DELETE ? CLIENT_DELETE
	                               : CLIENT_REACT;
}

static bool is_change(const struct batch_entry *entry)
{
	return (entry->record.kind == SAVE_EDIT ||
	        entry->record.kind == SAVE_DELETE ||
	        entry->record.kind == SAVE_REACT) &&
	       entry->outcome != OUTCOME_DEAD;
}

/* --- known before -------------------------------------------------------- */
/* An edit that was edited again is only answered: its text is gone. */
static void take_known(struct batch *batch, struct batch_entry *entry,
                       const struct sql_value *row)
{
	struct saved_change *change = &entry->change;

	*change = (struct saved_change){
		.kind = frame_of(row[0].number),
		.conversation = row[1].number,
		.seq = row[2].number,
		.revision = row[3].number,
		.remove = row[6].number != 0,
		.uuid = entry->record.uuid,
		.user = entry->record.sender,
	};
	(void)sql_time_read(row[4].bytes, &change->created_at_ms);
	entry->outcome = OUTCOME_DUPLICATE;
	if (change->kind == CLIENT_REACT)
		batch_keep(batch, entry, &change->reaction, row[5].bytes);
	else if (change->kind == CLIENT_EDIT && row[7].number)
		batch_keep(batch, entry, &change->message, row[8].bytes);
}

static enum status look_known(struct change_store *store, struct batch *batch,
                              struct batch_entry *entry)
{
	struct sql_value values[] = {sql_number(entry->record.sender),
	                             sql_bytes(uuid_span(&entry->record.uuid))};
	struct sql_value row[KNOWN_COLUMNS];
	enum status status =
		sql_run(store->sql, find_known, values, ARRAY_LEN(values));

	if (status == ST_OK)
		status = sql_fetch(store->sql, row, KNOWN_COLUMNS);
	if (status == ST_OK)
		take_known(batch, entry, row);
	return status == ST_NOT_FOUND ? ST_OK : status;
}

/* --- may it be? ---------------------------------------------------------- */
/* ST_NOT_FOUND: no such conversation, or the sender is not in it. */
static enum status read_place(struct change_store *store,
                              const struct save_record *record,
                              struct place *ret_place)
{
	struct sql_value values[] = {sql_number(record->sender),
	                             sql_number(record->seq),
	                             sql_number(record->conversation)};
	struct sql_value row[PLACE_COLUMNS];
	enum status status =
		sql_run(store->sql, find_place, values, ARRAY_LEN(values));

	if (status == ST_OK)
		status = sql_fetch(store->sql, row, PLACE_COLUMNS);
	if (status != ST_OK)
		return status;
	*ret_place = (struct place){
		.direct = row[0].number == KIND_DIRECT,
		.last_seq = row[1].number,
		.revision = row[2].number,
		.large = row[3].number != 0,
		.role = row[4].number,
		.from_seq = row[5].number,
		.there = row[6].kind != SQL_NULL,
		.author = row[7].number,
		.kind = row[8].number,
		.deleted = row[9].kind != SQL_NULL,
	};
	return ST_OK;
}

static enum status refuse(struct batch_entry *entry, enum frame_code code,
                          const char *why)
{
	entry->outcome = OUTCOME_REFUSED;
	entry->code = code;
	entry->why = why;
	return ST_OK;
}

static bool may(const struct save_record *record, const struct place *place)
{
	if (record->kind == SAVE_REACT || record->sender == place->author)
		return true;
	return record->kind == SAVE_DELETE && !place->direct &&
	       place->role >= ROLE_ADMIN;
}

static bool is_there(const struct save_record *record,
                     const struct place *place)
{
	return place->there && place->kind == ENTRY_MESSAGE &&
	       record->seq > place->from_seq && !place->deleted;
}

/* --- doing it ------------------------------------------------------------ */
static enum status edit(struct change_store *store,
                        const struct saved_change *change, struct span time)
{
	struct sql_value values[] = {
		sql_number(change->revision), sql_bytes(time),
		sql_bytes(change->message),   sql_number(change->conversation),
		sql_number(change->seq),
	};

	return sql_run(store->sql, edit_message, values, ARRAY_LEN(values));
}

static enum status delete (struct change_store *store,
                           const struct saved_change *change,
                           struct span time) {
	struct sql_value values[] =
		{
			sql_number(change->revision),
			sql_bytes(time),
			sql_number(change->conversation),
			sql_number(change->seq),
		};
	enum status status = sql_run(store->sql, delete_message, values,
	                             ARRAY_LEN(values));

	if (status != ST_OK) return status;
	return sql_run(store->sql, delete_reactions, &values[2], 2);
}

/* Whether the message may have this reaction beside those that it has. */
static enum status check_room(struct change_store *store,
                              const struct save_record *record, bool *ret_room)
{
	struct sql_value values[] = {sql_bytes(record->reaction),
	                             sql_number(record->conversation),
	                             sql_number(record->seq)};
	struct sql_value row[2];
	enum status status =
		sql_run(store->sql, count_reactions, values, ARRAY_LEN(values));

	if (status == ST_OK)
		status = sql_fetch(store->sql, row, 2);
	if (status == ST_OK)
		*ret_room =
			row[1].number || row[0].number < store->reactions_max;
	return status;
}

static enum status react(struct change_store *store,
                         const struct saved_change *change)
{
	struct sql_value values[] = {
		sql_number(change->conversation),
		sql_number(change->seq),
		sql_bytes(change->reaction),
		sql_number(change->user),
	};
	struct sql_value touch[] = {sql_number(change->revision), values[0],
	                            values[1]};
	enum status status = sql_run(
		store->sql, change->remove ? remove_reaction : add_reaction,
		values, ARRAY_LEN(values));

	if (status != ST_OK)
		return status;
	return sql_run(store->sql, touch_message, touch, ARRAY_LEN(touch));
}

static enum status note(struct change_store *store,
                        const struct save_record *record,
                        const struct saved_change *change, struct span time)
{
	/* No bytes at all would be NULL. */
	struct sql_value reaction =
		sql_bytes(change->reaction.len ? change->reaction : SPAN(""));
	struct sql_value values[] = {
		sql_number(change->conversation),
		sql_number(change->revision),
		sql_number(change->seq),
		sql_number(kind_of(record)),
		sql_number(change->user),
		sql_bytes(uuid_span(&change->uuid)),
		reaction,
		sql_number(change->remove),
		sql_bytes(time),
	};
	struct sql_value raised[] = {sql_number(change->revision),
	                             sql_number(change->conversation)};
	enum status status =
		sql_run(store->sql, note_revision, values, ARRAY_LEN(values));

	if (status != ST_OK)
		return status;
	return sql_run(store->sql, raise_revision, raised, ARRAY_LEN(raised));
}

static enum status apply(struct change_store *store, struct batch_entry *entry,
                         const struct place *place, uint64_t now_ms)
{
	struct sql_time time = sql_time_of(now_ms);
	struct span text = span_make(time.text, SQL_TIME_LEN);
	struct saved_change *change = &entry->change;
	enum status status;

	*change = (struct saved_change){
		.kind = frame_of(kind_of(&entry->record)),
		.remove = entry->record.remove,
		.uuid = entry->record.uuid,
		.conversation = entry->record.conversation,
		.seq = entry->record.seq,
		.revision = place->revision + 1,
		.user = entry->record.sender,
		.message = entry->record.message,
		.reaction = entry->record.reaction,
		.created_at_ms = now_ms,
	};
	entry->outcome = OUTCOME_SAVED;
	status = change->kind == CLIENT_EDIT     ? edit(store, change, text)
	         : change->kind == CLIENT_DELETE ? delete (store, change, text)
	                                         : react(store, change);
	if (status != ST_OK)
		return status;
	return note(store, &entry->record, change, text);
}

static enum status change_one(struct change_store *store,
                              struct batch_entry *entry, uint64_t now_ms)
{
	const struct save_record *record = &entry->record;
	struct place place;
	bool room = true;
	enum status status = read_place(store, record, &place);

	if (status == ST_NOT_FOUND)
		return refuse(entry, FRAME_UNKNOWN_CONVERSATION,
		              "there is no such conversation");
	if (status != ST_OK)
		return status;
	if (!is_there(record, &place))
		return refuse(entry, FRAME_UNKNOWN_MESSAGE,
		              "there is no such message");
	if (!may(record, &place))
		return refuse(entry, FRAME_NOT_ALLOWED,
		              "you may not change this message");
	if (record->kind == SAVE_REACT && !record->remove)
		status = check_room(store, record, &room);
	if (status != ST_OK)
		return status;
	if (!room)
		return refuse(entry, FRAME_TOO_MANY,
		              "the message has as many different reactions as "
		              "there may be");
	entry->heard = true;
	rosters_want(store->rosters, record->conversation,
	             place.direct ? 0 : place.last_seq, place.large);
	return apply(store, entry, &place, now_ms);
}

/* --- all of a batch ------------------------------------------------------ */
/* Who hears of a duplicate are those who are in it today. */
static enum status want_duplicate(struct change_store *store,
                                  struct batch_entry *entry)
{
	struct save_record record = {.sender = entry->record.sender,
	                             .conversation = entry->change.conversation,
	                             .seq = entry->change.seq};
	struct place place;
	enum status status = read_place(store, &record, &place);

	entry->heard = status == ST_OK;
	if (entry->heard)
		rosters_want(store->rosters, record.conversation,
		             place.direct ? 0 : place.last_seq, place.large);
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static enum status take(struct change_store *store, struct batch *batch,
                        struct batch_entry *entry, uint64_t now_ms)
{
	enum status status;

	entry->outcome = OUTCOME_OPEN;
	entry->heard = false;
	entry->text = NULL;
	status = look_known(store, batch, entry);
	if (status == ST_OK && entry->outcome == OUTCOME_OPEN)
		return change_one(store, entry, now_ms);
	if (status == ST_OK)
		status = want_duplicate(store, entry);
	return status;
}

enum status change_store_write(struct change_store *store, struct batch *batch,
                               unsigned from, unsigned to, uint64_t now_ms)
{
	enum status status = ST_OK;

	for (unsigned i = from; i < to && status == ST_OK; i++)
		if (is_change(&batch->entries[i]))
			status = take(store, batch, &batch->entries[i], now_ms);
	if (status == ST_OK)
		status = rosters_load(store->rosters, batch);
	for (unsigned i = from; i < to && status == ST_OK; i++) {
		struct batch_entry *entry = &batch->entries[i];

		if (is_change(entry) && entry->heard)
			entry->roster = rosters_get(store->rosters,
			                            entry->change.conversation);
	}
	return status;
}
