#include "persistence-service/save/change/change_store.h"

#include "common/base/mem.h"
#include "common/wire/pair.h"
#include "common/wire/reaction.h"
#include "persistence-service/sql_time.h"

#include <string.h>

/* The numbers of the column revisions.kind. */
enum message_change_kind {
	CHANGE_EDIT = 1,
	CHANGE_DELETE = 2,
	CHANGE_REACT = 3
};

enum { KNOWN_COLUMNS = 8, REF_COLUMNS = 13 };

struct change_store {
	struct sql *sql;
};

/* What a uuid names: a change, or an entry of a history (kind 0). */
static const char find_known[] =
	"SELECT CAST(r.kind AS UNSIGNED), r.conversation, r.seq, r.revision,"
	" r.created_at, r.reaction, CAST(r.removed AS UNSIGNED), x.body"
	" FROM revisions r JOIN messages x"
	" ON x.conversation = r.conversation AND x.seq = r.seq"
	" WHERE r.sender = ? AND r.uuid = ?"
	" UNION ALL SELECT CAST(0 AS UNSIGNED), conversation, seq,"
	" CAST(0 AS UNSIGNED), created_at, '', CAST(0 AS UNSIGNED), ''"
	" FROM messages"
	" WHERE sender = ? AND uuid = ? AND kind <> 3";
static const char find_message[] =
	"SELECT c.kind, c.last_seq, c.revision, c.large, m.role, m.from_seq,"
	" x.seq, x.sender, x.kind, x.deleted_at, c.ckey,"
	" (SELECT COUNT(*) FROM blocks WHERE user = ? AND blocked = ?),"
	" (SELECT COUNT(*) FROM blocks WHERE user = ? AND blocked = ?)"
	" FROM conversations c"
	" JOIN members m ON m.user = ? AND m.conversation = c.id"
	" LEFT JOIN messages x ON x.conversation = c.id AND x.seq = ?"
	" WHERE c.id = ? AND c.deleted_at IS NULL FOR UPDATE";
/* The unique key of messages is that of all uuids: see the schema. */
static const char claim_uuid[] =
	"INSERT INTO messages (conversation, seq, sender, uuid, created_at,"
	" body, kind) VALUES (0, UUID_SHORT(), ?, ?, ?, '', 3)";
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
/* A whole room may have reacted: these two read one key each. */
static const char has_reaction[] =
	"SELECT reaction FROM reactions WHERE conversation = ? AND seq = ?"
	" AND reaction = ? LIMIT 1";
static const char next_reaction[] =
	"SELECT reaction FROM reactions WHERE conversation = ? AND seq = ?"
	" AND reaction > ? ORDER BY reaction LIMIT 1";
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

struct change_store *change_store_create(struct sql *sql)
{
	struct change_store *store = mem_new(sizeof(*store));

	store->sql = sql;
	return store;
}

void change_store_destroy(struct change_store **store)
{
	mem_free(store);
}

static enum message_change_kind kind_of(const struct saved_change *change)
{
	return change->kind == CLIENT_EDIT     ? CHANGE_EDIT
	       : change->kind == CLIENT_DELETE ? CHANGE_DELETE
	                                       : CHANGE_REACT;
}

static enum client_frame_kind frame_of(uint64_t kind)
{
	return kind == CHANGE_EDIT     ? CLIENT_EDIT
	       : kind == CHANGE_DELETE ? CLIENT_DELETE
	                               : CLIENT_REACT;
}

/* --- reading ------------------------------------------------------------- */
enum status change_store_find(struct change_store *store,
                              const struct save_record *record,
                              struct text_store *texts,
                              struct known_change *ret_known)
{
	struct sql_value sender = sql_number(record->sender);
	struct sql_value uuid = sql_bytes(uuid_span(&record->uuid));
	struct sql_value values[] = {sender, uuid, sender, uuid};
	struct sql_value row[KNOWN_COLUMNS];
	struct saved_change *change = &ret_known->change;
	enum status status =
		sql_run(store->sql, find_known, values, ARRAY_LEN(values));

