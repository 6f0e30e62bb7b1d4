#include "persistence-service/rest/membership/membership_change.h"

#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "common/wire/event.h"
#include "common/wire/name.h"
#include "persistence-service/outbox.h"
#include "persistence-service/rest/membership/member_store.h"

#include <string.h>

enum {
	TEXT_MAX = 16 * 1024,
	ROW_COLUMNS = 8,
	KEY_MAX = 64,
	/* Another process has written each seq that is taken. */
	CLAIMS_MAX = 100,
};

void membership_change_init(struct membership_change *c, struct sql *sql,
                            const struct settings *settings)
{
	*c = (struct membership_change){
		.sql = sql,
		.fanout_list_max = settings->fanout_list_max,
		.name = BUF(NAME_MAX_BYTES),
		.text = BUF(TEXT_MAX),
		.frame = BUF(FRAME_OUT_MAX),
		.target = BUF(OUTBOX_TEXT_MAX),
		.room = BUF(OUTBOX_TEXT_MAX),
	};
}

void membership_change_free(struct membership_change *c)
{
	buf_free(&c->name);
	buf_free(&c->text);
	buf_free(&c->frame);
	buf_free(&c->target);
	buf_free(&c->room);
}

void membership_change_begin(struct membership_change *c)
{
	c->claimed_seq = c->claimed_id = c->event_row = 0;
}

static void set_context(struct membership_change *c, uint64_t actor)
{
	c->now_ms = clock_unix_ms();
	c->now = sql_time_of(c->now_ms);
	c->actor = actor;
	buf_clear(&c->name);
}

static struct span now_text(const struct membership_change *c)
{
	return span_make(c->now.text, SQL_TIME_LEN);
}

/* --- the row ------------------------------------------------------------- */
#define READ_ROW \
	"SELECT kind, history, last_seq, last_message_id, member_count," \
	" large, deleted_at IS NOT NULL, COALESCE(name, '')" \
	" FROM conversations WHERE id = ?"

enum status membership_change_open(struct membership_change *c,
                                   uint64_t conversation, uint64_t actor)
{
	struct sql_value value = sql_number(conversation);
	struct sql_value row[ROW_COLUMNS];
	enum status status = sql_run(
		c->sql, c->claimed_seq ? READ_ROW " FOR UPDATE" : READ_ROW,
		&value, 1);

	if (status == ST_OK)
		status = sql_fetch(c->sql, row, ROW_COLUMNS);
	if (status != ST_OK)
		return status;
	if (row[6].number)
		return ST_NOT_FOUND;
	set_context(c, actor);
	c->conversation = conversation;
	c->kind = (enum conversation_kind)row[0].number;
	c->history = (enum history_kind)row[1].number;
	c->last_seq = row[2].number;
	c->last_message_id = row[3].number;
	c->member_count = row[4].number;
	c->large = c->was_large = row[5].number != 0;
	buf_append(&c->name, row[7].bytes);
	if (c->claimed_seq && c->claimed_seq != c->last_seq + 1)
		return ST_CONFLICT;
	return member_store_role(c->sql, conversation, actor, &c->role);
}

/* The key of a group or channel contains the id that the server assigned. */
static enum status set_conversation_key(struct membership_change *c)
{
	struct buf key CLEANUP(buf_free) = BUF(KEY_MAX);
	struct sql_value values[2];

	event_key_room(&key, c->conversation);
	values[0] = sql_bytes(buf_span(&key));
	values[1] = sql_number(c->conversation);
	return sql_run(c->sql, "UPDATE conversations SET ckey = ? WHERE id = ?",
	               values, ARRAY_LEN(values));
}

static enum status insert_row(struct membership_change *c,
                              const struct membership_change_new *made)
{
	char key[UUID_TEXT_LEN + 1];
	struct uuid unique;
	struct sql_value values[6];

	uuid_make(&unique);
	uuid_format(&unique, key);
	values[0] = sql_number(made->kind);
	values[1] = sql_bytes(span_make(key, UUID_TEXT_LEN));
	values[2] = sql_bytes(made->name);
	values[3] = sql_number(made->history);
	values[4] = sql_number(c->actor);
	values[5] = sql_bytes(now_text(c));
	return sql_run(c->sql,
	               "INSERT INTO conversations (kind, ckey, name, history,"
	               " created_by, created_at) VALUES (?, ?, ?, ?, ?, ?)",
	               values, ARRAY_LEN(values));
}

