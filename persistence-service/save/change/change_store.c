#include "persistence-service/save/change/change_store.h"

#include "common/base/mem.h"
#include "persistence-service/conversation.h"
#include "persistence-service/sql_time.h"

/* The numbers of the column revisions.kind. */
enum message_change_kind {
	CHANGE_EDIT = 1,
	CHANGE_DELETE = 2,
	CHANGE_REACT = 3
};

enum { KNOWN_COLUMNS = 9, REF_COLUMNS = 10 };

struct change_store {
	struct sql *sql;
	struct rosters *rosters;
	unsigned reactions_max;
};

/* The message that a change names, and its conversation, both rows locked. */
struct message_ref {
	bool direct;
	uint64_t last_seq;
	uint64_t revision;
	bool large;
	uint64_t role;
	uint64_t from_seq;
	bool exists; /* the message, not only the conversation */
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
static const char find_message[] =
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
static const char set_message_revision[] =
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
static const char insert_revision[] =
	"INSERT INTO revisions (conversation, revision, seq, kind, sender,"
	" uuid, reaction, removed, created_at) VALUES (?,?,?,?,?,?,?,?,?)";
static const char set_last_revision[] =
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

static enum message_change_kind kind_of(const struct save_record *record)
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

/* --- duplicates ---------------------------------------------------------- */
/* An edit that a later edit replaced has no text any more. */
static void fill_known(struct batch *batch, struct batch_entry *entry,
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
		batch_keep_text(batch, entry, &change->reaction, row[5].bytes);
	else if (change->kind == CLIENT_EDIT && row[7].number)
		batch_keep_text(batch, entry, &change->message, row[8].bytes);
}

static enum status find_duplicate(struct change_store *store,
                                  struct batch *batch,
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
		fill_known(batch, entry, row);
	return status == ST_NOT_FOUND ? ST_OK : status;
}

/* --- checks -------------------------------------------------------------- */
/* ST_NOT_FOUND: no such conversation, or the sender is no member of it. */
static enum status read_message_ref(struct change_store *store,
                                    const struct save_record *record,
                                    struct message_ref *ret_ref)
{
	struct sql_value values[] = {sql_number(record->sender),
	                             sql_number(record->seq),
	                             sql_number(record->conversation)};
	struct sql_value row[REF_COLUMNS];
	enum status status =
		sql_run(store->sql, find_message, values, ARRAY_LEN(values));

	if (status == ST_OK)
		status = sql_fetch(store->sql, row, REF_COLUMNS);
	if (status != ST_OK)
		return status;
	*ret_ref = (struct message_ref){
		.direct = row[0].number == KIND_DIRECT,
		.last_seq = row[1].number,
		.revision = row[2].number,
		.large = row[3].number != 0,
		.role = row[4].number,
		.from_seq = row[5].number,
		.exists = row[6].kind != SQL_NULL,
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

static bool is_allowed(const struct save_record *record,
                       const struct message_ref *ref)
{
	if (record->kind == SAVE_REACT || record->sender == ref->author)
		return true;
	return record->kind == SAVE_DELETE && !ref->direct &&
	       ref->role >= ROLE_ADMIN;
}

static bool is_visible(const struct save_record *record,
                       const struct message_ref *ref)
{
	return ref->exists && ref->kind == ENTRY_MESSAGE &&
	       record->seq > ref->from_seq && !ref->deleted;
}

/* --- SQL ----------------------------------------------------------------- */
static enum status write_edit(struct change_store *store,
                              const struct saved_change *change,
                              struct span time)
{
	struct sql_value values[] = {
		sql_number(change->revision), sql_bytes(time),
		sql_bytes(change->message),   sql_number(change->conversation),
		sql_number(change->seq),
	};

	return sql_run(store->sql, edit_message, values, ARRAY_LEN(values));
}

static enum status write_deletion(struct change_store *store,
                                  const struct saved_change *change,
                                  struct span time)
{
	struct sql_value values[] = {
		sql_number(change->revision),
		sql_bytes(time),
		sql_number(change->conversation),
		sql_number(change->seq),
	};
	enum status status =
		sql_run(store->sql, delete_message, values, ARRAY_LEN(values));

	if (status != ST_OK)
		return status;
	return sql_run(store->sql, delete_reactions, &values[2], 2);
}

/* Whether the message may have this reaction besides its present ones. */
static enum status check_reaction_limit(struct change_store *store,
                                        const struct save_record *record,
                                        bool *ret_within_limit)
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
		*ret_within_limit =
			row[1].number || row[0].number < store->reactions_max;
	return status;
}

static enum status write_reaction(struct change_store *store,
                                  const struct saved_change *change)
{
	struct sql_value values[] = {
		sql_number(change->conversation),
		sql_number(change->seq),
		sql_bytes(change->reaction),
		sql_number(change->user),
	};
	struct sql_value message_values[] = {sql_number(change->revision),
	                                     values[0], values[1]};
	enum status status = sql_run(
		store->sql, change->remove ? remove_reaction : add_reaction,
		values, ARRAY_LEN(values));

	if (status != ST_OK)
		return status;
	return sql_run(store->sql, set_message_revision, message_values,
	               ARRAY_LEN(message_values));
}

static enum status record_revision(struct change_store *store,
                                   const struct save_record *record,
                                   const struct saved_change *change,
                                   struct span time)
{
	/* A span without data would be NULL. */
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
	struct sql_value conversation_values[] = {
		sql_number(change->revision), sql_number(change->conversation)};
	enum status status =
		sql_run(store->sql, insert_revision, values, ARRAY_LEN(values));