	if (status == ST_OK)
		status = sql_fetch(store->sql, row, KNOWN_COLUMNS);
	if (status != ST_OK)
		return status;
	ret_known->is_change = row[0].number != 0;
	*change = (struct saved_change){
		.kind = frame_of(row[0].number),
		.conversation = row[1].number,
		.seq = row[2].number,
		.revision = row[3].number,
		.remove = row[6].number != 0,
		.uuid = record->uuid,
		.user = record->sender,
	};
	(void)sql_time_read(row[4].bytes, &change->created_at_ms);
	if (change->kind == CLIENT_REACT)
		change->reaction = text_store_keep(texts, row[5].bytes);
	else if (change->kind == CLIENT_EDIT &&
	         span_equal(row[7].bytes, record->message))
		change->message = record->message;
	return ST_OK;
}

static void read_pair(struct span key, struct message_ref *ref)
{
	struct pair pair;

	ref->direct = pair_read(key, &pair);
	if (ref->direct) {
		ref->low = pair.low;
		ref->high = pair.high;
	}
}

enum status change_store_lock(struct change_store *store,
                              const struct save_record *record,
                              struct message_ref *ret_ref)
{
	struct sql_value sender = sql_number(record->sender);
	struct sql_value other = sql_number(record->user_to);
	struct sql_value values[] = {
		other,
		sender,
		sender,
		other,
		sender,
		sql_number(record->seq),
		sql_number(record->conversation),
	};
	struct sql_value row[REF_COLUMNS];
	enum status status =
		sql_run(store->sql, find_message, values, ARRAY_LEN(values));

	if (status == ST_OK)
		status = sql_fetch(store->sql, row, REF_COLUMNS);
	if (status != ST_OK)
		return status;
	*ret_ref = (struct message_ref){
		.last_seq = row[1].number,
		.revision = row[2].number,
		.large = row[3].number != 0,
		.role = row[4].number,
		.from_seq = row[5].number,
		.exists = row[6].kind != SQL_NULL,
		.author = row[7].number,
		.kind = row[8].number,
		.deleted = row[9].kind != SQL_NULL,
		.is_blocked = row[11].number != 0,
		.blocks = row[12].number != 0,
	};
	read_pair(row[10].bytes, ret_ref);
	return ST_OK;
}

static enum status find_reaction(struct change_store *store,
                                 const char *statement,
                                 const struct save_record *record,
                                 struct span reaction,
                                 char ret_found[REACTION_MAX + 1])
{
	struct sql_value values[] = {sql_number(record->conversation),
	                             sql_number(record->seq),
	                             sql_bytes(reaction)};
	struct sql_value row[1];
	enum status status =
		sql_run(store->sql, statement, values, ARRAY_LEN(values));

	if (status == ST_OK)
		status = sql_fetch(store->sql, row, 1);
	if (status != ST_OK)
		return status;
	if (row[0].bytes.len > REACTION_MAX)
		return ST_BROKEN;
	memcpy(ret_found, row[0].bytes.data, row[0].bytes.len);
	ret_found[row[0].bytes.len] = '\0';
	return ST_OK;
}

enum status change_store_reaction_fits(struct change_store *store,
                                       const struct save_record *record,
                                       unsigned max, bool *ret_fits)
{
	char found[REACTION_MAX + 1] = "";
	enum status status = find_reaction(store, has_reaction, record,
	                                   record->reaction, found);
	unsigned different = 0;

	if (status == ST_OK)
		*ret_fits = true;
	if (status != ST_NOT_FOUND)
		return status;
	found[0] = '\0';
	do
		status = find_reaction(store, next_reaction, record,
		                       span_of(found), found);
	while (status == ST_OK && ++different < max);
	if (status != ST_OK && status != ST_NOT_FOUND)
		return status;
	*ret_fits = different < max;
	return ST_OK;
}

/* --- writing ------------------------------------------------------------- */
static enum status claim(struct change_store *store,
                         const struct saved_change *change, struct span time)
{
	struct sql_value values[] = {sql_number(change->user),
	                             sql_bytes(uuid_span(&change->uuid)),
	                             sql_bytes(time)};

	return sql_run(store->sql, claim_uuid, values, ARRAY_LEN(values));
}

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
		sql_number(kind_of(change)),
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

enum status change_store_write(struct change_store *store,
                               const struct saved_change *change)
{
	struct sql_time time = sql_time_of(change->created_at_ms);
	struct span text = span_make(time.text, SQL_TIME_LEN);
	enum status status = claim(store, change, text);

	if (status == ST_OK)
		status = change->kind == CLIENT_EDIT
		                 ? write_edit(store, change, text)
		         : change->kind == CLIENT_DELETE
		                 ? write_deletion(store, change, text)
		                 : write_reaction(store, change);
	if (status != ST_OK)
		return status;
	return record_revision(store, change, text);
}