enum status membership_change_open_new(struct membership_change *c,
                                       const struct membership_change_new *made,
                                       uint64_t actor)
{
	enum status status;

	set_context(c, actor);
	c->kind = made->kind;
	c->history = made->history;
	c->role = ROLE_OWNER;
	c->last_seq = c->last_message_id = c->member_count = 0;
	c->large = c->was_large = false;
	buf_append(&c->name, made->name);
	status = insert_row(c, made);
	if (status != ST_OK)
		return status;
	c->conversation = sql_insert_id(c->sql);
	return set_conversation_key(c);
}

enum status membership_change_close(struct membership_change *c)
{
	struct sql_value row[] = {
		sql_number(c->last_seq), sql_number(c->last_message_id),
		sql_number(c->member_count), sql_number(c->large),
		sql_number(c->conversation)};
	enum status status = sql_run(
		c->sql,
		"UPDATE conversations SET last_seq = ?, last_message_id = ?,"
		" member_count = ?, large = ? WHERE id = ?",
		row, ARRAY_LEN(row));

	if (status != ST_OK)
		return status;
	return member_store_mark_read(c->sql, c->conversation, c->actor,
	                              c->last_seq);
}

/* --- the entry ----------------------------------------------------------- */
static void write_body(struct membership_change *c,
                       const struct membership_event *event)
{
	struct json_writer w = json_writer(&c->text);

	buf_clear(&c->text);
	json_open(&w);
	json_text(&w, "what", span_of(event->what));
	if (event->user_count) {
		json_open_array(&w, "users");
		for (unsigned i = 0; i < event->user_count; i++)
			json_number(&w, NULL, event->users[i]);
		json_close_array(&w);
	}
	if (event->owner)
		json_number(&w, "owner", event->owner);
	if (event->role)
		json_text(&w, "role", span_of(member_role_word(event->role)));
	if (event->name.len)
		json_text(&w, "name", event->name);
	if (event->history)
		json_text(&w, "history",
		          span_of(conversation_history_word(event->history)));
	json_close(&w);
}

static enum status insert_entry(struct membership_change *c, uint64_t seq,
                                const struct uuid *uuid, struct span text,
                                uint64_t *ret_id)
{
	struct sql_value values[] = {
		sql_number(c->conversation), sql_number(seq),
		sql_number(c->actor),        sql_bytes(uuid_span(uuid)),
		sql_bytes(now_text(c)),      sql_bytes(text),
	};
	enum status status = sql_run(c->sql,
	                             "INSERT INTO messages (conversation, seq,"
	                             " sender, uuid, created_at, body, kind)"
	                             " VALUES (?, ?, ?, ?, ?, ?, 2)",
	                             values, ARRAY_LEN(values));

	if (status == ST_OK)
		*ret_id = sql_insert_id(c->sql);
	return status;
}

enum status membership_change_claim_seq(struct membership_change *c,
                                        const struct uuid *uuid)
{
	enum status status = ST_CONFLICT;
	uint64_t seq = c->last_seq;

	for (unsigned i = 0; i < CLAIMS_MAX && status == ST_CONFLICT; i++)
		status = insert_entry(c, ++seq, uuid, SPAN(""), &c->claimed_id);
	if (status == ST_OK)
		c->claimed_seq = seq;
	return status;
}

/* The time is taken under the lock, so times ascend with seq. */
static enum status fill_claimed_entry(struct membership_change *c)
{
	struct sql_value values[] = {
		sql_bytes(buf_span(&c->text)), sql_bytes(now_text(c)),
		sql_number(c->conversation), sql_number(c->claimed_seq)};

	return sql_run(c->sql,
	               "UPDATE messages SET body = ?, created_at = ?"
	               " WHERE conversation = ? AND seq = ?",
	               values, ARRAY_LEN(values));
}