	if (status != ST_OK)
		return status;
	return sql_run(store->sql, set_last_revision, conversation_values,
	               ARRAY_LEN(conversation_values));
}

static enum status apply(struct change_store *store, struct batch_entry *entry,
                         const struct message_ref *ref, uint64_t now_ms)
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
		.revision = ref->revision + 1,
		.user = entry->record.sender,
		.message = entry->record.message,
		.reaction = entry->record.reaction,
		.created_at_ms = now_ms,
	};
	entry->outcome = OUTCOME_SAVED;
	status = change->kind == CLIENT_EDIT ? write_edit(store, change, text)
	         : change->kind == CLIENT_DELETE
	                 ? write_deletion(store, change, text)
	                 : write_reaction(store, change);
	if (status != ST_OK)
		return status;
	return record_revision(store, &entry->record, change, text);
}

static enum status process_new(struct change_store *store,
                               struct batch_entry *entry, uint64_t now_ms)
{
	const struct save_record *record = &entry->record;
	struct message_ref ref;
	bool within_limit = true;
	enum status status = read_message_ref(store, record, &ref);

	if (status == ST_NOT_FOUND)
		return refuse(entry, FRAME_UNKNOWN_CONVERSATION,
		              "there is no such conversation");
	if (status != ST_OK)
		return status;
	if (!is_visible(record, &ref))
		return refuse(entry, FRAME_UNKNOWN_MESSAGE,
		              "there is no such message");
	if (!is_allowed(record, &ref))
		return refuse(entry, FRAME_NOT_ALLOWED,
		              "you may not change this message");
	if (record->kind == SAVE_REACT && !record->remove)
		status = check_reaction_limit(store, record, &within_limit);
	if (status != ST_OK)
		return status;
	if (!within_limit)
		return refuse(entry, FRAME_TOO_MANY,
		              "the message has the highest number of different "
		              "reactions");
	rosters_request(store->rosters, record->conversation,
	                ref.direct ? 0 : ref.last_seq, ref.large);
	return apply(store, entry, &ref, now_ms);
}

/* --- one batch ----------------------------------------------------------- */
static enum status process(struct change_store *store, struct batch *batch,
                           struct batch_entry *entry, uint64_t now_ms)
{
	enum status status;

	entry->outcome = OUTCOME_OPEN;
	entry->text = NULL;
	status = find_duplicate(store, batch, entry);
	if (status == ST_OK && entry->outcome == OUTCOME_OPEN)
		status = process_new(store, entry, now_ms);
	return status;
}

enum status change_store_write(struct change_store *store, struct batch *batch,
                               unsigned from, unsigned to, uint64_t now_ms)
{
	enum status status = ST_OK;

	for (unsigned i = from; i < to && status == ST_OK; i++)
		if (is_change(&batch->entries[i]))
			status = process(store, batch, &batch->entries[i],
			                 now_ms);
	if (status == ST_OK)
		status = rosters_load(store->rosters, batch);
	for (unsigned i = from; i < to && status == ST_OK; i++) {
		struct batch_entry *entry = &batch->entries[i];

		if (is_change(entry) && entry->outcome == OUTCOME_SAVED)
			entry->roster = rosters_get(store->rosters,
			                            entry->change.conversation);
	}
	return status;
}
