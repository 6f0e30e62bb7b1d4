/* Adds and removes members and sets their roles. */
#include "persistence-service/rest/membership/membership_private.h"

#include <string.h>

/* --- joining ------------------------------------------------------------- */
/*
 * The users are locked and their conversations counted before a seq is claimed.
 * They stay locked, so the second check need not count again.
 */
static enum status check_new_members(struct membership *m,
                                     const uint64_t *users, unsigned count)
{
	const struct membership_change *c = &m->change;
	enum status status =
		membership_check_capacity(m, c->member_count, count);

	if (status != ST_OK || c->claimed_seq)
		return status;
	status = user_lock_take(m->sql, users, count);
	if (status != ST_OK)
		return status;
	return membership_check_users(m, c->conversation, users, count);
}

enum status membership_add_members(struct membership *m,
                                   const struct membership_event *event)
{
	struct membership_change *c = &m->change;
	enum status status = membership_change_add_entry(c, &m->uuid, event);

	if (status == ST_OK)
		status = membership_change_add_members(c, event->users,
		                                       event->user_count);
	if (status == ST_OK)
		status = membership_change_notify(c, '+', event->users,
		                                  event->user_count);
	return status == ST_OK ? membership_change_close(c) : status;
}

static enum status check_admin(struct membership *m,
                               struct membership_action *action)
{
	enum status status = membership_authorize(m, action, ROLE_ADMIN);

	m->unchanged = true;
	return status;
}

enum status membership_may_invite(struct membership *m,
                                  struct membership_action *action)
{
	static const struct membership_operation operation = {check_admin,
	                                                      NULL};

	return membership_run(m, &operation, action);
}

static enum status check_invitation(struct membership *m,
                                    struct membership_action *action)
{
	enum status status = membership_authorize(m, action, ROLE_ADMIN);

	memcpy(m->missing, action->users, sizeof(m->missing));
	m->missing_count = action->user_count;
	if (status == ST_OK)
		status = member_store_drop_members(m->sql, action->conversation,
		                                   m->missing,
		                                   &m->missing_count);
	m->unchanged = m->missing_count == 0;
	if (status != ST_OK || m->unchanged)
		return status;
	return check_new_members(m, m->missing, m->missing_count);
}

static enum status invite(struct membership *m,
                          struct membership_action *action)
{
	(void)action;
	return membership_add_members(
		m, &(struct membership_event){.what = "invited",
	                                      .users = m->missing,
	                                      .user_count = m->missing_count});
}

enum status membership_invite(struct membership *m,
                              struct membership_action *action)
{
	static const struct membership_operation operation = {check_invitation,
	                                                      invite};
	enum status status = membership_run(m, &operation, action);

	if (status != ST_OK)
		return status;
	memcpy(action->users, m->missing, sizeof(action->users));
	action->user_count = m->missing_count;
	return ST_OK;
}

static enum status check_join(struct membership *m,
                              struct membership_action *action)
{
	enum status status = membership_authorize(m, action, ROLE_NONE);

	m->unchanged = m->change.role != ROLE_NONE;
	if (status != ST_OK || m->unchanged)
		return status;
	return check_new_members(m, &action->actor, 1);
}

static enum status join(struct membership *m, struct membership_action *action)
{
	return membership_add_members(
		m, &(struct membership_event){.what = "joined",
	                                      .users = &action->actor,
	                                      .user_count = 1});
}

enum status membership_join(struct membership *m,
                            struct membership_action *action)
{
	static const struct membership_operation operation = {check_join, join};

	return membership_run(m, &operation, action);
}

/* --- leaving ------------------------------------------------------------- */
static enum status remove_member(struct membership *m,
                                 const struct membership_event *event)
{
	struct membership_change *c = &m->change;
	enum status status = membership_change_add_entry(c, &m->uuid, event);

	if (status == ST_OK)
		status = membership_change_remove_member(c, *event->users);
	if (status == ST_OK)
		status = membership_change_notify(c, '-', event->users, 1);
	return status == ST_OK ? membership_change_close(c) : status;
}

static enum status leave_as_owner(struct membership *m, uint64_t user)
{
	uint64_t conversation = m->change.conversation;
	struct membership_event event = {
		.what = "left", .users = &user, .user_count = 1};
	enum status status = member_store_successor(m->sql, conversation, user,
	                                            &event.owner);

	if (status == ST_OK) {
		status = remove_member(m, &event);
		return status == ST_OK
		               ? member_store_set_role(m->sql, conversation,
		                                       event.owner, ROLE_OWNER)
		               : status;
	}
	if (status != ST_NOT_FOUND)
		return status;
	status = remove_member(m, &event);
	return status == ST_OK ? membership_mark_deleted(m) : status;
}