enum status membership_change_add_entry(struct membership_change *c,
                                        const struct uuid *uuid,
                                        const struct membership_event *event)
{
	uint64_t seq = c->last_seq + 1, id = c->claimed_id;
	enum status status;

	write_body(c, event);
	if (buf_overflowed(&c->text))
		return ST_BROKEN;
	status = seq == c->claimed_seq
	                 ? fill_claimed_entry(c)
	                 : insert_entry(c, seq, uuid, buf_span(&c->text), &id);
	if (status != ST_OK)
		return status;
	c->last_seq = seq;
	c->last_message_id = id;
	c->entry = (struct saved_message){
		.kind = ENTRY_MEMBER,
		.id = id,
		.conversation = c->conversation,
		.seq = seq,
		.user_from = c->actor,
		.uuid = *uuid,
		.message = buf_span(&c->text),
		.created_at_ms = c->now_ms,
	};
	return ST_OK;
}

/* --- members ------------------------------------------------------------- */
/* The conversation's history kind says which entries a new member sees. */
static uint64_t from_seq_of_new(const struct membership_change *c)
{
	return c->history == HISTORY_ALL ? 0 : c->entry.seq - 1;
}

enum status membership_change_add_members(struct membership_change *c,
                                          const uint64_t *users, unsigned count)
{
	struct new_members new = {
		.conversation = c->conversation,
		.users = users,
		.count = count,
		.owner = c->role == ROLE_OWNER ? c->actor : 0,
		.joined_at = now_text(c),
		.seq = c->entry.seq,
		.from_seq = from_seq_of_new(c),
	};
	enum status status = member_store_add(c->sql, &new);

	if (status == ST_OK)
		status = member_store_delete_departures(c->sql, c->conversation,
		                                        users, count);
	if (status != ST_OK)
		return status;
	c->member_count += count;
	if (c->large)
		return member_store_add_large(c->sql, c->conversation, users,
		                              count);
	c->large = c->member_count > c->fanout_list_max;
	return c->large ? member_store_make_large(c->sql, c->conversation)
	                : ST_OK;
}

enum status membership_change_remove_member(struct membership_change *c,
                                            uint64_t user)
{
	enum status status = member_store_remove(c->sql, c->conversation, user,
	                                         c->large, c->entry.seq);

	if (status == ST_OK && c->member_count)
		c->member_count--;
	return status;
}

/* --- notification -------------------------------------------------------- */
static void add_users(struct buf *key, const uint64_t *users, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		event_key_add(key, users[i]);
}

/* When the conversation becomes large, all its members join the room. */
static enum status target_room(struct membership_change *c,
                               struct event_room *room, const uint64_t *users,
                               unsigned count)
{
	struct buf list CLEANUP(buf_free) = BUF(OUTBOX_TEXT_MAX);
	enum status status = ST_OK;

	event_key_room(&c->target, c->conversation);
	if (!c->was_large) {
		room->sign = '+';
		status =
			member_store_list(c->sql, c->conversation, true, &list);
	} else if (room->sign == '+') {
		for (unsigned i = 0; i < count; i++)
			event_room_add(&list, users[i], from_seq_of_new(c));
	} else if (room->sign == '-') {
		add_users(&list, users, count);
	}
	room->users = buf_span(&list);
	event_room_format(&c->room, room);
	return buf_overflowed(&list) ? ST_BROKEN : status;
}

enum status membership_change_notify(struct membership_change *c, char sign,
                                     const uint64_t *users, unsigned count)
{
	struct event_room room = {c->conversation, c->entry.seq, '=',
	                          SPAN_NONE};
	enum status status;

	buf_clear(&c->target);
	buf_clear(&c->room);
	buf_clear(&c->frame);
	frame_message(&c->frame, &c->entry);
	if (c->large) {
		room.sign = sign;
		status = target_room(c, &room, users, count);
	} else {
		/* Users who have just joined are already among the members. */
		status = member_store_list(c->sql, c->conversation, false,
		                           &c->target);
		if (sign == '-')
			add_users(&c->target, users, count);
		event_room_format(&c->room, &room);
	}
	if (status != ST_OK)
		return status;
	if (buf_overflowed(&c->target) || buf_overflowed(&c->room) ||
	    buf_overflowed(&c->frame))
		return ST_BROKEN;
	status = outbox_put(c->sql,
	                    &(struct outbox_row){
				    .conversation = c->entry.conversation,
				    .kind = OUTBOX_EVENT,
				    .target = buf_span(&c->target),
				    .room = buf_span(&c->room),
				    .body = buf_span(&c->frame),
			    });
	if (status == ST_OK)
		c->event_row = sql_insert_id(c->sql);
	return status;
}
