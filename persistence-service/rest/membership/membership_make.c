/* Makes, edits and deletes groups and channels. */
#include "persistence-service/rest/membership/channel_names.h"
#include "persistence-service/rest/membership/membership_private.h"

struct making {
	const struct new_conversation *wish;
	uint64_t actor;
	uint64_t users[CHANGE_USERS_MAX]; /* the actor first */
	unsigned user_count;
	uint64_t conversation;
	bool made;
};

enum { NO_CONVERSATION = 0 };

/* --- make ---------------------------------------------------------------- */
static enum status name_taken(struct membership *m)
{
	return membership_refuse(m, ST_CONFLICT,
	                         "another channel has this name");
}

static enum status already_made(struct membership *m,
                                const struct membership_entry *entry,
                                uint64_t *ret_conversation)
{
	if (!entry->is_first)
		return membership_refuse(m, ST_CONFLICT,
		                         "this uuid is already in use");
	*ret_conversation = entry->conversation;
	return ST_OK;
}

static enum status add_members(struct membership *m,
                               const struct making *making)
{
	struct membership_event event = {.what = "created",
	                                 .users = making->users,
	                                 .user_count = making->user_count,
	                                 .name = making->wish->name};

	return membership_add_members(m, &event);
}

static enum status make_new(struct membership *m, struct making *making)
{
	const struct new_conversation *wish = making->wish;
	struct membership_change_new made = {.kind = wish->kind,
	                                     .history = wish->history,
	                                     .name = wish->name};
	enum status status =
		membership_check_capacity(m, 0, making->user_count);

	if (status == ST_OK)
		status = membership_check_users(
			m, NO_CONVERSATION, making->users, making->user_count);
	if (status != ST_OK)
		return status;
	membership_change_begin(&m->change);
	status = membership_change_open_new(&m->change, &made, making->actor);
	if (status != ST_OK)
		return status;
	making->conversation = m->change.conversation;
	making->made = true;
	if (wish->kind == KIND_CHANNEL) {
		status = channel_names_claim(m->sql, making->conversation,
		                             wish->name);
		if (status == ST_CONFLICT)
			return name_taken(m);
	}
	return status == ST_OK ? add_members(m, making) : status;
}

static enum status make(struct membership *m, void *context)
{
	struct making *making = context;
	struct membership_entry entry;
	enum status status =
		user_lock_take(m->sql, making->users, making->user_count);

	making->made = false;
	if (status == ST_OK)
		status = membership_find(m, making->actor, &entry);
	if (status == ST_OK)
		return already_made(m, &entry, &making->conversation);
	return status == ST_NOT_FOUND ? make_new(m, making) : status;
}

enum status membership_make(struct membership *m, uint64_t actor,
                            const struct new_conversation *wish,
                            uint64_t *ret_conversation, bool *ret_made)
{
	struct making making = {.wish = wish,
	                        .actor = actor,
	                        .users = {actor},
	                        .user_count = 1 + wish->user_count};
	enum status status;

	for (unsigned i = 0; i < wish->user_count; i++)
		making.users[1 + i] = wish->users[i];
	m->uuid = wish->uuid;
	status = membership_transact(m, make, 0, &making);
	if (status != ST_OK)
		return status;
	*ret_conversation = making.conversation;
	*ret_made = making.made;
	return ST_OK;
}

static enum status find_made(struct membership *m, void *context)
{
	struct making *making = context;
	struct membership_entry entry;
	enum status status = membership_find(m, making->actor, &entry);

	if (status == ST_NOT_FOUND)
		return membership_refuse(m, ST_NOT_FOUND,
		                         "there is no such conversation");
	return status == ST_OK ? already_made(m, &entry, &making->conversation)
	                       : status;
}

enum status membership_made(struct membership *m, uint64_t actor,
                            const struct uuid *uuid, uint64_t *ret_conversation)
{
	struct making making = {.actor = actor};
	enum status status;

	m->uuid = *uuid;
	status = membership_transact(m, find_made, 0, &making);
	if (status == ST_OK)
		*ret_conversation = making.conversation;
	return status;
}

/* --- edit ---------------------------------------------------------------- */
static enum status write_name(struct membership *m, struct span name)
{
	const struct membership_change *c = &m->change;
	struct sql_value values[] = {sql_bytes(name),
	                             sql_number(c->conversation)};