static enum status check_member(struct membership *m,
                                struct membership_action *action)
{
	return membership_authorize(m, action, ROLE_MEMBER);
}

static enum status leave(struct membership *m, struct membership_action *action)
{
	struct membership_event event = {
		.what = "left", .users = &action->actor, .user_count = 1};

	if (m->change.role == ROLE_OWNER)
		return leave_as_owner(m, action->actor);
	return remove_member(m, &event);
}

enum status membership_leave(struct membership *m,
                             struct membership_action *action)
{
	static const struct membership_operation operation = {check_member,
	                                                      leave};

	return membership_run(m, &operation, action);
}

/* A large conversation that was deleted keeps its members. */
enum status membership_list(struct membership *m, uint64_t user, uint64_t after,
                            uint64_t ids[MEMBERSHIP_LIST_MAX],
                            unsigned *ret_count)
{
	const struct sql_value values[] = {sql_number(user), sql_number(after),
	                                   sql_number(MEMBERSHIP_LIST_MAX)};
	struct sql_value row;
	unsigned count = 0;
	enum status status = sql_session_run(
		m->session,
		"SELECT m.conversation FROM members m"
		" JOIN conversations c ON c.id = m.conversation"
		" WHERE m.user = ? AND m.conversation > ? AND c.kind <> 1"
		" AND c.deleted_at IS NULL ORDER BY m.conversation LIMIT ?",
		values, ARRAY_LEN(values));

	while (status == ST_OK) {
		status = sql_session_fetch(m->session, &row, 1);
		if (status == ST_OK)
			ids[count++] = row.number;
	}
	*ret_count = count;
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static enum status role_of_user(struct membership *m,
                                const struct membership_action *action,
                                enum member_role *ret_role)
{
	enum status status = member_store_role(m->sql, action->conversation,
	                                       action->user, ret_role);

	if (status == ST_OK && *ret_role == ROLE_NONE)
		return membership_refuse(m, ST_NOT_FOUND,
		                         "there is no such member");
	return status;
}

static enum status check_removal(struct membership *m,
                                 struct membership_action *action)
{
	enum status status = membership_authorize(m, action, ROLE_ADMIN);
	enum member_role role;

	if (status == ST_OK)
		status = role_of_user(m, action, &role);
	if (status != ST_OK || role < m->change.role)
		return status;
	return membership_refuse(m, ST_DENIED,
	                         "admins may remove members only");
}

static enum status remove_user(struct membership *m,
                               struct membership_action *action)
{
	struct membership_event event = {
		.what = "removed", .users = &action->user, .user_count = 1};

	return remove_member(m, &event);
}

enum status membership_remove(struct membership *m,
                              struct membership_action *action)
{
	static const struct membership_operation operation = {check_removal,
	                                                      remove_user};

	if (action->user == action->actor)
		return membership_leave(m, action);
	return membership_run(m, &operation, action);
}

/* --- roles --------------------------------------------------------------- */
static enum status check_role(struct membership *m,
                              struct membership_action *action)
{
	enum status status = membership_authorize(m, action, ROLE_OWNER);
	enum member_role role = ROLE_NONE;

	if (status == ST_OK)
		status = role_of_user(m, action, &role);
	m->unchanged = role == action->role;
	if (status != ST_OK || m->unchanged || action->user != action->actor)
		return status;
	return membership_refuse(m, ST_INVALID,
	                         "an owner gives the role up by making another "
	                         "member the owner");
}

static enum status give_role(struct membership *m,
                             struct membership_action *action)
{
	struct membership_change *c = &m->change;
	struct membership_event event = {.what = "role",
	                                 .users = &action->user,
	                                 .user_count = 1,
	                                 .role = action->role};
	enum status status = membership_change_add_entry(c, &m->uuid, &event);

	if (status == ST_OK)
		status = member_store_set_role(m->sql, action->conversation,
		                               action->user, action->role);
	if (status == ST_OK && action->role == ROLE_OWNER)
		status = member_store_set_role(m->sql, action->conversation,
		                               action->actor, ROLE_ADMIN);
	if (status == ST_OK)
		status = membership_change_notify(c, '=', NULL, 0);
	return status == ST_OK ? membership_change_close(c) : status;
}

enum status membership_set_role(struct membership *m,
                                struct membership_action *action)
{
	static const struct membership_operation operation = {check_role,
	                                                      give_role};

	return membership_run(m, &operation, action);
}