	if (c->kind == KIND_CHANNEL) {
		enum status status =
			channel_names_change(m->sql, c->conversation, name);

		if (status == ST_CONFLICT)
			return name_taken(m);
		if (status != ST_OK)
			return status;
	}
	return sql_run(m->sql, "UPDATE conversations SET name = ? WHERE id = ?",
	               values, ARRAY_LEN(values));
}

static enum status write_history(struct membership *m,
                                 enum history_kind history)
{
	struct sql_value values[] = {sql_number(history),
	                             sql_number(m->change.conversation)};

	return sql_run(m->sql,
	               "UPDATE conversations SET history = ? WHERE id = ?",
	               values, ARRAY_LEN(values));
}

static enum status add_entry_and_notify(struct membership *m,
                                        const struct uuid *uuid,
                                        const struct membership_event *event)
{
	enum status status =
		membership_change_add_entry(&m->change, uuid, event);

	return status == ST_OK
	               ? membership_change_notify(&m->change, '=', NULL, 0)
	               : status;
}

static bool renames(const struct membership *m,
                    const struct membership_action *action)
{
	return action->name.len &&
	       !span_equal(action->name, buf_span(&m->change.name));
}

static enum status check_edit(struct membership *m,
                              struct membership_action *action)
{
	const struct membership_change *c = &m->change;
	enum status status = membership_authorize(m, action, ROLE_ADMIN);

	m->unchanged = !renames(m, action) &&
	               (!action->history || action->history == c->history);
	return status;
}

/* A new name and a new history are one entry each. */
static enum status edit(struct membership *m, struct membership_action *action)
{
	struct uuid uuid = m->uuid;
	enum status status = ST_OK;

	if (renames(m, action)) {
		struct membership_event renamed = {.what = "renamed",
		                                   .name = action->name};

		status = write_name(m, action->name);
		if (status == ST_OK)
			status = add_entry_and_notify(m, &uuid, &renamed);
		uuid_make(&uuid);
	}
	if (status == ST_OK && action->history &&
	    action->history != m->change.history) {
		struct membership_event changed = {.what = "history",
		                                   .history = action->history};

		status = write_history(m, action->history);
		if (status == ST_OK)
			status = add_entry_and_notify(m, &uuid, &changed);
	}
	return status == ST_OK ? membership_change_close(&m->change) : status;
}

enum status membership_edit(struct membership *m,
                            struct membership_action *action)
{
	static const struct membership_operation operation = {check_edit, edit};

	return membership_run(m, &operation, action);
}

/* --- delete -------------------------------------------------------------- */
static enum status check_owner(struct membership *m,
                               struct membership_action *action)
{
	return membership_authorize(m, action, ROLE_OWNER);
}

/*
 * The rows of a large conversation's members stay, because there may be very
 * many: every query leaves out deleted conversations. Other members depart: a
 * user who makes and deletes groups without end leaves no rows that each read
 * of the user's conversations would pass.
 */
static enum status delete_conversation(struct membership *m,
                                       struct membership_action *action)
{
	struct membership_event event = {.what = "deleted"};
	enum status status = add_entry_and_notify(m, &m->uuid, &event);

	(void)action;
	if (status == ST_OK)
		status = membership_change_close(&m->change);
	if (status == ST_OK && !m->change.large) {
		status = member_store_remove_all(m->sql, m->change.conversation,
		                                 m->change.last_seq);
		m->change.member_count = 0;
	}
	return status == ST_OK ? membership_mark_deleted(m) : status;
}

enum status membership_mark_deleted(struct membership *m)
{
	const struct membership_change *c = &m->change;
	struct sql_value values[] = {
		sql_bytes(span_make(c->now.text, SQL_TIME_LEN)),
		sql_number(c->member_count), sql_number(c->conversation)};
	enum status status = sql_run(m->sql,
	                             "UPDATE conversations SET deleted_at = ?,"
	                             " member_count = ? WHERE id = ?",
	                             values, ARRAY_LEN(values));

	if (status != ST_OK || c->kind != KIND_CHANNEL)
		return status;
	return channel_names_free(m->sql, c->conversation);
}

enum status membership_delete(struct membership *m,
                              struct membership_action *action)
{
	static const struct membership_operation operation = {
		check_owner, delete_conversation};

	return membership_run(m, &operation, action);
}
